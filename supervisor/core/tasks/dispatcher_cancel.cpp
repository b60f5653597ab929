// Who has submitted a task has no use for it any more: it goes, unless it is in work, and each time there is an answer to that.
#include <algorithm>
#include <utility>

#include "supervisor/core/tasks/dispatcher.hpp"

namespace corral::core {

void Dispatcher::on(const CancelAsked& event) {
  const bool known = number(event.slot) < tasks_.size() && tasks_[number(event.slot)].known;
  if (!known || task_in(event.slot).id != event.task) {
    return;  // Its end crossed this.
  }
  for (std::deque<TaskSlot>* queue : {&suspects_, &ready_}) {
    if (const auto found = std::ranges::find(*queue, event.slot); found != queue->end()) {
      queue->erase(found);
      return cancel(event.slot);
    }
  }
  for (Lane& lane : lanes_) {
    const auto* holding = std::get_if<Holding>(&lane.state);
    const auto* called = std::get_if<Called>(&lane.state);
    const auto* serving = std::get_if<Serving>(&lane.state);
    if (holding != nullptr && holding->suspect == event.slot) {
      cancel(event.slot);
      return begin_serving(lane);  // It is as fresh as before.
    }
    if (called != nullptr && called->slot == event.slot) {
      return act(TellBegun{event.slot, event.task});
    }
    if (serving != nullptr && std::ranges::count(serving->in_work, event.slot) > 0) {
      return cancel_at_worker(lane, event.slot);
    }
  }
}

/// The front one is being worked on. Those behind it most likely are not, which the worker alone knows.
void Dispatcher::cancel_at_worker(Lane& lane, TaskSlot slot) {
  Task& task = task_in(slot);
  if (std::get<Serving>(lane.state).in_work.front() == slot || !policy_.can_give_back) {
    return act(TellBegun{slot, task.id});
  }
  if (!task.cancelling()) {
    task.recalled = true;
    task.decide_by = after(now_, policy_.decide_within);
    wake_at(task.decide_by);
    act(RecallTask{lane.life(), task.id});
  }
}

/// It is counted as queued.
void Dispatcher::cancel(TaskSlot slot) {
  Task& task = task_in(slot);
  --counts_.queued;
  ++counts_.cancelled;
  close_gap(task.id);
  act(LeaveTask{slot, task.id});
  task = Task{};
}

/// A worker that does not answer for so long has begun, or is too busy to say that it has not: nobody shall wait for it.
void Dispatcher::decide_overdue(Lane& lane) {
  auto* serving = std::get_if<Serving>(&lane.state);
  if (serving == nullptr) {
    return;
  }
  for (const TaskSlot slot : serving->in_work) {
    Task& task = task_in(slot);
    if (task.cancelling() && now_ >= task.decide_by) {
      task.decide_by = never;
      act(TellBegun{slot, task.id});
    } else if (task.cancelling()) {
      wake_at(task.decide_by);
    }
  }
}

std::optional<Dispatcher::Head> Dispatcher::head(std::uint32_t worker) const {
  const auto* serving = std::get_if<Serving>(&lanes_[worker].state);
  if (serving == nullptr || serving->in_work.empty()) {
    return std::nullopt;
  }
  const TaskSlot slot = serving->in_work.front();
  return Head{slot, task_in(slot).id};
}

}  // namespace corral::core
