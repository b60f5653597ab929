#include "supervisor/cli/scripts.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "common/base/suggest.hpp"

namespace corral::cli {
namespace {

/// "/usr/bin/python3.11" is python.
bool takes_a_script(std::string_view command) {
  command.remove_prefix(std::min(command.find_last_of('/') + 1, command.size()));
  const std::string_view name = command.substr(0, command.find_last_not_of("0123456789.") + 1);
  constexpr std::array<std::string_view, 4> interpreters{"python", "pypy", "perl", "ruby"};
  return std::ranges::find(interpreters, name) != interpreters.end();
}

/// What lies beside it and may have been meant.
std::string near_file(const std::filesystem::path& script) {
  std::vector<std::string> found;
  std::error_code ec;
  const std::filesystem::path folder = script.has_parent_path() ? script.parent_path() : ".";
  for (std::filesystem::directory_iterator entry(folder, ec), end; !ec && entry != end; entry.increment(ec)) {
    found.push_back(entry->path().filename().string());
  }
  const std::vector<std::string_view> candidates(found.begin(), found.end());
  return std::string(nearest(script.filename().string(), candidates));
}

/// A sentence, or nothing. `named` is how the configuration has it.
std::string meant_beside(const std::filesystem::path& path, const std::filesystem::path& named) {
  const std::string near = near_file(path);
  return near.empty() ? "" : fmt::format("did you mean \"{}\"?", (named.parent_path() / near).string());
}

bool is_to_be_filled_in(std::string_view text) { return text.find('{') != std::string_view::npos; }

}  // namespace

std::vector<shell::Complaint> missing_scripts(const core::SupervisorSpec& spec) {
  std::vector<shell::Complaint> complaints;
  for (std::size_t i = 0; i < spec.programs.size(); ++i) {
    const core::LaunchSpec& launch = spec.programs[i].launch;
    if (launch.command.size() < 2 || !takes_a_script(launch.command.front())) {
      continue;
    }
    const std::string& script = launch.command[1];
    if (script.empty() || script.starts_with('-') || is_to_be_filled_in(script) || is_to_be_filled_in(launch.directory)) {
      continue;
    }
    const std::filesystem::path path = std::filesystem::path(launch.directory) / script;
    if (::access(path.c_str(), F_OK) == 0 || errno != ENOENT) {
      continue;  // What it may not be read by is not known here.
    }
    complaints.push_back({i, "command/1",
                          fmt::format("there is no file '{}' for {} to run", path.string(), launch.command.front()),
                          meant_beside(path, script)});
  }
  return complaints;
}

std::vector<shell::Complaint> missing_tasks(const core::SupervisorSpec& spec) {
  std::vector<shell::Complaint> complaints;
  for (std::size_t i = 0; i < spec.programs.size(); ++i) {
    const std::string from = spec.programs[i].tasks ? spec.programs[i].tasks->from : "";
    if (from.empty() || ::access(from.c_str(), R_OK) == 0) {
      continue;
    }
    const int error = errno;
    complaints.push_back({i, "tasks/from",
                          fmt::format("cannot read tasks from '{}': {}", from, std::generic_category().message(error)),
                          error == ENOENT ? meant_beside(from, from) : ""});
  }
  return complaints;
}

std::vector<shell::Complaint> shared_files(const core::SupervisorSpec& spec) {
  std::vector<shell::Complaint> complaints;
  std::map<std::filesystem::path, std::string> written;  // And by whom.
  const auto place_of = [](const std::string& file) {
    std::error_code ec;
    const std::filesystem::path place = std::filesystem::weakly_canonical(file, ec);
    const bool is_file = !ec && (std::filesystem::is_regular_file(place, ec) || !std::filesystem::exists(place, ec));
    return is_file ? place : std::filesystem::path();  // Devices and pipes are for as many as like.
  };
  for (std::size_t i = 0; i < spec.programs.size(); ++i) {
    if (!spec.programs[i].tasks) {
      continue;
    }
    const core::TasksSpec& tasks = *spec.programs[i].tasks;
    const auto from = place_of(tasks.from);
    for (const auto& [key, file] :
         {std::pair("to", &tasks.to), std::pair("state", &tasks.state), std::pair("quarantine", &tasks.quarantine),
          std::pair("timeline", &tasks.timeline), std::pair("trace", &tasks.trace)}) {
      const auto place = file->empty() ? std::filesystem::path() : place_of(*file);
      if (place.empty()) {
        continue;
      }
      const std::string user = fmt::format("\"{}\" of {}", key, spec.programs[i].name);
      const auto [other, is_new] = written.emplace(place, user);
      if (!is_new || place == from) {
        complaints.push_back({i,
                              fmt::format("tasks/{}", key),
                              fmt::format("'{}' is {} too: one would write over the other", *file,
                                          is_new ? fmt::format("\"from\" of {}", spec.programs[i].name) : other->second),
                              {}});
      }
    }
  }
  return complaints;
}

}  // namespace corral::cli
