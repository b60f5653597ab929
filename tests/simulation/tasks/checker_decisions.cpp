// What the dispatcher decides: everything that the checker has not foreseen is a mistake.
#include <algorithm>
#include <utility>

#include "tests/simulation/tasks/checker.hpp"
#include "tests/simulation/tasks/require.hpp"

namespace corral::simulation::tasks {

using namespace core;

void Checker::decided(const TaskAction& action) {
  std::visit([this](const auto& what) { check(what); }, action);
}

Checker::Worker& Checker::known(Life life) {
  Worker* worker = find(life);
  require(worker != nullptr, "only a worker's present life is spoken of");
  return *worker;
}

Checker::Task& Checker::settled(TaskId id, TaskSlot slot, Due due, const char* otherwise) {
  require(number(id) < tasks_.size() && tasks_[number(id)].slot == slot, "a task keeps its slot");
  Task& task = tasks_[number(id)];
  require(task.due == due, otherwise);
  task.due = Due::nothing;
  --due_;
  return task;
}

/// A share of the work that a window may hold, by the shortest task seen: what is known of the mean is not less than that.
std::size_t Checker::widest(const Worker& worker) const {
  std::size_t window = 1;
  if (shortest_ && *shortest_ < policy_.window_worth) {
    const auto fit = policy_.window_worth.count() / std::max<Duration::rep>(shortest_->count(), 1);
    window = std::min<std::size_t>(policy_.widest_window, 1 + static_cast<std::size_t>(fit));
  }
  return std::max(window, worker.allowance);
}

void Checker::check(const DeliverTask& action) {
  require(!draining_, "nothing is delivered after a drain");
  Worker& worker = known(action.life);
  require(worker.serves && !worker.flushing && !worker.going, "tasks go to those who have greeted, and are not on their way out");
  require(number(action.task) < tasks_.size() && tasks_[number(action.task)].slot == action.slot, "a task keeps its slot");
  Task& task = tasks_[number(action.task)];
  require(task.place == Place::ready || task.place == Place::suspect, "a task is at one worker at most, and recorded once");
  require(!worker.alone, "nothing goes beside a suspect");
  if (task.place == Place::suspect) {
    require(worker.untouched && worker.has.empty(), "a suspect is alone on a fresh worker");
    require(now_ >= task.not_before, "a retry waits for its delay");
    worker.alone = true;
  } else if (!task.given) {
    const bool first = std::ranges::none_of(tasks_, [&](const Task& other) {
      return other.place == Place::ready && (other.returned || (!other.given && &other < &task));
    });
    require(first, "what came back goes first, then the oldest");
  }
  if (policy_.max_memory && measure_at_ == never) {
    measure_at_ = now_ + policy_.measure_every;
  }
  if (worker.has.empty()) {
    worker.since = worker.heard = now_;
  }
  worker.has.push_back(number(action.task));
  require(!worker.spent, "who is worn out gets nothing more");
  require(!used_up(worker), "a worker is given no more tasks than it may have in all");
  ++worker.given;
  const Worker* other = other_of(worker);
  require(!worker.warm && (other == nullptr || other->has.empty()), "of a worker's two slots one has tasks");
  require(worker.has.size() <= widest(worker), "a worker has no more than its window");
  const bool first = std::exchange(worker.untouched, false);
  worker.feed_due = false;
  put(task, Place::in_work);
  task.given = true;
  task.returned = task.recalled = false;
  if (first) {
    age(worker);
  }
}

void Checker::check(const CallWorker&) { require(false, "nobody is called where workers stay"); }
void Checker::check(const HaltTasks&) { require(false, "nothing is halted that has no bound of failures"); }

void Checker::check(const RecallTask& action) {
  const Worker& worker = known(action.life);
  const auto found = std::ranges::find(worker.has, number(action.task));
  require(found != worker.has.end() && found != worker.has.begin(), "only what has not begun is asked back");
  require(recalls_ > 0, "tasks are asked back once, of those who understand it, when a drain begins or they are cancelled");
  --recalls_;
}

void Checker::check(const RecordTask& action) {
  static constexpr auto words = "a task is recorded when its end has come, once, and as what it was";
  const Due due = action.mishap == Mishap::unfit      ? Due::unfit
                  : action.outcome == Outcome::done   ? Due::done
                  : action.outcome == Outcome::failed ? Due::failed
                                                      : Due::quarantined;
  const Task& task = settled(action.task, action.slot, due, words);
  require(due != Due::unfit || action.outcome == Outcome::failed, words);
  require(action.mishap.has_value() == (due != Due::done) && action.mishap.value_or(task.mishap) == task.mishap,
          "a record says what went wrong");
  const std::uint32_t answered = due == Due::done || due == Due::failed ? 1 : 0;
  require(action.attempts == task.deaths + task.errors + answered, "attempts are what really happened");
  require(due == Due::unfit || action.life == task.life, "a record names the worker of the last attempt");
  require(action.death.has_value() == (due == Due::quarantined && task.of_death),
          "a record tells of the death that was the last");
  require(due == Due::unfit || task.seconds < Duration{} || action.seconds == task.seconds,
          "the time of an attempt is that from its begin to its end");
}

void Checker::check(const TellRetry& action) {
  const Task& task = settled(action.task, action.slot, Due::retry, "a retry is told of when there is one");
  require(action.attempt == task.deaths + task.errors, "attempts are what really happened");
  const bool reported = action.mishap == Mishap::reported;
  const std::uint32_t more = reported ? policy_.retry_errors - task.errors : policy_.retries - task.deaths;
  require(action.of == action.attempt + more + 1, "a retry says how many attempts there can be");
  require(action.mishap == task.mishap && action.life == task.life, "a retry says what went wrong, and where");
  require(action.delay == task.delay, "the delay follows from the deaths");
}

void Checker::check(const LeaveTask& action) {
  const Due due =
      number(action.task) < tasks_.size() && tasks_[number(action.task)].due == Due::cancel ? Due::cancel : Due::leave;
  Task& task = settled(action.task, action.slot, due, "a task is left only when everything stops, or when it is cancelled");
  task.decide_by = never;
}

void Checker::check(const MeasureWorker& action) {
  require(std::exchange(known(action.life).measure_due, false), "who works is measured when it is time");
}

void Checker::check(const TellBegun& action) {
  Task& task = tasks_[number(action.task)];
  require(std::exchange(task.begun_due, false) && task.slot == action.slot, "who cancels a task is told once that it is in work");
  --due_;
}

void Checker::check(const VouchForWorker& action) {
  Worker& worker = workers_.at(action.life.worker.index);
  require(worker.life == action.life && worker.vouch_due, "who has worked is vouched for, once");
  worker.vouch_due = false;
  worker.vouched = true;
}

void Checker::check(const ReplaceWorker& action) {
  Worker& worker = known(action.life);
  if (action.why == ReplaceWorker::Why::room_for_fresh) {
    require(told_deadline_ && stuck_at_ && now_ >= *stuck_at_, "room is made when suspects have waited long enough");
    require(worker.serves && worker.has.empty() && !worker.untouched && !made_room_, "room is made by one that is idle");
    made_room_ = worker.condemned = true;
    const Worker* follows = other_of(worker);
    require(action.relieved == (follows != nullptr && wanted(*follows)), "who is followed is not replaced in its own slot");
    wanted_[index_of(worker)] = !action.relieved;
    worker.serves = false;
    return hand_over();
  }
  require(worker.replace_due && worker.replace_due->why == action.why,
          "a worker is replaced when there is a reason, and for that");
  require(worker.replace_due->own_fault == action.own_fault, "a worker that goes without a task has itself to blame");
  const Worker* follows = other_of(worker);
  const bool followed = follows != nullptr && worker.replace_due->relieved && wanted(*follows);
  const bool relieved = !wanted(worker) || followed || (worker.replace_due->relieved && draining_ && !policy_.each);
  require(action.relieved == relieved, "who is followed is not replaced in its own slot");
  wanted_[index_of(worker)] = !action.relieved;
  worker.replace_due.reset();
}

void Checker::check(const DismissWorker& action) {
  wanted_[action.life.worker.index] = false;
  if (lost_due_ == action.life) {
    return lost_due_.reset();
  }
  Worker& worker = known(action.life);
  require(worker.dismiss_due, "workers are dismissed at the end, once");
  worker.dismiss_due = false;
}

void Checker::check(const StopWorker& action) {
  Worker& worker = known(action.life);
  require(worker.stop_due, "a worker is stopped when its time is over, or when nobody needs it");
  worker.stop_due = false;
  worker.stopped = true;
  wanted_[index_of(worker)] = false;
}

void Checker::check(const CloseInput& action) {
  Worker& worker = known(action.life);
  require(worker.close_due, "a filter's input is closed when nothing more comes for it");
  worker.close_due = false;
}

void Checker::check(const EndTasks&) {
  require(end_due_, "tasks have ended when all are recorded or left, once");
  end_due_ = false;
  ended_ = ended_now_ = true;
}

}  // namespace corral::simulation::tasks
