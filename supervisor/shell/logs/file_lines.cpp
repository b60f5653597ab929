#include "supervisor/shell/logs/file_lines.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <ctime>

#include "common/base/trusted_folder.hpp"
#include "supervisor/shell/logs/target.hpp"

namespace corral::logs {
namespace {

constexpr std::size_t read_size = std::size_t{256} * 1024;

gzFile as_gz(void* gz) { return static_cast<gzFile>(gz); }

std::int64_t in_ms(const timespec& time) { return std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000; }

bool read_number(std::string_view text, int& number) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc{} && end == text.data() + text.size();
}

}  // namespace

std::optional<std::int64_t> time_in(std::string_view line) {
  constexpr std::string_view begin = R"({"time":")";
  constexpr std::size_t length = 24;  // "2026-01-31T12:00:00.123Z"
  if (!line.starts_with(begin) || line.size() < begin.size() + length) {
    return std::nullopt;
  }
  const std::string_view text = line.substr(begin.size(), length);
  std::tm parts{};
  int ms = 0;
  const bool good = read_number(text.substr(0, 4), parts.tm_year) && read_number(text.substr(5, 2), parts.tm_mon) &&
                    read_number(text.substr(8, 2), parts.tm_mday) && read_number(text.substr(11, 2), parts.tm_hour) &&
                    read_number(text.substr(14, 2), parts.tm_min) && read_number(text.substr(17, 2), parts.tm_sec) &&
                    read_number(text.substr(20, 3), ms) && text[10] == 'T' && text[23] == 'Z';
  if (!good) {
    return std::nullopt;
  }
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  return std::int64_t{::timegm(&parts)} * 1000 + ms;
}

std::unique_ptr<FileLines> FileLines::open(const std::string& path, bool compressed) {
  // A log is no link: one in its place was put there by whoever may write to the folder, so that root shows him another file.
  constexpr int flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW;
  const SplitPath split = split_path(path);
  const Result<FileDescriptor> folder = ::geteuid() == 0 ? open_trusted_folder(split.folder, false) : FileDescriptor();
  const int fd = !folder ? -1 : *folder ? ::openat(folder->get(), split.name.c_str(), flags) : ::open(path.c_str(), flags);
  struct stat status{};
  if (fd < 0 || ::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    if (fd >= 0) {
      ::close(fd);
    }
    return nullptr;
  }
  std::unique_ptr<FileLines> lines(new FileLines);
  lines->fd_ = fd;
  lines->device_ = status.st_dev;
  lines->inode_ = status.st_ino;
  lines->changed_ms_ = in_ms(status.st_mtim);
  lines->size_ = static_cast<std::uint64_t>(status.st_size);
  lines->path_ = compressed ? path.substr(0, path.size() - 3) : path;
  if (compressed) {
    lines->gz_ = ::gzdopen(fd, "rb");
    lines->fd_ = lines->gz_ == nullptr ? fd : -1;
  }
  lines->marks_ = read_marks(lines->path_);
  return lines;
}

FileLines::~FileLines() {
  if (gz_ != nullptr) {
    ::gzclose(as_gz(gz_));
  } else if (fd_ >= 0) {
    ::close(fd_);
  }
}

bool FileLines::fill() {
  buffer_.erase(0, at_);
  at_ = 0;
  const std::size_t used = buffer_.size();
  buffer_.resize(used + read_size);
  const ssize_t got = gz_ != nullptr ? ::gzread(as_gz(gz_), buffer_.data() + used, static_cast<unsigned>(read_size))
                                     : ::read(fd_, buffer_.data() + used, read_size);
  buffer_.resize(used + (got > 0 ? static_cast<std::size_t>(got) : 0));
  return got > 0;
}

void FileLines::go_to(std::uint64_t offset) {
  if (gz_ != nullptr) {
    ::gzseek(as_gz(gz_), static_cast<z_off_t>(offset), SEEK_SET);
  } else {
    ::lseek(fd_, static_cast<off_t>(offset), SEEK_SET);
  }
  buffer_.clear();
  at_ = 0;
  offset_ = offset;
  mark_ = 0;
}

/// Of the line at offset_.
std::int64_t FileLines::time_of(std::string_view text) {
  if (const auto own = time_in(text)) {
    return *own;
  }
  while (mark_ < marks_.size() && marks_[mark_].offset <= offset_) {
    ++mark_;
  }
  return mark_ > 0 ? marks_[mark_ - 1].time_ms : 0;
}

bool FileLines::next(LogLine& line) {
  std::size_t end = buffer_.find('\n', at_);
  while (end == std::string::npos) {
    const std::size_t seen = buffer_.size() - at_;
    if (!fill()) {
      return false;
    }
    end = buffer_.find('\n', seen);
  }
  line.text = std::string_view(buffer_).substr(at_, end - at_);
  line.time_ms = time_of(line.text);
  offset_ += end + 1 - at_;
  at_ = end + 1;
  return true;
}

bool FileLines::is_kept() const {
  struct stat status{};
  return fd_ >= 0 && ::fstat(fd_, &status) == 0 && status.st_nlink > 0;
}

}  // namespace corral::logs
