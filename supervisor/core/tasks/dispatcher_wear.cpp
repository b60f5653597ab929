// Workers that are replaced before they do harm: they are too old, or have too much memory. It costs no task an attempt.
#include "supervisor/core/tasks/dispatcher.hpp"

namespace corral::core {

/// Its age is still to be reached. Who never had a task is as fresh as on its first day, and replaced by nobody fresher.
bool Dispatcher::ages(const Lane& lane) {
  const auto* serving = std::get_if<Serving>(&lane.state);
  return serving != nullptr && !serving->untouched && !lane.worn && lane.old_at != never;
}

/// It is as old as it may get. True when it leaves at once.
bool Dispatcher::retire(Lane& lane) {
  wear_out(lane);
  return std::holds_alternative<Leaving>(lane.state);
}

void Dispatcher::on(const WorkerMeasured& event) {
  Lane* lane = find(event.life);
  if (lane != nullptr && !lane->worn && std::holds_alternative<Serving>(lane->state) && event.bytes > policy_.max_memory) {
    wear_out(*lane);
    feed_the_hungry();
  }
}

/// What it has may end: that is no more than some milliseconds of work, or what it is at anyway.
void Dispatcher::wear_out(Lane& lane) {
  lane.worn = true;
  vouch(lane);
  if (std::get<Serving>(lane.state).in_work.empty()) {
    serve(lane);
  }
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
    if (serving == nullptr || serving->untouched || lane.worn || aborting_) {
      continue;
    }
    act(MeasureWorker{lane.life()});
    if (!serving->in_work.empty()) {
      measure_soon();
    }
  }
}

}  // namespace corral::core
