#include "common/base/trusted_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <string_view>
#include <utility>

namespace corral {
namespace {

constexpr mode_t folder_mode = 0750;
constexpr int most_links = 40;  // As many as the kernel follows.

bool is_ours(uid_t uid) { return uid == 0 || uid == ::geteuid(); }

/// Of a folder that belongs to one of us: nobody else can put something else in the place of what is ours.
bool holds_fast(const struct stat& folder) {
  const bool by_others = (folder.st_mode & S_IWOTH) != 0;
  const bool by_group = (folder.st_mode & S_IWGRP) != 0 && folder.st_gid != 0 && folder.st_gid != ::getegid();
  return is_ours(folder.st_uid) && ((folder.st_mode & S_ISVTX) != 0 || (!by_others && !by_group));
}

class Walk {
 public:
  Walk(const std::string& folder, bool make) : folder_(folder), make_(make) {}

  Result<FileDescriptor> go() {
    if (Result<void> begun = begin(folder_); !begun) {
      return std::unexpected(begun.error());
    }
    while (!rest_.empty()) {
      const std::size_t slash = std::min(rest_.find('/'), rest_.size());
      const std::string name = rest_.substr(0, slash);
      rest_.erase(0, std::min(slash + 1, rest_.size()));
      if (name.empty() || name == ".") {
        continue;
      }
      if (Result<void> down = enter(name); !down) {
        return std::unexpected(down.error());
      }
    }
    return std::move(here_);
  }

 private:
  /// What `path` says comes before what is left.
  Result<void> begin(const std::string& path) {
    if (path.starts_with('/') || !here_) {
      here_ = FileDescriptor(::open(path.starts_with('/') ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
      passed_ = path.starts_with('/') ? "/" : "";
      if (!here_) {
        return cannot_open(errno);
      }
    }
    rest_ = rest_.empty() ? path : path + "/" + rest_;
    return {};
  }

  Result<void> enter(const std::string& name) {
    const auto open = [&](int flags) {
      return FileDescriptor(::openat(here_.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC | flags));
    };
    FileDescriptor below = open(O_DIRECTORY);
    if (!below && errno == ENOENT && make_) {
      if (::mkdirat(here_.get(), name.c_str(), folder_mode) != 0 && errno != EEXIST) {
        return system_failure("cannot make the folder '" + passed_ + name + "'", errno);
      }
      below = open(O_DIRECTORY);
    }
    if (below) {
      here_ = std::move(below);
      passed_ += name + "/";
      return {};
    }
    const int error = errno;
    const FileDescriptor other = error == ENOTDIR || error == ELOOP ? open(0) : FileDescriptor();
    struct stat status{};
    if (!other || ::fstat(other.get(), &status) != 0 || !S_ISLNK(status.st_mode)) {
      return cannot_open(error);
    }
    return follow(name, other.get(), status);
  }

  Result<void> follow(const std::string& name, int link, const struct stat& status) {
    struct stat holder{};
    if (::fstat(here_.get(), &holder) != 0) {
      return cannot_open(errno);
    }
    if (!is_ours(status.st_uid) || !holds_fast(holder)) {
      return std::unexpected(
          Error{"'" + passed_ + name +
                    "' is a symbolic link that others could turn elsewhere, and is not followed: put a folder in "
                    "its place, or let root own it and the folder that it is in, writable by nobody else",
                ELOOP});
    }
    std::array<char, PATH_MAX> target{};
    const ssize_t size = ::readlinkat(link, "", target.data(), target.size());
    if (size <= 0 || ++links_ > most_links) {
      return cannot_open(size < 0 ? errno : ELOOP);
    }
    return begin(std::string(target.data(), static_cast<std::size_t>(size)));
  }

  [[nodiscard]] std::unexpected<Error> cannot_open(int error) const {
    return system_failure("cannot open the folder '" + folder_ + "'", error);
  }

  const std::string& folder_;
  bool make_;
  FileDescriptor here_;
  std::string passed_;  ///< Where that is, for people.
  std::string rest_;    ///< Still to be gone down.
  int links_ = 0;
};

}  // namespace

Result<FileDescriptor> open_trusted_folder(const std::string& folder, bool make) { return Walk(folder, make).go(); }

}  // namespace corral
