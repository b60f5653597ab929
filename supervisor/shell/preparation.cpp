#include "supervisor/shell/preparation.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "common/base/suggest.hpp"
#include "supervisor/shell/disk/topology_reader.hpp"
#include "supervisor/shell/logs/target.hpp"
#include "supervisor/shell/process/account.hpp"
#include "supervisor/shell/process/command_path.hpp"

namespace corral::shell {
namespace {

using namespace core;

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

class Checker {
 public:
  explicit Checker(std::vector<Complaint>& complaints) : complaints_(complaints) {}

  void check(std::size_t program, const LaunchSpec& launch) {
    program_ = program;
    check_directory(launch);
    check_command(launch);
  }

 private:
  void complain(std::string key, std::string message, std::string suggestion = {}) {
    complaints_.push_back({program_, std::move(key), std::move(message), std::move(suggestion)});
  }

  void check_directory(const LaunchSpec& launch) {
    const std::string& path = launch.directory;
    if (path.empty() || has_placeholder(path) || is_folder(path)) {
      return;
    }
    const bool exists = ::access(path.c_str(), F_OK) == 0;
    complain("directory", fmt::format("there is no directory '{}'{}", path, exists ? ": it is something else" : ""),
             "create it, or correct the path");
  }

  void check_command(const LaunchSpec& launch) {
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

  void check_file(const LaunchSpec& launch, const std::string& command) {
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

  std::vector<Complaint>& complaints_;
  std::size_t program_ = 0;
};

/// Two that put one file aside for each other would lose lines.
void check_logs(const SupervisorSpec& spec, std::vector<Complaint>& complaints) {
  std::map<std::string, std::string> owners;
  for (std::size_t i = 0; i < spec.programs.size(); ++i) {
    const ProgramSpec& program = spec.programs[i];
    for (const bool err : {false, true}) {
      if (program.log.to != LogTo::file || (err && program.log.merges())) {
        continue;
      }
      const auto [owner, fresh] = owners.emplace(logs::path_for(program.log, program.name, 0, err), program.name);
      if (!fresh) {
        complaints.push_back({i, "log/file", fmt::format("'{}' writes to '{}' already", owner->second, owner->first),
                              "give each program a file of its own: \"logs/{program}-{index}.log\""});
      }
    }
  }
}

const PlannedProgram* same_program(const Plan* running, const ProgramSpec& spec) {
  if (running == nullptr) {
    return nullptr;
  }
  const auto found = std::ranges::find_if(running->programs, [&](const PlannedProgram& planned) {
    return planned.spec.name == spec.name && planned.spec.launch.cores == spec.launch.cores;
  });
  return found == running->programs.end() ? nullptr : &*found;
}

std::expected<PlacementPlan, std::vector<Complaint>> place(const SupervisorSpec& spec, const Plan* running, MachineNeed least,
                                                           Machine& machine) {
  std::vector<PlacementRequest> requests;
  for (const ProgramSpec& program : spec.programs) {
    PlacementRequest& request = requests.emplace_back(program.launch.workers, program.launch.cores);
    if (const PlannedProgram* now = same_program(running, program)) {
      request.running = now->placements;
    }
  }
  Result<Machine> read = disk::read_machine(std::max(least, needed_of_machine(requests)));
  if (!read) {
    return std::unexpected(std::vector<Complaint>{{0, "workers", read.error().message, {}}});
  }
  machine = std::move(*read);
  auto plan = plan_placement(machine, requests);
  if (!plan) {
    std::vector<Complaint> complaints;
    for (const PlacementError& error : plan.error()) {
      complaints.push_back({error.program, "cores", error.sentence, {}});
    }
    return std::unexpected(std::move(complaints));
  }
  return std::move(*plan);
}

/// What the numeric libraries of an unpinned worker are told, so that N of them do not start N×N threads.
std::uint32_t threads_for(const Machine& machine, const core::WorkerCount& asked, std::size_t workers) {
  const auto* const count = std::get_if<std::uint32_t>(&asked);
  if ((count != nullptr && *count == 1) || machine.allowed.empty()) {
    return 0;  // One worker by itself has all that there is; it is not looked up for that, whatever other programs need.
  }
  return std::max(1U, usable_cpus(machine.allowed.size(), machine.quota) / static_cast<std::uint32_t>(workers));
}

/// Two pipes a worker, for what it writes: where so many cannot be had, none of them is begun with. What a few lack is found
/// soon.
void check_descriptors(const SupervisorSpec& spec, const PlacementPlan& plan, std::vector<Complaint>& complaints) {
  static constexpr std::size_t pipes_of_one = 2;
  static constexpr std::size_t a_few = 64;
  std::size_t needed = 0;
  std::size_t largest = 0;
  std::size_t most = 0;
  for (std::size_t i = 0; i < spec.programs.size(); ++i) {
    const std::size_t pipes = spec.programs[i].log.to == LogTo::nothing ? 0 : pipes_of_one * plan.programs[i].workers.size();
    needed += pipes;
    largest = pipes > most ? i : largest;
    most = std::max(most, pipes);
  }
  rlimit files{};
  if (needed > a_few && ::getrlimit(RLIMIT_NOFILE, &files) == 0 && needed > files.rlim_max) {
    complaints.push_back(
        {largest, "workers",
         fmt::format("so many workers need {} open files for what they write, and this process may have {}", needed,
                     files.rlim_max),
         R"(a higher limit (ulimit -Hn, systemd's LimitNOFILE, docker's --ulimit nofile), or "log": {"to": null})"});
  }
}

/// The command of on_event is launched as a worker would be, as one that nothing is configured of but the command.
void prepare_events(const SupervisorSpec& spec, Prepared& prepared, Checker& checker, std::vector<Complaint>& complaints) {
  prepared.crashes = spec.crashes;
  prepared.rollback = spec.reload.rollback;
  prepared.on_event = spec.on_event;
  if (!spec.on_event) {
    return;
  }
  ProgramSpec hook;
  hook.name = "on_event";
  hook.launch.command = spec.on_event->command;
  const std::size_t before = complaints.size();
  checker.check(Complaint::no_program, hook.launch);
  for (std::size_t i = before; i < complaints.size(); ++i) {
    complaints[i].key.insert(0, "on_event/");
  }
  if (auto launch = process::LaunchTemplate::prepare(hook, 1, environ)) {
    prepared.on_event_launch = std::make_shared<const process::LaunchTemplate>(std::move(*launch));
  } else {
    complaints.push_back({Complaint::no_program, "on_event/command", launch.error().message, {}});
  }
}

}  // namespace

std::expected<Preparation, std::vector<Complaint>> prepare(const SupervisorSpec& spec, const Plan* running, MachineNeed least) {
  std::vector<Complaint> complaints;
  Checker checker(complaints);
  for (std::size_t i = 0; i < spec.programs.size(); ++i) {
    checker.check(i, spec.programs[i].launch);
  }
  check_logs(spec, complaints);
  Machine machine;
  auto placement = place(spec, running, least, machine);
  if (!placement) {
    complaints.insert(complaints.end(), placement.error().begin(), placement.error().end());
  } else if (!spec.programs.empty()) {
    check_descriptors(spec, *placement, complaints);
  }
  Preparation result;
  result.prepared.plan.stay = spec.stay;
  for (std::size_t i = 0; i < spec.programs.size(); ++i) {
    const ProgramSpec& program = spec.programs[i];
    const std::size_t workers = placement ? placement->programs[i].workers.size() : 1;
    auto launch = process::LaunchTemplate::prepare(program, static_cast<std::uint32_t>(workers), environ);
    if (!launch) {
      complaints.push_back({i, program.launch.user.empty() ? "group" : "user", launch.error().message, {}});
    } else if (placement) {
      result.prepared.plan.programs.push_back({{}, program, placement->programs[i].workers});
      result.prepared.programs.push_back({std::make_shared<const process::LaunchTemplate>(std::move(*launch)),
                                          threads_for(machine, program.launch.workers, workers)});
    }
  }
  prepare_events(spec, result.prepared, checker, complaints);
  if (!complaints.empty()) {
    std::ranges::sort(complaints, {}, [](const Complaint& one) { return std::pair(one.program, one.key); });
    return std::unexpected(std::move(complaints));
  }
  result.placement = std::move(*placement);
  for (std::size_t i = 0; i < spec.programs.size(); ++i) {
    const ProgramPlacement& placed = result.placement.programs[i];
    if (placed.reason == PlacementReason::quota_below_mask || placed.reason == PlacementReason::pinned_blindly) {
      result.prepared.notes.push_back(spec.programs[i].name + ": " + placed.sentence);
    }
  }
  return result;
}

}  // namespace corral::shell
