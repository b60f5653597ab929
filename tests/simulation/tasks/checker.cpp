// What the dispatcher is told, and what must follow from it.
#include "tests/simulation/tasks/checker.hpp"

#include <algorithm>
#include <utility>

#include "tests/simulation/tasks/require.hpp"

namespace corral::simulation::tasks {

using namespace core;

void Checker::before(Instant now, const TaskEvent& event) {
  now_ = now;
  told_deadline_ = std::holds_alternative<TaskDeadlineReached>(event);
  ended_now_ = made_room_ = false;
  std::visit([this](const auto& happened) { told(happened); }, event);
  hand_over();
  end_if_over();
}

Checker::Worker* Checker::find(Life life) {
  Worker* worker = life.worker.index < workers_.size() ? &workers_[life.worker.index] : nullptr;
  return worker != nullptr && worker->open && worker->life == life ? worker : nullptr;
}

void Checker::put(Task& task, Place place) {
  --places_[static_cast<std::size_t>(task.place)];
  ++places_[static_cast<std::size_t>(place)];
  task.place = place;
}

void Checker::settle(Task& task, Due due, Place place) {
  require(task.due == Due::nothing, "the checker itself: one thing at a time becomes of a task");
  task.due = due;
  ++due_;
  put(task, place);
  retries_ += due == Due::retry ? 1 : 0;
  done_ += due == Due::done ? 1 : 0;
  failed_ += due == Due::failed || due == Due::unfit ? 1 : 0;
  quarantined_ += due == Due::quarantined ? 1 : 0;
  while (oldest_ < tasks_.size() && (tasks_[oldest_].place == Place::recorded || tasks_[oldest_].place == Place::cancelled)) {
    ++oldest_;
  }
}

void Checker::end_if_over() {
  const std::uint64_t open = count(Place::ready) + count(Place::suspect) + count(Place::in_work);
  end_due_ = !ended_ && (input_ended_ || draining_) && open == 0;
  if (!end_due_) {
    return;
  }
  for (Worker& worker : workers_) {
    if (worker.serves) {
      begin_leaving(worker);
      worker.dismiss_due = true;
    } else if (worker.open && !worker.condemned && !worker.leaves) {
      worker.leaves = worker.stop_due = true;  // It has not even begun.
    }
  }
}

void Checker::begin_leaving(Worker& worker) {
  worker.serves = worker.warm = false;
  worker.leaves = true;
  worker.stop_at = now_ + policy_.leave_within;
}

void Checker::told(const TaskSubmitted& event) {
  ++places_[static_cast<std::size_t>(Place::ready)];
  Task& task = tasks_.emplace_back();
  task.slot = event.slot;
  if (draining_) {
    settle(task, Due::leave, Place::left);
  } else if (event.unfit) {
    task.mishap = Mishap::unfit;
    settle(task, Due::unfit, Place::recorded);
  }
}

void Checker::told(const ChannelOpened& event) {
  Worker& worker = workers_[event.life.worker.index];
  worker = Worker{};
  worker.life = event.life;
  worker.open = true;
  worker.leaves = worker.stop_due = ended_;
  worker.greet_by = now_ + policy_.greet_within;
  if (policy_.max_age) {
    worker.old_at = now_ + age_of(*policy_.max_age, event.life.worker.index, number(event.life.incarnation));
    worker.spent_at = now_ + *policy_.max_age;
  }
  if (!ended_ && !policy_.greets) {
    begin_serving(worker);
  }
}

void Checker::told(const WorkerGreeted& event) {
  Worker* worker = find(event.life);
  if (worker != nullptr && policy_.greets && !worker->serves && !worker->condemned && !worker->leaves) {
    worker->greeted = proven_ = true;
    begin_serving(*worker);
  }
}

void Checker::told(const TaskAnswered& event) {
  Worker* worker = find(event.life);
  if (worker == nullptr || !worker->serves) {
    ++dropped_;
    return;
  }
  const auto found = std::ranges::find(worker->has, number(event.task));
  if (found == worker->has.end()) {
    ++dropped_;
    return;
  }
  Task& task = tasks_[*found];
  const bool in_work = found == worker->has.begin();
  task.life = worker->life;
  task.seconds = in_work ? now_ - worker->since : Duration(-1);
  worker->has.erase(found);
  if (in_work) {
    if (event.answer != Answer::given_back) {
      shortest_ = std::min(shortest_.value_or(task.seconds), task.seconds);
    }
    worker->since = worker->heard = now_;
  }
  answered(*worker, task, event.answer);
}

void Checker::answered(Worker& worker, Task& task, Answer answer) {
  const bool was_alone = std::exchange(worker.alone, false);
  worker.given -= answer == Answer::given_back ? 1 : 0;
  if (answer == Answer::given_back && task.decide_by != never) {
    settle(task, Due::cancel, Place::cancelled);
  } else if (answer == Answer::given_back && !draining_) {
    worker.going = worker.going || !task.recalled;  // Somebody else has told it to end.
    task.returned = true;
    put(task, was_alone ? Place::suspect : Place::ready);
  } else if (answer == Answer::given_back) {
    settle(task, Due::leave, Place::left);
  } else {
    proven_ = true;
    vouch(worker);
    task.mishap = Mishap::reported;
    task.of_death = false;
    if (answer == Answer::result) {
      settle(task, Due::done, Place::recorded);
    } else if (task.errors == policy_.retry_errors || task.decide_by != never) {
      settle(task, Due::failed, Place::recorded);
    } else if (draining_) {
      settle(task, Due::leave, Place::left);
    } else {
      ++task.errors;
      task.delay = {};
      settle(task, Due::retry, Place::ready);
    }
  }
  if (worker.going && worker.has.empty()) {
    let_go(worker);
  } else if (worker.flushing && worker.has.empty()) {
    begin_leaving(worker);  // There is nothing that it could still do.
  } else if (used_up(worker) && worker.has.empty()) {
    go(worker);
  }
}

void Checker::told(const TaskProgressed& event) {
  Worker* worker = find(event.life);
  if (worker != nullptr && worker->serves && !worker->has.empty() && worker->has.front() == number(event.task)) {
    worker->heard = now_;
  }
}

void Checker::told(const ChannelBroken& event) {
  Worker* worker = find(event.life);
  if (worker == nullptr || worker->condemned) {
    return;
  }
  come_to_grief(*worker, event.too_long ? Mishap::too_long : Mishap::garbage, event.at);
}

void Checker::told(const WorkerStarved& event) {
  Worker* worker = find(event.life);
  if (worker == nullptr || !worker->serves || worker->has.empty() || worker->flushing || worker->going) {
    return;
  }
  worker->heard = now_;
  if (!worker->alone && !draining_) {
    worker->allowance = std::max(worker->allowance, worker->has.size() * 2);
    worker->feed_due = count(Place::ready) > 0 && !used_up(*worker);
  }
  worker->flushing = worker->close_due = nothing_comes(*worker);
}

/// However long a filter would wait, there is nothing more for it before it has said what it has.
bool Checker::nothing_comes(const Worker& worker) const {
  if (worker.alone || draining_ || used_up(worker)) {
    return true;
  }
  const bool order_is_full = policy_.order_span && tasks_.size() - oldest_ >= *policy_.order_span;
  return count(Place::ready) == 0 && (input_ended_ || order_is_full);
}

void Checker::told(const WorkerResigned& event) {
  Worker* worker = find(event.life);
  if (worker == nullptr || !worker->serves) {
    return;
  }
  const Place place = worker->alone && !draining_ ? Place::suspect : Place::ready;
  worker->alone = false;
  for (const std::size_t has : std::exchange(worker->has, {})) {
    return_to(place, tasks_[has]);
  }
  let_go(*worker);
}

void Checker::let_go(Worker& worker) {
  const Worker* other = other_of(worker);
  const bool followed = worker.on_duty() && wanted(worker) && other != nullptr && wanted(*other);
  (followed ? worker.dismiss_due : worker.close_due) = followed || !worker.flushing;
  begin_leaving(worker);
}

void Checker::return_to(Place place, Task& task) {
  task.returned = true;
  if (task.decide_by != never) {
    settle(task, Due::cancel, Place::cancelled);
  } else if (draining_) {
    settle(task, Due::leave, Place::left);
  } else {
    put(task, place);
  }
}

void Checker::told(const WorkerLost& event) {
  Worker* worker = find(event.life);
  if (worker == nullptr) {
    return;
  }
  const Worker* other = other_of(*worker);
  const bool followed = worker->on_duty() && other != nullptr && wanted(*other);
  if (wanted(*worker) && (draining_ ? !policy_.each : followed)) {
    lost_due_ = event.life;
  }
  if (worker->serves) {
    blame(*worker, Mishap::died, event.at);
  }
  const bool vouch_due = worker->vouch_due;
  *worker = Worker{};
  worker->life = event.life;
  worker->vouch_due = vouch_due;
}

}  // namespace corral::simulation::tasks
