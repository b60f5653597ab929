// What commands do to one worker: up, down, and kept there.
#include "supervisor/core/supervisor.hpp"

namespace corral::core {

/// `anew`: a process that runs already is replaced.
void Supervisor::bring_up(WorkerId id, Worker& worker, bool anew) {
  if (worker.retired || program_of(id.program).retired) {
    return;  // It leaves: who asks for it is told that it was overtaken.
  }
  let_go(worker);
  worker.in_a_roll = false;
  worker.wanted_up = true;
  switch (kind(worker.state)) {
    case StateKind::starting:
    case StateKind::running:
      if (anew) {
        worker.outdated = worker.told_again = true;
        apply(id, Happening::stop_wanted);
      }
      return;
    case StateKind::stopping:
    case StateKind::killing:
    case StateKind::draining:
      worker.outdated = worker.told_again = true;  // Its next life begins at once, whatever the policy makes of this end.
      return;
    case StateKind::waiting:
    case StateKind::backoff:
      worker.unhealthy = 0;
      apply(id, Happening::stop_wanted);
      break;
    case StateKind::stopped:
    case StateKind::exited:
    case StateKind::failed: worker.unhealthy = 0; break;
  }
  worker.start_why = anew ? StartWhy::restarted : StartWhy::asked;
  apply(id, Happening::start_wanted);
}

void Supervisor::hold_down(WorkerId id, Worker& worker) {
  if (!worker.retired) {
    set_held(worker, true);
  }
  worker.wanted_up = false;
  apply(id, Happening::stop_wanted);
}

void Supervisor::let_go(Worker& worker) { set_held(worker, false); }

void Supervisor::set_held(Worker& worker, bool held) {
  const bool was_kept = is_kept_down(worker);
  worker.held = held;
  count_kept_down(was_kept, worker);
}

/// Held, and not at an end of its own: the supervisor waits for somebody to want it again.
bool Supervisor::is_kept_down(const Worker& worker) {
  const StateKind now = kind(worker.state);
  return worker.held && now != StateKind::exited && now != StateKind::failed;
}

void Supervisor::count_kept_down(bool was_kept, const Worker& worker) {
  const bool is_kept = is_kept_down(worker);
  kept_down_ += is_kept == was_kept ? 0U : is_kept ? 1U : -1U;
}

/// Who is started by hand begins anew: what made the program fail is forgotten.
void Supervisor::forgive(ProgramId id) {
  Program& program = program_of(id);
  if (program.failed) {
    program.failed = false;
    program.window.clear();
  }
}

}  // namespace corral::core
