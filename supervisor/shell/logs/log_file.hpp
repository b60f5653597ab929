// One log file as the disk thread sees it: opened without following links, written in whole lines, rotated between two lines.
//
// It may block in the kernel: the disk thread alone uses it. What fails is an errno and what it was about; what becomes of the
// lines is decided by whoever calls. Invariant: whatever fails, the file ends with a whole line as far as that can be had.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/file_descriptor.hpp"
#include "common/base/result.hpp"
#include "supervisor/shell/logs/target.hpp"

namespace corral::logs {

class LogFile {
 public:
  /// What comes next is for that file, and is treated as it says.
  void aim(SharedTarget target);

  [[nodiscard]] const Target& target() const { return *target_; }

  /// Writes whole lines and takes what has been written off `bytes`.
  [[nodiscard]] Result<void> write(std::string_view& bytes);

  /// Somebody else has put the file aside: begins anew under its name. Nothing where it was not open since nothing has been
  /// written to it yet; `has_failed`: it could not be opened, and is tried again.
  [[nodiscard]] Result<void> reopen(bool has_failed);
  void close() { fd_.reset(); }

  /// Something to tell people of, once: the file had been removed.
  [[nodiscard]] std::optional<std::string> take_note() { return std::exchange(note_, std::nullopt); }
  /// An older file has come to be since the last call.
  [[nodiscard]] bool take_rotated() { return std::exchange(rotated_, false); }
  [[nodiscard]] std::uint64_t rotations() const { return rotations_; }

 private:
  [[nodiscard]] Result<void> make_ready();
  [[nodiscard]] Result<void> open();
  [[nodiscard]] Result<void> rotate();
  [[nodiscard]] std::string_view fitting(std::string_view bytes) const;
  [[nodiscard]] Result<void> write_part(std::string_view part, std::size_t& written);
  void mark_time();
  [[nodiscard]] std::size_t cut_back(std::string_view part, std::size_t written);

  SharedTarget target_;
  FileDescriptor fd_;
  std::uint64_t size_ = 0;
  std::int64_t day_ends_ = 0;   ///< Wall clock, seconds; of the day that the file belongs to.
  std::int64_t marked_at_ = 0;  ///< Wall clock, milliseconds.
  std::optional<std::string> note_;
  bool rotated_ = false;
  std::uint64_t rotations_ = 0;
};

}  // namespace corral::logs
