// A folder kept open, to read small files of the kernel below it with few system calls.
//
// Every path is relative to the folder, so that a test's tree is read exactly as the real root. Whatever cannot be read
// is simply not there: /sys and /proc differ from kernel to kernel, and no caller can do more than go on without.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace corral::disk {

class Folder {
 public:
  [[nodiscard]] static std::optional<Folder> open(const std::string& path);

  Folder(Folder&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Folder& operator=(Folder&&) = delete;
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();

  /// `path` is relative; leading slashes do not count.
  [[nodiscard]] std::optional<Folder> folder(std::string_view path) const;

  /// The whole file, at most 16 MiB of it. Nothing for what is missing, unreadable or not a file.
  [[nodiscard]] std::optional<std::string> read(std::string_view path) const;

  /// Numbers N of the entries named PREFIXN, sorted: "cpu" for cpu0, cpu1, … (and not cpufreq).
  [[nodiscard]] std::vector<std::uint32_t> numbered(std::string_view prefix) const;

 private:
  explicit Folder(int fd) : fd_(fd) {}
  int fd_ = -1;
};

/// Without blanks and line breaks at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

/// The first part of `text` up to `separator`, which is taken off it.
std::string_view next_part(std::string_view& text, char separator);

}  // namespace corral::disk
