#include "supervisor/shell/disk/config_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace corral::disk {
namespace {

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) {
      close(fd_);
    }
  }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

std::string cannot_read(const std::string& path) { return fmt::format("cannot read the configuration '{}'", path); }

std::unexpected<Error> refuse(const std::string& path, std::string_view why) {
  return failure(fmt::format("{}: {}", cannot_read(path), why));
}

/// What a file is that is not a regular one.
std::string_view kind_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR: return "it is a directory; name the file in it";
    case S_IFIFO: return "it is a pipe, not a file; write it to a file first";
    case S_IFSOCK: return "it is a socket, not a file";
    case S_IFCHR: return "it is a device, not a file";
    case S_IFBLK: return "it is a disk, not a file";
    default: return "it is not a regular file";
  }
}

int open_retrying(const std::string& path) {
  // O_NONBLOCK: opening a FIFO would wait for a writer. O_NOCTTY: a terminal must not become ours.
  int fd = -1;
  do {
    fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

std::unexpected<Error> cannot_open(const std::string& path, int error_number) {
  Error error = system_error(cannot_read(path), error_number);
  if (error_number == EACCES) {
    error.message += fmt::format(" (the supervisor runs as uid {})", geteuid());
  } else if (error_number == ENXIO) {  // A socket, or a device with nothing behind it such as /dev/tty without a terminal.
    struct stat about{};
    return refuse(path, kind_of(stat(path.c_str(), &about) == 0 ? about.st_mode : S_IFSOCK));
  }
  return std::unexpected(std::move(error));
}

Result<> check(const std::string& path, const struct stat& about) {
  if (!S_ISREG(about.st_mode)) {
    return refuse(path, kind_of(about.st_mode));
  }
  if (about.st_size > static_cast<off_t>(longest_config_file)) {
    return refuse(path, fmt::format("it is {} bytes long, and a configuration has at most {}; is this the right file?",
                                    about.st_size, longest_config_file));
  }
  if (geteuid() == 0) {
    if (const std::string why = distrust(about.st_uid, about.st_mode); !why.empty()) {
      return refuse(path, fmt::format("{}; run: chown root '{}' && chmod go-w '{}'", why, path, path));
    }
  }
  return {};
}

/// All of it, or one byte more than allowed: a file can grow meanwhile, or lie about its size as those of /proc do.
Result<std::string> read_all(int fd, std::size_t expected) {
  constexpr std::size_t least_room = 4096;
  std::string text(expected + 1, '\0');  // One byte more, so that an honest file needs no second buffer.
  std::size_t size = 0;
  while (size <= longest_config_file) {
    if (size == text.size()) {
      text.resize(std::min(std::max(2 * size, least_room), longest_config_file + 1));
    }
    const ssize_t count = read(fd, text.data() + size, text.size() - size);
    if (count == 0) {
      break;
    }
    if (count < 0 && errno != EINTR) {
      return std::unexpected(Error{"", errno});
    }
    size += count > 0 ? static_cast<std::size_t>(count) : 0;
  }
  text.resize(size);
  return text;
}

}  // namespace

std::string distrust(unsigned owner, unsigned mode) {
  if (owner != 0) {
    return fmt::format("it belongs to uid {}, who could make root run anything", owner);
  }
  if ((mode & (S_IWGRP | S_IWOTH)) != 0) {
    return fmt::format("others than its owner can write it (mode {:04o}) and could make root run anything", mode & 07777U);
  }
  return {};
}

Result<std::string> read_config_file(const std::string& path) {
  if (path.find('\0') != std::string::npos) {
    return refuse("?", "the name holds a NUL byte");
  }
  const File file(open_retrying(path));
  if (file.fd() < 0) {
    return cannot_open(path, errno);
  }
  struct stat about{};
  if (fstat(file.fd(), &about) != 0) {
    return cannot_open(path, errno);
  }
  if (Result<> good = check(path, about); !good) {
    return std::unexpected(std::move(good.error()));
  }
  Result<std::string> text = read_all(file.fd(), static_cast<std::size_t>(about.st_size));
  if (!text) {
    return cannot_open(path, text.error().error_number);
  }
  if (text->size() > longest_config_file) {
    return refuse(path, fmt::format("it is longer than {} bytes; is this the right file?", longest_config_file));
  }
  return text;
}

}  // namespace corral::disk
