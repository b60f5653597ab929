// A whole log for its reader: the older files, compressed ones too, and the one that is written, across rotations.
//
// It reads what the writer has written and knows nothing of a running supervisor. A file that is put aside while it is read is
// read to its end first, then the one that followed it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "supervisor/shell/logs/file_lines.hpp"

namespace corral::logs {

struct Wanted {
  std::size_t last = SIZE_MAX;                 ///< No more than that of what is there already.
  std::optional<std::int64_t> since_ms;        ///< Nothing older.
  std::function<bool(std::string_view)> keep;  ///< Nothing else; may be empty.
};

class LogReader {
 public:
  LogReader(std::string path, Wanted wanted);

  /// False when there is nothing more, for now.
  [[nodiscard]] bool next(LogLine& line);

  /// How many of the next lines were there from the start: no more than `last`, or SIZE_MAX where all are wanted. What next()
  /// tells after them has been written since.
  [[nodiscard]] std::size_t past() const { return past_; }

  /// Files came and went faster than they were read: some lines are missing from what next() told. Once for each time.
  [[nodiscard]] bool take_gap() { return std::exchange(gap_, false); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  struct Old {
    std::string path;
    bool compressed = false;
  };
  [[nodiscard]] std::size_t open_all(std::size_t left);
  [[nodiscard]] std::size_t open_each(std::size_t left);
  [[nodiscard]] bool keeps(const LogLine& line) const;
  [[nodiscard]] std::optional<Old> older(std::uint32_t number) const;
  [[nodiscard]] std::size_t find_begin(FileLines& file, std::size_t wanted) const;
  [[nodiscard]] bool move_on();
  [[nodiscard]] std::unique_ptr<FileLines> follower_of(const FileLines& file);

  std::string path_;
  Wanted wanted_;
  std::vector<std::unique_ptr<FileLines>> files_;  ///< The oldest last.
  std::int64_t last_time_ms_ = 0;
  std::size_t past_ = SIZE_MAX;
  bool begun_ = false;  ///< There was a file at some time.
  bool gap_ = false;
};

}  // namespace corral::logs
