// One task: what becomes of it when it is answered, when it takes a worker down, when everything stops.
#include <algorithm>
#include <utility>

#include "common/base/check.hpp"
#include "supervisor/core/tasks/dispatcher.hpp"

namespace corral::core {

void Dispatcher::settle_answer(Lane& lane, TaskSlot slot, Answer answer, Duration duration, const WorkerLost* death) {
  --counts_.in_work;
  if (answer == Answer::given_back) {
    ++counts_.queued;
    auto& serving = std::get<Serving>(lane.state);
    --serving.given;
    return take_back(serving, slot);
  }
  proven_ = true;
  vouch(lane);
  Task& task = task_in(slot);
  const auto how = death == nullptr ? std::nullopt : std::optional(*death);
  if (answer == Answer::error) {
    if (task.errors < policy_.retry_errors && !task.cancelling()) {
      return try_again(lane, slot, duration);
    }
    return record(slot, {slot, task.id, Outcome::failed, task.attempts() + 1, lane.life(), duration, Mishap::reported, how});
  }
  note_done(duration);
  record(slot, {slot, task.id, Outcome::done, task.attempts() + 1, lane.life(), duration, {}, {}});
}

/// Any worker will do: it was not the worker's fault.
void Dispatcher::try_again(Lane& lane, TaskSlot slot, Duration duration) {
  ++counts_.queued;
  if (draining_) {
    return leave(slot);  // It has attempts left: its end is not yet known.
  }
  Task& task = task_in(slot);
  ++task.errors;
  ++counts_.retries;
  act(TellRetry{slot,
                task.id,
                lane.life(),
                task.attempts(),
                task.attempts() + policy_.retry_errors - task.errors + 1,
                {},
                Mishap::reported,
                {},
                duration});
  ready_.push_back(slot);
}

/// It was in work when its worker came to grief. No longer counted as in work.
void Dispatcher::blame(Lane& lane, TaskSlot slot, Mishap mishap, Duration duration, const WorkerLost* death) {
  if (task_in(slot).cancelling()) {
    ++counts_.queued;
    return cancel(slot);
  }
  if (aborting_) {
    ++counts_.queued;
    return leave(slot);  // Its worker is being stopped: that is no fault of the task.
  }
  Task& task = task_in(slot);
  ++task.deaths;
  const auto how = death == nullptr ? std::nullopt : std::optional(*death);
  if (mishap == Mishap::timeout || mishap == Mishap::too_long || task.deaths > policy_.retries) {
    return record(slot, {slot, task.id, Outcome::quarantined, task.attempts(), lane.life(), duration, mishap, how});
  }
  ++counts_.queued;
  if (draining_) {
    return leave(slot);
  }
  // The first retry follows at once: a fresh worker takes its time to start anyway.
  Duration delay{};
  if (task.deaths > 1) {
    delay = policy_.retry_delay;
    for (std::uint32_t n = 2; n < task.deaths && delay < policy_.longest_retry_delay; ++n) {
      delay *= 2;
    }
    delay = std::min(delay, policy_.longest_retry_delay);
  }
  task.not_before = after(now_, delay);
  ++counts_.retries;
  act(TellRetry{slot, task.id, lane.life(), task.attempts(), task.attempts() + policy_.retries - task.deaths + 1, delay, mishap,
                how, duration});
  suspects_.push_back(slot);
}

/// All that a worker had, as if it had never been there, and before what comes after it in the input.
void Dispatcher::give_back(Serving& serving) {
  while (!serving.in_work.empty()) {
    const TaskSlot slot = serving.in_work.back();
    serving.in_work.pop_back();
    --counts_.in_work;
    ++counts_.queued;
    take_back(serving, slot);
  }
}

/// It is counted as queued. Who was alone stays a suspect.
void Dispatcher::take_back(const Serving& serving, TaskSlot slot) {
  serving.alone && !draining_ ? suspects_.push_front(slot) : requeue(slot);
}

/// Before what comes after it in the input.
void Dispatcher::requeue(TaskSlot slot) {
  if (task_in(slot).cancelling()) {
    return cancel(slot);
  }
  if (draining_) {
    return leave(slot);
  }
  const TaskId id = task_in(slot).id;
  ready_.insert(std::ranges::find_if(ready_, [&](TaskSlot other) { return task_in(other).id > id; }), slot);
}

void Dispatcher::leave(TaskSlot slot) {
  Task& task = task_in(slot);
  --counts_.queued;
  ++counts_.left;
  act(LeaveTask{slot, task.id});
  task = Task{};
}

void Dispatcher::leave_queued() {
  for (std::deque<TaskSlot>* queue : {&suspects_, &ready_}) {
    for (const TaskSlot slot : *queue) {
      leave(slot);
    }
    queue->clear();
  }
  for (Lane& lane : lanes_) {
    if (const auto* holding = std::get_if<Holding>(&lane.state)) {
      leave(holding->suspect);
      lane.state = Serving{};
    }
  }
}

void Dispatcher::record(TaskSlot slot, const RecordTask& record) {
  Task& task = task_in(slot);
  ++(record.outcome == Outcome::done ? counts_.done : record.outcome == Outcome::failed ? counts_.failed : counts_.quarantined);
  close_gap(task.id);
  act(record);
  task = Task{};
}

/// In order: nobody waits for this one any more.
void Dispatcher::close_gap(TaskId task) {
  if (!policy_.order_span) {
    return;
  }
  recorded_[number(task) - oldest_] = true;
  while (!recorded_.empty() && recorded_.front()) {
    recorded_.pop_front();
    ++oldest_;
  }
}

void Dispatcher::maybe_halt() {
  const std::uint64_t failures = counts_.failed + counts_.quarantined;
  if (!policy_.halt || draining_ || failures == 0) {
    return;
  }
  const Halt& halt = *policy_.halt;
  const std::uint64_t ended = counts_.recorded();
  const bool share_reached =
      ended >= Halt::share_counts_from && static_cast<double>(failures) >= halt.share * static_cast<double>(ended);
  if (halt.share > 0 ? share_reached : failures >= halt.failures) {
    act(HaltTasks{failures, halt.at_once});
    on(DrainAsked{});
  }
}

void Dispatcher::maybe_end() {
  if (ended_ || !(input_ended_ || draining_) || counts_.queued + counts_.in_work > 0) {
    return;
  }
  ended_ = true;
  for (Lane& lane : lanes_) {
    dismiss(lane);
  }
  act(EndTasks{});
}

}  // namespace corral::core
