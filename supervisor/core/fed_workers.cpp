// Workers that are given tasks: what the dispatcher has found about them.
#include "supervisor/core/supervisor.hpp"

namespace corral::core {

void Supervisor::on(const WorkerJudged& event) {
  Worker* worker = find(event.life);
  if (worker == nullptr || worker->occupied) {
    return;  // A past life, or one that was given up: whoever judges it has not heard yet.
  }
  switch (event.as) {
    case WorkerJudged::As::proven:
      worker->proven = program_of(event.life.worker.program).proven = true;
      commands_moved_ = commands_moved_ || worker->watched;
      return;
    case WorkerJudged::As::outdated: worker->outdated = true; break;
    case WorkerJudged::As::failing: break;
    case WorkerJudged::As::dismissed: worker->wanted_up = false; return;
    case WorkerJudged::As::unwanted: worker->wanted_up = false; break;
  }
  if (has_process(kind(worker->state))) {
    apply(event.life.worker, Happening::stop_wanted);
  }
}

void Supervisor::on(const WorkerCalled& event) {
  Worker* worker = find(event.worker);
  if (worker == nullptr || phase_ != Phase::running) {
    return;
  }
  if (worker->occupied) {
    return act(CloseSlot{event.worker});
  }
  worker->wanted_up = true;
  worker->start_why = StartWhy::needed;
  apply(event.worker, Happening::start_wanted);
}

void Supervisor::on(const TasksHalted&) {
  if (phase_ == Phase::running) {
    begin_shutdown({StopCause::Kind::tasks_failed, 0});
  }
}

void Supervisor::on(const TasksEnded&) {
  tasks_ended_ = true;
  for_each_worker([&](WorkerId id, Worker& worker) {
    worker.wanted_up = false;
    if (!has_process(kind(worker.state))) {
      apply(id, Happening::stop_wanted);
    }
  });
}

}  // namespace corral::core
