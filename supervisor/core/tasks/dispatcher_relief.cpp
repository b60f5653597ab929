// A worker that is about to go has its successor called into its other slot, so that its core does not wait for a start. See
// docs/decisions/0016-handover.md.
#include <algorithm>
#include <utility>

#include "supervisor/core/tasks/dispatcher.hpp"

namespace corral::core {

/// Null where workers are not relieved.
Lane* Dispatcher::other_slot(const Lane& lane) {
  if (lanes_.size() == workers_) {
    return nullptr;
  }
  return &lanes_[lane.worker.index < workers_ ? lane.worker.index + workers_ : lane.worker.index - workers_];
}

/// A process in the other slot takes its place, now or when it has come.
bool Dispatcher::is_followed(const Lane& lane) {
  const Lane* other = other_slot(lane);
  return other != nullptr && other->wanted && !std::holds_alternative<Closed>(other->state);
}

/// Where nothing is left to be done nobody is started for it, unless the worker goes now and others may still come to grief.
void Dispatcher::call_successor(Lane& lane, bool in_any_case) {
  Lane* other = other_slot(lane);
  const bool over = input_ended_ && (in_any_case ? counts_.queued + counts_.in_work == 0 : ready_.empty() && suspects_.empty());
  if (other == nullptr || over || draining_ || ended_ || other->wanted || std::holds_alternative<Closed>(other->state)) {
    return;
  }
  other->wanted = true;
  other->called_at = now_;
  act(CallRelief{other->worker});
}

/// As many tasks before its last one as a start takes.
void Dispatcher::call_in_time(Lane& lane, const Serving& serving) {
  if (!policy_.max_tasks) {
    return;
  }
  const std::uint64_t most = most_tasks(lane);
  const double ahead = mean_ < 0 ? 0 : static_cast<double>(start_.count()) / std::max(mean_, 1.0);
  if (static_cast<double>(most - std::min(most, serving.given)) <= ahead) {
    call_successor(lane, false);
  }
}

/// True where the one that it follows is still there: that one gives way as soon as it can.
bool Dispatcher::stand_by(Lane& lane) {
  Lane* other = other_slot(lane);
  if (other == nullptr || !other->on_duty()) {
    return false;
  }
  lane.state = Warm{};
  if (other->worn && !other->spent && std::holds_alternative<Serving>(other->state)) {
    exhaust(*other);
  }
  return true;
}

/// Who waits for one that is given nothing any more waits no longer. Once what that one had is where it belongs.
void Dispatcher::hand_over() {
  if (!std::exchange(duty_over_, false) || lanes_.size() == workers_) {
    return;
  }
  for (Lane& lane : lanes_) {
    if (std::holds_alternative<Warm>(lane.state) && !other_slot(lane)->on_duty()) {
      begin_serving(lane);
    }
  }
}

/// It has done all that it may.
void Dispatcher::go(Lane& lane) {
  call_successor(lane, true);
  if (is_followed(lane)) {
    lane.wanted = false;
    act(DismissWorker{lane.life()});
  } else {
    act(CloseInput{lane.life()});  // The next one comes in its own slot.
  }
}

}  // namespace corral::core
