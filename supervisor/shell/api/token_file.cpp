#include "supervisor/shell/api/token_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "common/base/file_descriptor.hpp"

namespace corral::api {
namespace {

constexpr std::size_t token_bytes = 32;
constexpr std::size_t shortest = 32;
constexpr std::size_t longest = 512;
constexpr mode_t owner_alone = 0600;
constexpr mode_t of_others = 0077;

/// What RFC 6750 lets a bearer token consist of.
bool may_be_in_token(char letter) {
  constexpr std::string_view others = "-._~+/=";
  return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         others.contains(letter);
}

Result<std::string> make_token() {
  std::array<unsigned char, token_bytes> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
    return system_failure("no random number for a token", errno);
  }
  std::string token;
  for (const unsigned char byte : random) {
    token += fmt::format("{:02x}", byte);
  }
  return token;
}

/// Under another name first: nobody ever sees half of it, and of two that make it one wins.
Result<void> make_file(const std::string& path) {
  const Result<std::string> token = make_token();
  if (!token) {
    return std::unexpected(token.error());
  }
  const std::string unfinished = fmt::format("{}.{}", path, ::getpid());
  ::unlink(unfinished.c_str());  // Of one who had this number and was killed.
  FileDescriptor file(::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, owner_alone));
  if (!file) {
    return system_failure(fmt::format("cannot make the token file '{}'", path), errno);
  }
  const std::string line = *token + "\n";
  const ssize_t written = ::write(file.get(), line.data(), line.size());
  const bool well = written == static_cast<ssize_t>(line.size()) && ::fchmod(file.get(), owner_alone) == 0 &&
                    ::fsync(file.get()) == 0 && (::link(unfinished.c_str(), path.c_str()) == 0 || errno == EEXIST);
  const int error = written >= 0 && written < static_cast<ssize_t>(line.size()) ? ENOSPC : errno;
  ::unlink(unfinished.c_str());
  return well ? Result<void>{} : system_failure(fmt::format("cannot make the token file '{}'", path), error);
}

Result<std::string> read_token(int file, const std::string& path) {
  struct stat info{};
  if (::fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) {
    return failure(fmt::format("the token file '{}' is no plain file", path));
  }
  if (info.st_uid != ::geteuid() && info.st_uid != 0) {
    return failure(fmt::format("the token file '{}' belongs to user {}, who would know the token", path, info.st_uid));
  }
  if ((info.st_mode & of_others) != 0) {
    return failure(fmt::format("the token file '{}' is open to others; close it with: chmod 600 {}", path, path));
  }
  std::array<char, longest + 2> text{};  // With a line break, and room to see that there is more.
  const ssize_t got = ::read(file, text.data(), text.size());
  if (got < 0) {
    return system_failure(fmt::format("cannot read the token file '{}'", path), errno);
  }
  std::string_view token(text.data(), static_cast<std::size_t>(got));
  if (token.ends_with('\n')) {
    token.remove_suffix(1);
  }
  if (token.size() < shortest || token.size() > longest || !std::ranges::all_of(token, may_be_in_token)) {
    return failure(
        fmt::format("the token file '{}' holds no token of {} to {} letters, digits and -._~+/=; remove it, and one is made",
                    path, shortest, longest));
  }
  return std::string(token);
}

}  // namespace

Result<std::string> token_of(const std::string& path) {
  const auto open = [&] {
    return FileDescriptor(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  };
  FileDescriptor file = open();
  if (!file && errno == ENOENT) {
    if (const Result<void> made = make_file(path); !made) {
      return std::unexpected(made.error());
    }
    file = open();
  }
  if (!file && errno == ELOOP) {
    return failure(fmt::format("the token file '{}' is a symbolic link, which is not followed", path));
  }
  if (!file) {
    return system_failure(fmt::format("cannot open the token file '{}'", path), errno);
  }
  return read_token(file.get(), path);
}

}  // namespace corral::api
