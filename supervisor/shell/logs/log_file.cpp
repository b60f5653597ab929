#include "supervisor/shell/logs/log_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <utility>

#include "common/base/trusted_folder.hpp"
#include "supervisor/shell/logs/format.hpp"
#include "supervisor/shell/logs/marks.hpp"
#include "supervisor/shell/logs/rotation.hpp"

namespace corral::logs {
namespace {

/// The first moment of the day after that of `time`, as people here count days.
std::int64_t end_of_day(std::time_t time) {
  std::tm parts{};
  ::localtime_r(&time, &parts);
  ++parts.tm_mday;
  parts.tm_hour = parts.tm_min = parts.tm_sec = 0;
  parts.tm_isdst = -1;
  return ::mktime(&parts);
}

}  // namespace

void LogFile::aim(SharedTarget target) {
  if (target_ == target) {
    return;
  }
  if (target_ && target_->path != target->path) {
    close();
  }
  target_ = std::move(target);
}

Result<void> LogFile::open() {
  const SplitPath path = split_path(target_->path);
  const Result<FileDescriptor> folder = open_trusted_folder(path.folder, true);
  if (!folder) {
    return std::unexpected(folder.error());
  }
  // Not blocking: a FIFO in its place must not hold everything up.
  constexpr int flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  FileDescriptor fd(::openat(folder->get(), path.name.c_str(), flags, 0640));
  if (!fd) {
    return errno == ELOOP ? std::unexpected(Error{"it is a symbolic link, which is not followed", ELOOP})
                          : system_failure("cannot open it", errno);
  }
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return std::unexpected(Error{"it is no regular file", EINVAL});
  }
  fd_ = std::move(fd);
  size_ = static_cast<std::uint64_t>(status.st_size);
  marked_at_ = 0;
  day_ends_ = end_of_day(size_ > 0 ? status.st_mtime : std::time(nullptr));
  return {};
}

Result<void> LogFile::rotate() {
  const SplitPath path = split_path(target_->path);
  const Result<FileDescriptor> folder = open_trusted_folder(path.folder, true);  // Moved away, it is begun anew in its place.
  if (!folder) {
    return std::unexpected(folder.error());
  }
  if (Result<void> aside = put_aside(folder->get(), path.name, target_->rotate.keep); !aside) {
    return aside;
  }
  rotated_ = true;
  ++rotations_;
  close();
  return open();
}

/// Open, there, and of today.
Result<void> LogFile::make_ready() {
  bool removed = false;  // Closed after a failure it is none that somebody has removed.
  if (struct stat status{}; fd_ && ::fstat(fd_.get(), &status) == 0) {
    size_ = static_cast<std::uint64_t>(status.st_size);
    removed = status.st_nlink == 0;
    if (removed) {
      close();
    }
  }
  if (!fd_) {
    if (Result<void> opened = open(); !opened) {
      return opened;
    }
    if (removed) {
      note_ = "somebody has removed it; a new one was begun";
    }
  }
  if (target_->rotate.daily && std::time(nullptr) >= day_ends_) {
    if (size_ > 0) {
      return rotate();
    }
    day_ends_ = end_of_day(std::time(nullptr));
  }
  return {};
}

/// As many whole lines as the file may grow by; nothing where a new one must be begun first.
std::string_view LogFile::fitting(std::string_view bytes) const {
  const std::uint64_t most = target_->rotate.size;
  if (most == 0 || size_ + bytes.size() <= most) {
    return bytes;
  }
  const std::size_t room = size_ < most ? static_cast<std::size_t>(most - size_) : 0;
  const std::size_t end = room == 0 ? std::string_view::npos : bytes.substr(0, room).rfind('\n');
  if (end != std::string_view::npos) {
    return bytes.substr(0, end + 1);
  }
  return size_ > 0 ? std::string_view{} : bytes.substr(0, bytes.find('\n') + 1);  // One line that is longer than a file.
}

/// After a failure in the middle of a line: its beginning goes, it is written again as a whole. How much stays.
std::size_t LogFile::cut_back(std::string_view part, std::size_t written) {
  const std::size_t end = written == 0 ? std::string_view::npos : part.substr(0, written).rfind('\n');
  const std::size_t whole = end == std::string_view::npos ? 0 : end + 1;
  if (whole < written && ::ftruncate(fd_.get(), static_cast<off_t>(size_ - (written - whole))) == 0) {
    size_ -= written - whole;
  }
  return whole;
}

Result<void> LogFile::write_part(std::string_view part, std::size_t& written) {
  written = 0;
  while (written < part.size()) {
    const ssize_t wrote = ::write(fd_.get(), part.data() + written, part.size() - written);
    if (wrote >= 0) {
      written += static_cast<std::size_t>(wrote);
      size_ += static_cast<std::size_t>(wrote);
    } else if (errno != EINTR) {
      const int error = errno;
      written = cut_back(part, written);
      return system_failure("cannot write it", error);
    }
  }
  return {};
}

/// Where lines do not say it themselves. At the first line of a file, and once a second.
void LogFile::mark_time() {
  const std::int64_t now = wall_ms();
  if (target_->shape != Shape::json && (size_ == 0 || now - marked_at_ >= mark_length_ms || now < marked_at_)) {
    append_mark(target_->path, {now, size_}, size_ == 0);
    marked_at_ = now;
  }
}

Result<void> LogFile::write(std::string_view& bytes) {
  if (Result<void> ready = make_ready(); !ready) {
    return ready;
  }
  while (!bytes.empty()) {
    const std::string_view part = fitting(bytes);
    if (part.empty()) {
      if (Result<void> rotated = rotate(); !rotated) {
        return rotated;
      }
      continue;
    }
    mark_time();
    std::size_t written = 0;
    Result<void> wrote = write_part(part, written);
    bytes.remove_prefix(written);
    if (wrote) {
      continue;
    }
    const int error = wrote.error().error_number;
    if (error == EFBIG && target_->rotate.size > 0 && size_ > 0) {  // A limit that is set from outside is a size like any other.
      wrote = rotate();
    }
    if (!wrote) {
      if (error != ENOSPC && error != EDQUOT && error != EFBIG) {
        close();  // What is wrong may be wrong with this descriptor alone.
      }
      return wrote;
    }
  }
  return {};
}

Result<void> LogFile::reopen(bool has_failed) {
  if (!fd_ && !has_failed) {
    return {};
  }
  close();
  return open();
}

}  // namespace corral::logs
