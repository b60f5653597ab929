// One process for each task: a worker is called for each of its lives.
#include <algorithm>
#include <utility>

#include "common/base/check.hpp"
#include "supervisor/core/tasks/dispatcher.hpp"

namespace corral::core {

/// What was tried before goes first, when its time has come.
void Dispatcher::call(Lane& lane) {
  std::deque<TaskSlot>& queue = !suspects_.empty() && task_in(suspects_.front()).not_before <= now_ ? suspects_ : ready_;
  const TaskSlot slot = queue.front();
  queue.pop_front();
  lane.state = Called{slot};
  --counts_.queued;
  ++counts_.in_work;
  act(CallWorker{lane.worker, slot, task_in(slot).id});
}

void Dispatcher::begin_called(Lane& lane) {
  const auto* called = std::get_if<Called>(&lane.state);
  if (called == nullptr) {
    lane.state = Condemned{};  // Its task was left meanwhile.
    return act(StopWorker{lane.life()});
  }
  const TaskSlot slot = called->slot;
  lane.state = Serving{{slot}, now_, now_};
  std::get<Serving>(lane.state).untouched = false;
  proven_ = true;
  vouch(lane);
  if (timeout_) {
    wake_at(after(now_, *timeout_));
  }
}

/// Its process is its answer: a status of 0 is a result, another one an error, and a death by signal no answer at all.
void Dispatcher::end_called(Lane& lane, TaskSlot slot, Duration duration, const WorkerLost& death) {
  const ExitedWith* exited = death.status.exited();
  if (exited == nullptr) {
    return blame(lane, slot, Mishap::died, duration, &death);
  }
  ++counts_.in_work;
  settle_answer(lane, slot, exited->code == 0 ? Answer::result : Answer::error, duration, &death);
}

/// They were called and have not come: nothing of them has begun.
void Dispatcher::leave_called() {
  for (Lane& lane : lanes_) {
    if (const auto* called = std::get_if<Called>(&lane.state)) {
      --counts_.in_work;
      ++counts_.queued;
      leave(called->slot);
      lane.state = Idle{};
    }
  }
}

}  // namespace corral::core
