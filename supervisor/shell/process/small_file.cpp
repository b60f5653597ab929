#include "supervisor/shell/process/small_file.hpp"

#include <unistd.h>

#include <cerrno>
#include <charconv>

namespace corral::process {

std::optional<std::string> read_small_file(const char* path, int directory) {
  const int fd = openat(directory, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
  if (fd < 0) {
    return std::nullopt;
  }
  std::string text(4096, '\0');
  std::size_t size = 0;
  ssize_t got = 0;
  while ((got = read(fd, text.data() + size, text.size() - size)) > 0 || (got < 0 && errno == EINTR)) {
    size += got > 0 ? static_cast<std::size_t>(got) : 0;
    if (size == text.size()) {
      if (size >= (1U << 20U)) {
        break;
      }
      text.resize(size * 2);
    }
  }
  close(fd);
  if (got < 0 && size == 0) {
    return std::nullopt;
  }
  text.resize(size);
  return text;
}

pid_t pid_in(std::string_view text) {
  pid_t pid = 0;
  std::from_chars(text.data(), text.data() + text.size(), pid);
  return pid;
}

}  // namespace corral::process
