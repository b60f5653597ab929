// One worker as it is seen from outside.
#include <algorithm>

#include "supervisor/core/supervisor.hpp"

namespace corral::core {

std::optional<WorkerView> Supervisor::view(WorkerId id, Instant now) const {
  if (number(id.program) >= programs_.size() || id.index >= programs_[number(id.program)].workers.size()) {
    return std::nullopt;
  }
  const Program& program = programs_[number(id.program)];
  const Worker& worker = program.workers[id.index];
  WorkerView view;
  const bool alive = has_process(kind(worker.state)) || worker.occupied;
  view.worker.index = id.index;
  view.worker.state = worker.state;
  view.worker.incarnation = worker.incarnation;
  view.worker.pid = alive ? worker.pid : 0;
  view.worker.restarts = worker.restarts;
  view.worker.unhealthy_in_a_row = worker.unhealthy;
  view.worker.wanted_up = worker.wanted_up;
  view.worker.held = worker.held;
  view.worker.due = worker.due;
  view.id = id;
  view.spec = &program.plan.spec;
  view.program_failed = program.failed;
  view.stop_why = why_stopped(program, worker);
  view.outdated = worker.outdated;
  view.in_line = std::ranges::any_of(
      commands_, [id](const PendingCommand& command) { return command.rolling && std::ranges::count(command.queued, id) > 0; });
  view.on_trial = is_on_trial(id);
  if (const auto& limit = program.plan.spec.restart.limit) {
    const ExitWindow::Use use = program.window.use(now, *limit);
    view.unhealthy_exits = use.exits;
    view.window_ends = use.forgets_at;
  }
  view.phase = phase_;
  view.now = now;
  return view;
}

}  // namespace corral::core
