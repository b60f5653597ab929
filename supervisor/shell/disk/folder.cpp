#include "supervisor/shell/disk/folder.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

namespace corral::disk {

namespace {

constexpr std::size_t largest_file = std::size_t{16} << 20U;

/// "" and "/" are the folder itself.
std::string relative(std::string_view path) {
  const std::size_t start = path.find_first_not_of('/');
  return start == std::string_view::npos ? "." : std::string(path.substr(start));
}

}  // namespace

std::optional<Folder> Folder::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  return Folder(fd);
}

Folder::~Folder() {
  if (fd_ >= 0) ::close(fd_);
}

std::optional<Folder> Folder::folder(std::string_view path) const {
  const int fd = ::openat(fd_, relative(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  return Folder(fd);
}

std::optional<std::string> Folder::read(std::string_view path) const {
  // Not blocking: a test's tree, or a strange mount, may have a FIFO where a file should be.
  const int fd = ::openat(fd_, relative(path).c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0) return std::nullopt;
  std::string content;
  char chunk[4096];
  ssize_t got = 0;
  while (content.size() < largest_file) {
    got = ::read(fd, chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    content.append(chunk, static_cast<std::size_t>(got));
  }
  ::close(fd);
  if (got < 0) return std::nullopt;
  return content;
}

std::vector<std::uint32_t> Folder::numbered(std::string_view prefix) const {
  std::vector<std::uint32_t> numbers;
  const int own = ::openat(fd_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* listing = own < 0 ? nullptr : ::fdopendir(own);
  if (listing == nullptr) {
    if (own >= 0) ::close(own);
    return numbers;
  }
  while (const dirent* entry = ::readdir(listing)) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with(prefix)) continue;
    std::uint32_t number = 0;
    const char* const last = name.data() + name.size();
    const auto [end, error] = std::from_chars(name.data() + prefix.size(), last, number);
    if (error == std::errc{} && end == last) numbers.push_back(number);
  }
  ::closedir(listing);
  std::ranges::sort(numbers);
  return numbers;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string_view next_part(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

}  // namespace corral::disk
