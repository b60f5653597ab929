// What a supervisor that was killed has left: found by CORRAL_SUPERVISOR in the environment, and by its cgroup.
// What has a living supervisor above it was left by nobody: see living_supervisor.hpp.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <ctime>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "supervisor/shell/process/cgroup.hpp"
#include "supervisor/shell/process/descendants.hpp"
#include "supervisor/shell/process/living_supervisor.hpp"
#include "supervisor/shell/process/setup.hpp"
#include "supervisor/shell/process/small_file.hpp"

namespace corral::process {
namespace {

/// Whether `pid` is what a dead supervisor has left: no ancestor of ours, and nobody that still has a supervisor above it.
bool is_left(pid_t pid, LivingSupervisors& living) { return !living.lineage().contains(pid) && living.above(pid) == 0; }

/// Every process with a life of `identity` in its environment whose supervisor is dead.
std::vector<pid_t> find_leftovers(std::string_view identity) {
  std::vector<pid_t> found;
  LivingSupervisors living(identity);
  for (const pid_t pid : all_processes()) {
    if (life_named(supervisor_variable(pid).value_or(""), identity) && is_left(pid, living)) {
      found.push_back(pid);
    }
  }
  return found;
}

std::vector<pid_t> members_of(const WorkersCgroup& cgroup) {
  std::vector<pid_t> pids;
  const std::string members = read_small_file("cgroup.procs", cgroup.fd()).value_or("");
  for (std::string_view rest = members; !rest.empty();) {
    pids.push_back(pid_in(rest));
    rest.remove_prefix(std::min(rest.size(), rest.find('\n') == std::string_view::npos ? rest.size() : rest.find('\n') + 1));
  }
  return pids;
}

/// All of it at once, unless a supervisor that lives has something in it too. True where there was something to kill.
bool kill_left_in(const WorkersCgroup& cgroup, std::string_view identity, std::set<pid_t>& seen) {
  if (!cgroup.populated()) {
    return false;
  }
  LivingSupervisors living(identity);
  const std::vector<pid_t> members = members_of(cgroup);
  // Those that were there before: who ended meanwhile has nobody above it either.
  const bool shared = std::ranges::any_of(members, [&](pid_t pid) { return living.above(pid) != 0; });
  bool any = !shared;
  for (const pid_t pid : members) {
    if (!shared) {
      seen.insert(pid);
    } else if (is_left(pid, living)) {
      any = true;
      seen.insert(pid);
      kill(pid, SIGKILL);
    }
  }
  if (!shared) {
    cgroup.kill();
  }
  return any;
}

}  // namespace

Cleared clear_leftovers(std::string_view identity, Duration patience) {
  static constexpr timespec step{0, 2'000'000};
  Cleared result;
  std::set<pid_t> seen;
  timespec start{};
  clock_gettime(CLOCK_MONOTONIC, &start);
  std::optional<WorkersCgroup> cgroup = WorkersCgroup::find(identity);
  for (;;) {
    const bool in_cgroup = cgroup && kill_left_in(*cgroup, identity, seen);
    const std::vector<pid_t> left = find_leftovers(identity);
    for (const pid_t pid : left) {
      seen.insert(pid);
      kill(pid, SIGKILL);
    }
    result.killed = static_cast<std::uint32_t>(seen.size());
    if (!in_cgroup && left.empty()) {
      if (cgroup) {
        cgroup->remove();
      }
      return result;
    }
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (std::chrono::seconds(now.tv_sec - start.tv_sec) + std::chrono::nanoseconds(now.tv_nsec - start.tv_nsec) > patience) {
      result.gone = false;
      return result;
    }
    nanosleep(&step, nullptr);
  }
}

}  // namespace corral::process
