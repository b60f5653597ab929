#include "supervisor/shell/preparation.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "supervisor/shell/disk/topology_reader.hpp"
#include "supervisor/shell/launch_checker.hpp"
#include "supervisor/shell/logs/target.hpp"
#include "supervisor/shell/process/account.hpp"

namespace corral::shell {
namespace {

using namespace core;

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
void prepare_events(const SupervisorSpec& spec, Prepared& prepared, LaunchChecker& checker, std::vector<Complaint>& complaints) {
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

std::expected<Preparation, std::vector<Complaint>> prepare(const SupervisorSpec& spec, const Plan* running, MachineNeed least,
                                                           std::optional<std::size_t> only) {
  std::vector<Complaint> complaints;
  LaunchChecker checker(complaints, only);
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

}  // namespace

std::expected<Preparation, std::vector<Complaint>> prepare(const SupervisorSpec& spec, const Plan* running, MachineNeed least) {
  return prepare(spec, running, least, std::nullopt);
}

std::expected<Preparation, std::vector<Complaint>> prepare_scaled(const SupervisorSpec& spec, const Plan& running,
                                                                  std::size_t program) {
  return prepare(spec, &running, MachineNeed::nothing, program);
}

}  // namespace corral::shell
