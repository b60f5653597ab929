#include "supervisor/shell/process/instances.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <charconv>
#include <memory>

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

/// Of a lock that somebody holds: one that nobody does is what a killed supervisor has left.
std::optional<Instance> instance_in(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file || ::flock(file.get(), LOCK_SH | LOCK_NB) == 0) {
    return std::nullopt;
  }
  const std::string text = read_small_file(path.c_str()).value_or("");
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
  const std::string folder = runtime_directory();
  const std::unique_ptr<DIR, CloseDirectory> directory(opendir(folder.c_str()));
  while (const dirent* entry = directory ? readdir(directory.get()) : nullptr) {
    if (std::string_view(entry->d_name).ends_with(suffix)) {
      if (auto instance = instance_in(folder + "/" + entry->d_name)) {
        instances.push_back(std::move(*instance));
      }
    }
  }
  std::ranges::sort(instances, {}, &Instance::config);
  return instances;
}

std::optional<Instance> running_instance(std::string_view identity) {
  return instance_in(fmt::format("{}/{}{}", runtime_directory(), identity, suffix));
}

}  // namespace corral::process
