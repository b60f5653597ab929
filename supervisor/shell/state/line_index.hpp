// Which occurrence of its bytes a line is, and what is known of it. On the disk: an input may have more lines than memory.
//
// It belongs to one run: the input is read from its beginning each time. The file has no name and is gone with the process.
#pragma once

#include <cstdint>
#include <optional>

#include "supervisor/shell/state/database.hpp"
#include "supervisor/shell/state/task_row.hpp"

namespace corral::state {

class LineIndex {
 public:
  [[nodiscard]] static Result<LineIndex> open();

  /// A task that was recorded; `failed_row`: 0 where it is done. Before the first look_up(), best in the order of hashes.
  [[nodiscard]] Result<void> add(const LineHash& hash, std::uint64_t occurrence, std::int64_t failed_row);
  struct Place {
    std::uint64_t occurrence = 0;            ///< So many lines of the same bytes were looked up before.
    std::optional<std::int64_t> failed_row;  ///< What add() was told of it.
  };
  [[nodiscard]] Result<Place> look_up(const LineHash& hash);

 private:
  [[nodiscard]] Result<std::optional<std::int64_t>> look_up_later(const LineHash& hash, std::uint64_t occurrence);

  Database database_;
  Statement add_;
  Statement add_later_;
  Statement find_;
  Statement find_later_;
  Statement first_;
  Statement again_;
  bool any_later_ = false;  ///< Occurrences beyond the first were recorded.
};

}  // namespace corral::state
