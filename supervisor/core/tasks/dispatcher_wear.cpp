// Workers that are replaced before they do harm: they are too old, or have too much memory. It costs no task an attempt.
#include "supervisor/core/tasks/dispatcher.hpp"

namespace corral::core {

/// Who never had a task is as fresh as on its first day, and replaced by nobody fresher.
void Dispatcher::age(Lane& lane) {
  const auto* serving = std::get_if<Serving>(&lane.state);
  if (serving == nullptr || serving->untouched || lane.spent || lane.old_at == never) {
    return;
  }
  if (now_ >= lane.spent_at) {
    return exhaust(lane);
  }
  if (now_ >= lane.old_at && !lane.worn) {
    wear_out(lane);
  }
}

void Dispatcher::wake_for_age(const Lane& lane) {
  const auto* serving = std::get_if<Serving>(&lane.state);
  if (serving != nullptr && !serving->untouched && !lane.spent && lane.old_at != never) {
    wake_at(lane.worn ? lane.spent_at : lane.old_at);
  }
}

void Dispatcher::on(const WorkerMeasured& event) {
  Lane* lane = find(event.life);
  if (lane == nullptr || lane->spent || !std::holds_alternative<Serving>(lane->state)) {
    return;
  }
  const std::uint64_t much = share_of(*policy_.max_memory, lane->worker.index, number(lane->incarnation));
  if (event.bytes > *policy_.max_memory) {
    exhaust(*lane);
  } else if (event.bytes > much && !lane->worn) {
    wear_out(*lane);
  }
  feed_the_hungry();
}

/// It goes on until its successor has come.
void Dispatcher::wear_out(Lane& lane) {
  lane.worn = true;
  vouch(lane);
  call_successor(lane, false);
  const Lane* other = other_slot(lane);
  if (other == nullptr || std::holds_alternative<Closed>(other->state) || std::holds_alternative<Warm>(other->state)) {
    exhaust(lane);
  }
}

/// What it is at may end. What it has not begun is asked back.
void Dispatcher::exhaust(Lane& lane) {
  lane.spent = true;
  vouch(lane);
  call_successor(lane, false);
  recall_prefetched(lane);
  if (std::get<Serving>(lane.state).in_work.empty()) {
    serve(lane);
  }
}

std::uint64_t Dispatcher::most_tasks(const Lane& lane) const {
  return share_of(*policy_.max_tasks, lane.worker.index, number(lane.incarnation));
}

/// Nobody grows who has nothing to do: without work nothing is measured, and nobody wakes up for it.
void Dispatcher::measure_soon() {
  if (policy_.max_memory && measure_at_ == never) {
    measure_at_ = after(now_, policy_.measure_every);
    wake_at(measure_at_);
  }
}

void Dispatcher::measure() {
  if (now_ < measure_at_) {
    return wake_at(measure_at_);
  }
  measure_at_ = never;
  for (const Lane& lane : lanes_) {
    const auto* serving = std::get_if<Serving>(&lane.state);
    if (serving == nullptr || serving->untouched || lane.spent || aborting_) {
      continue;
    }
    act(MeasureWorker{lane.life()});
    if (!serving->in_work.empty()) {
      measure_soon();
    }
  }
}

}  // namespace corral::core
