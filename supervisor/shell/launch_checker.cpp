#include "supervisor/shell/launch_checker.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>

#include "common/base/suggest.hpp"
#include "supervisor/shell/process/command_path.hpp"

namespace corral::shell {

using core::LaunchSpec;

namespace {

bool has_placeholder(std::string_view text) {
  return std::ranges::any_of(std::initializer_list<std::string_view>{"{index}", "{workers}", "{program}", "{cores}"},
                             [&](std::string_view name) { return text.find(name) != std::string_view::npos; });
}

/// The PATH that a worker of `launch` will have.
std::string search_path(const LaunchSpec& launch) {
  const auto own = std::ranges::find(launch.environment, "PATH", &std::pair<std::string, std::string>::first);
  if (own != launch.environment.end()) {
    return own->second;
  }
  const auto* names = std::get_if<std::vector<std::string>>(&launch.inherit_environment);
  const bool inherited = names == nullptr || std::ranges::count(*names, "PATH") > 0;
  const char* value = inherited ? std::getenv("PATH") : nullptr;  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? process::standard_search_path : value;
}

/// The command of PATH that `name` is most likely meant to be.
std::string near_command(const std::string& name, const std::string& path) {
  std::vector<std::string> found;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    const std::string folder = path.substr(begin, end - begin);
    begin = end + 1;
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(folder.c_str()), ::closedir);
    while (const dirent* entry = entries ? ::readdir(entries.get()) : nullptr) {  // NOLINT(concurrency-mt-unsafe)
      found.emplace_back(entry->d_name);
    }
  }
  const std::vector<std::string_view> candidates(found.begin(), found.end());
  return std::string(nearest(name, candidates));
}

/// "in PATH (/usr/bin:/bin)", or how many folders that are where they are too many to read.
std::string where_looked(const std::string& path) {
  constexpr std::size_t most = 100;
  if (path.size() <= most) {
    return "in PATH (" + path + ")";
  }
  return fmt::format("in any of the {} folders of PATH", 1 + std::ranges::count(path, ':'));
}

bool is_folder(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

}  // namespace

void LaunchChecker::check(std::size_t program, const LaunchSpec& launch) {
  if (only_ && *only_ != program) {
    return;
  }
  program_ = program;
  check_directory(launch);
  check_command(launch);
}

void LaunchChecker::complain(std::string key, std::string message, std::string suggestion) {
  complaints_.push_back({program_, std::move(key), std::move(message), std::move(suggestion)});
}

void LaunchChecker::check_directory(const LaunchSpec& launch) {
  const std::string& path = launch.directory;
  if (path.empty() || has_placeholder(path) || is_folder(path)) {
    return;
  }
  const bool exists = ::access(path.c_str(), F_OK) == 0;
  complain("directory", fmt::format("there is no directory '{}'{}", path, exists ? ": it is something else" : ""),
           "create it, or correct the path");
}

void LaunchChecker::check_command(const LaunchSpec& launch) {
  const std::string& command = launch.command.front();
  if (has_placeholder(command)) {
    return;
  }
  if (command.find('/') != std::string::npos) {
    check_file(launch, command);
    return;
  }
  const std::string path = search_path(launch);
  if (process::find_command(command, path).empty()) {
    const std::string near = near_command(command, path);
    complain("command/0", fmt::format("there is no command '{}' {}", command, where_looked(path)),
             near.empty() ? std::string() : fmt::format("did you mean \"{}\"?", near));
  }
}

void LaunchChecker::check_file(const LaunchSpec& launch, const std::string& command) {
  if (command.front() != '/' && has_placeholder(launch.directory)) {
    return;
  }
  const std::string path = command.front() == '/' || launch.directory.empty() ? command : launch.directory + "/" + command;
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    complain("command/0", system_error(fmt::format("cannot execute '{}'", path), errno).message);
  } else if (S_ISDIR(status.st_mode)) {
    complain("command/0", fmt::format("'{}' is a directory, not a program", path));
  } else if ((status.st_mode & 0111U) == 0) {
    complain("command/0", fmt::format("'{}' is not executable", path), fmt::format("chmod +x '{}'", path));
  }
}

}  // namespace corral::shell
