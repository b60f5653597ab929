#include "supervisor/core/plan_changes.hpp"

#include <algorithm>
#include <map>
#include <string_view>

namespace corral::core {
namespace {

/// Which parts of a launch differ, by the names of their keys.
std::string difference(const PlannedProgram& before, const PlannedProgram& next) {
  const LaunchSpec& one = before.spec.launch;
  const LaunchSpec& other = next.spec.launch;
  std::string names;
  const auto compare = [&](std::string_view name, bool same) {
    if (!same) {
      names.append(names.empty() ? "" : ", ").append(name);
    }
  };
  compare("command", one.command == other.command);
  compare("workers", one.workers == other.workers && before.workers() == next.workers());
  compare("cores", one.cores == other.cores);
  compare("environment", one.environment == other.environment);
  compare("inherit_environment", one.inherit_environment == other.inherit_environment);
  compare("directory", one.directory == other.directory);
  compare("user", one.user == other.user);
  compare("group", one.group == other.group);
  compare("limits", one.limits == other.limits);
  compare("nice", one.nice == other.nice);
  compare("umask", one.umask == other.umask);
  compare("oom_score_adj", one.oom_score_adj == other.oom_score_adj);
  compare("no_new_privileges", one.no_new_privileges == other.no_new_privileges);
  compare("log.to", (before.spec.log.to == LogTo::nothing) == (next.spec.log.to == LogTo::nothing));
  return names.empty() ? "its cores are others" : "changed: " + names;
}

const PlannedProgram* find(const Plan& plan, std::string_view name) {
  const auto found = std::ranges::find(plan.programs, name, [](const PlannedProgram& planned) { return planned.spec.name; });
  return found == plan.programs.end() ? nullptr : &*found;
}

bool same_policy(const ProgramSpec& one, const ProgramSpec& other) {
  ProgramSpec launched_alike = one;
  launched_alike.launch = other.launch;
  return launched_alike == other;
}

void append(std::vector<WorkerChange>& list, const PlannedProgram& program, std::uint32_t from, std::uint32_t until,
            WorkerChange::Kind kind, const std::string& why) {
  for (std::uint32_t index = from; index < until; ++index) {
    list.push_back({program.spec.name + "/" + std::to_string(index), kind, why});
  }
}

void compare(std::vector<WorkerChange>& list, const PlannedProgram& before, const PlannedProgram& next) {
  using enum WorkerChange::Kind;
  if (same_launch(before, next)) {
    const bool same = same_policy(before.spec, next.spec);
    return append(list, next, 0, next.workers(), keep, same ? "nothing changed" : "only its policy changed");
  }
  const std::string why = difference(before, next);
  const std::uint32_t both = std::min(before.workers(), next.workers());
  append(list, next, 0, both, restart, why);
  append(list, next, both, next.workers(), start, "there are more workers now");
  append(list, before, both, before.workers(), stop, "there are fewer workers now");
}

}  // namespace

std::string_view name(WorkerChange::Kind kind) {
  switch (kind) {
    case WorkerChange::Kind::keep: return "keep";
    case WorkerChange::Kind::restart: return "restart";
    case WorkerChange::Kind::start: return "start";
    case WorkerChange::Kind::stop: return "stop";
  }
  return "?";
}

std::vector<WorkerChange> changes(const Plan& in_force, const Plan& next) {
  std::vector<WorkerChange> list;
  for (const PlannedProgram& program : next.programs) {
    if (const PlannedProgram* before = find(in_force, program.spec.name)) {
      compare(list, *before, program);
    } else {
      append(list, program, 0, program.workers(), WorkerChange::Kind::start, "the program is new");
    }
  }
  for (const PlannedProgram& program : in_force.programs) {
    if (find(next, program.spec.name) == nullptr) {
      append(list, program, 0, program.workers(), WorkerChange::Kind::stop, "the program has left the configuration");
    }
  }
  return list;
}

void heed_states(std::vector<WorkerChange>& changes, const Snapshot& seen) {
  std::map<std::string, bool> held;  // Of those that have no process, and those that are to have none.
  for (const ProgramSnapshot& program : seen.programs) {
    for (const WorkerSnapshot& worker : program.workers) {
      if (worker.held || !has_process(kind(worker.state))) {
        held.emplace(program.name + "/" + std::to_string(worker.index), worker.held);
      }
    }
  }
  for (WorkerChange& change : changes) {
    const auto found = held.find(change.worker);
    if (found == held.end()) {
      continue;
    }
    if (change.kind == WorkerChange::Kind::restart) {
      change.kind = found->second ? WorkerChange::Kind::keep : WorkerChange::Kind::start;
      change.why += found->second ? "; a command has stopped it, and it stays down" : "; it does not run";
    } else if (change.kind == WorkerChange::Kind::stop) {
      change.why += "; it does not run";
    }
  }
}

}  // namespace corral::core
