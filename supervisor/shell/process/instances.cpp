#include "supervisor/shell/process/instances.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

#include "common/base/file_descriptor.hpp"
#include "supervisor/shell/process/setup.hpp"
#include "supervisor/shell/process/small_file.hpp"

namespace corral::process {
namespace {

constexpr std::string_view suffix = ".lock";

std::string take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string line(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

/// In /tmp anybody may have made it: what is said in a folder of somebody else, or that others can write to, counts for nothing.
FileDescriptor trusted_folder() {
  FileDescriptor folder(::open(runtime_directory().c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat info{};
  const bool trusted = folder && ::fstat(folder.get(), &info) == 0 && (info.st_uid == ::geteuid() || info.st_uid == 0) &&
                       (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
  return trusted ? std::move(folder) : FileDescriptor();
}

/// Of a lock that somebody holds: one that nobody does is what a killed supervisor has left.
std::optional<Instance> instance_in(const FileDescriptor& folder, const std::string& name) {
  const FileDescriptor file(::openat(folder.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file || ::flock(file.get(), LOCK_SH | LOCK_NB) == 0) {
    return std::nullopt;
  }
  const std::string text = read_small_file(name.c_str(), folder.get()).value_or("");
  std::string_view rest(text);
  Instance instance;
  const std::string pid = take_line(rest);
  std::from_chars(pid.data(), pid.data() + pid.size(), instance.pid);
  instance.socket = take_line(rest);
  instance.config = take_line(rest);
  return instance.pid > 0 ? std::optional(instance) : std::nullopt;
}

}  // namespace

std::vector<Instance> running_instances() {
  struct CloseDirectory {
    void operator()(DIR* directory) const { closedir(directory); }
  };
  std::vector<Instance> instances;
  const FileDescriptor folder = trusted_folder();
  const std::unique_ptr<DIR, CloseDirectory> directory(folder ? ::fdopendir(::fcntl(folder.get(), F_DUPFD_CLOEXEC, 0)) : nullptr);
  while (const dirent* entry = directory ? readdir(directory.get()) : nullptr) {
    if (std::string_view(entry->d_name).ends_with(suffix)) {
      if (auto instance = instance_in(folder, entry->d_name)) {
        instances.push_back(std::move(*instance));
      }
    }
  }
  std::ranges::sort(instances, {}, &Instance::config);
  return instances;
}

std::optional<Instance> running_instance(std::string_view identity) {
  const FileDescriptor folder = trusted_folder();
  return folder ? instance_in(folder, fmt::format("{}{}", identity, suffix)) : std::nullopt;
}

}  // namespace corral::process
