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

  /// `failed_row`: 0 where it is done.
  [[nodiscard]] Result<void> add_known(const LineHash& hash, std::uint64_t occurrence, std::int64_t failed_row);
  /// So many lines of the same bytes were counted before.
  [[nodiscard]] Result<std::uint64_t> count(const LineHash& hash);
  /// What add_known() was told of it.
  [[nodiscard]] Result<std::optional<std::int64_t>> known(const LineHash& hash, std::uint64_t occurrence);

 private:
  Database database_;
  Statement add_;
  Statement seen_;
  Statement first_;
  Statement again_;
  Statement find_;
  bool any_known_ = false;
};

}  // namespace corral::state
