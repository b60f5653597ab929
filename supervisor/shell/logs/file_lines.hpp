// The lines of one file of a log, forward; compressed or not, growing or not.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "supervisor/shell/logs/marks.hpp"

namespace corral::logs {

struct LogLine {
  std::int64_t time_ms = 0;  ///< Wall clock, to a second where the line itself does not say; 0: not known.
  std::string_view text;     ///< Without its break. Valid until the next one is asked for.
};

/// The time that a line of JSON begins with.
[[nodiscard]] std::optional<std::int64_t> time_in(std::string_view line);

class FileLines {
 public:
  /// Nothing where there is no such file.
  [[nodiscard]] static std::unique_ptr<FileLines> open(const std::string& path, bool compressed);
  FileLines(const FileLines&) = delete;
  FileLines& operator=(const FileLines&) = delete;
  ~FileLines();

  /// False at the end. A file that grows may have more later; half a line is not handed out before its break is there.
  [[nodiscard]] bool next(LogLine& line);
  /// Where the next line begins, in bytes of text.
  [[nodiscard]] std::uint64_t offset() const { return offset_; }
  void go_to(std::uint64_t offset);

  [[nodiscard]] bool is(dev_t device, ino_t inode) const { return device_ == device && inode_ == inode; }
  [[nodiscard]] ino_t inode() const { return inode_; }
  [[nodiscard]] dev_t device() const { return device_; }
  [[nodiscard]] std::int64_t changed_ms() const { return changed_ms_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }  ///< When it was opened.
  [[nodiscard]] bool compressed() const { return gz_ != nullptr; }
  /// It lies somewhere, under whatever name: nobody has deleted it, nor compressed it.
  [[nodiscard]] bool is_kept() const;

 private:
  FileLines() = default;
  [[nodiscard]] bool fill();
  [[nodiscard]] std::int64_t time_of(std::string_view text);

  int fd_ = -1;
  void* gz_ = nullptr;  ///< A gzFile.
  dev_t device_ = 0;
  ino_t inode_ = 0;
  std::int64_t changed_ms_ = 0;
  std::uint64_t size_ = 0;
  std::string buffer_;
  std::size_t at_ = 0;  ///< Of buffer_.
  std::uint64_t offset_ = 0;
  std::vector<Mark> marks_;
  std::size_t mark_ = 0;  ///< The next one.
  std::string path_;
};

}  // namespace corral::logs
