// What a supervisor that was killed has left: found by CORRAL_SUPERVISOR in the environment, and by its cgroup.
#include <dirent.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <ctime>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "supervisor/shell/process/cgroup.hpp"
#include "supervisor/shell/process/descendants.hpp"
#include "supervisor/shell/process/setup.hpp"
#include "supervisor/shell/process/small_file.hpp"

namespace corral::process {
namespace {

/// We and those that we come from: a supervisor started inside an old worker must not kill itself.
std::set<pid_t> lineage() {
  std::set<pid_t> pids{getpid()};
  for (pid_t pid = getppid(); pid > 1 && pids.insert(pid).second;) {
    const std::string stat = read_small_file(fmt::format("/proc/{}/stat", pid).c_str()).value_or("");
    const std::size_t name_end = stat.rfind(')');
    pid = name_end == std::string::npos ? 0 : pid_in(std::string_view(stat).substr(std::min(stat.size(), name_end + 4)));
  }
  return pids;
}

/// Every process with a life of `identity` in its environment.
std::vector<pid_t> find_leftovers(std::string_view identity) {
  struct CloseDirectory {
    void operator()(DIR* directory) const { closedir(directory); }
  };
  std::vector<pid_t> found;
  const std::set<pid_t> ours = lineage();
  const std::unique_ptr<DIR, CloseDirectory> proc(opendir("/proc"));
  while (const dirent* entry = proc ? readdir(proc.get()) : nullptr) {
    const pid_t pid = pid_in(entry->d_name);
    if (pid > 1 && !ours.contains(pid) && life_named(supervisor_variable(pid).value_or(""), identity)) {
      found.push_back(pid);
    }
  }
  return found;
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
    const bool in_cgroup = cgroup && cgroup->populated();
    if (in_cgroup) {
      const std::string members = read_small_file("cgroup.procs", cgroup->fd()).value_or("");
      for (std::string_view rest = members; !rest.empty();) {
        seen.insert(pid_in(rest));
        rest.remove_prefix(std::min(rest.size(), rest.find('\n') == std::string_view::npos ? rest.size() : rest.find('\n') + 1));
      }
      cgroup->kill();
    }
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
