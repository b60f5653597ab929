// The end of a supervisor that cannot go on: memory ran out in the middle of something, so nothing that is known is relied upon.
#include <sys/wait.h>

#include <csignal>
#include <ctime>

#include "supervisor/shell/process/processes_state.hpp"

namespace corral::process {
namespace {

constexpr int looks = 200;
constexpr timespec pause{0, 5'000'000};

}  // namespace

/// All that is our child, generation after generation: whoever loses its parent becomes one.
void Processes::leave_nobody() noexcept {
  State& s = *state_;
  for (int look = 0; look < looks; ++look) {
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    try {
      bool anybody = s.cgroup && s.cgroup->populated() && s.cgroup->kill();
      for (const pid_t pid : s.descendants.children(true).value_or(std::vector<pid_t>{})) {
        if (!s.strangers.contains(pid)) {
          anybody = true;
          kill(-pid, SIGKILL);
          kill(pid, SIGKILL);
        }
      }
      if (!anybody) {
        return;
      }
    } catch (...) {  // NOLINT(bugprone-empty-catch): what there is no memory for now there may be in a moment.
    }
    nanosleep(&pause, nullptr);
  }
}

}  // namespace corral::process
