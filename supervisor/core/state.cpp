#include "supervisor/core/state.hpp"

namespace corral::core {

std::string_view name(StateKind state) {
  switch (state) {
    case StateKind::stopped: return "stopped";
    case StateKind::waiting: return "waiting";
    case StateKind::starting: return "starting";
    case StateKind::running: return "running";
    case StateKind::stopping: return "stopping";
    case StateKind::killing: return "killing";
    case StateKind::draining: return "draining";
    case StateKind::backoff: return "backoff";
    case StateKind::exited: return "exited";
    case StateKind::failed: return "failed";
  }
  return "unknown";
}

std::string_view sentence(StateKind state) {
  switch (state) {
    case StateKind::stopped: return "Not running, and nothing is due.";
    case StateKind::waiting: return "Wanted, and in the queue of launches: its turn has not come.";
    case StateKind::starting: return "A process was asked for; the worker's own program is not yet executing.";
    case StateKind::running: return "The worker's program executes.";
    case StateKind::stopping: return "The stop signal was sent to the group; it has until `kill_at` to clean up.";
    case StateKind::killing: return "SIGKILL was sent to the group; what outlives `give_up_at` cannot be killed.";
    case StateKind::draining: return "The process is gone; its last output and its descendants are waited for.";
    case StateKind::backoff: return "The next launch is put off until `until`.";
    case StateKind::exited: return "Finished; no restart is due.";
    case StateKind::failed: return "Given up, for the reason it carries.";
  }
  return "";
}

std::optional<Instant> deadline_of(const State& state, bool output_open) {
  switch (kind(state)) {
    case StateKind::starting: return std::get<Starting>(state).ready_by;
    case StateKind::stopping: return std::get<Stopping>(state).kill_at;
    case StateKind::killing: return std::get<Killing>(state).give_up_at;
    case StateKind::backoff: return std::get<Backoff>(state).until;
    case StateKind::draining: {
      const Draining& draining = std::get<Draining>(state);
      const Instant sweep = draining.swept ? never : std::min(draining.sweep_again, draining.give_up_at);
      return std::min(sweep, output_open && draining.may_wait_for_output() ? draining.drain_by : never);
    }
    case StateKind::stopped:
    case StateKind::waiting:
    case StateKind::running:
    case StateKind::exited:
    case StateKind::failed: return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace corral::core
