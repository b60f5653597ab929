// What must follow when time has passed, when tasks are cancelled, and when everything is told to stop.
#include <algorithm>

#include "tests/simulation/tasks/checker.hpp"
#include "tests/simulation/tasks/require.hpp"

namespace corral::simulation::tasks {

using namespace core;

void Checker::told(const CancelAsked& event) {
  Task& task = tasks_[number(event.task)];
  if (task.place == Place::ready || task.place == Place::suspect) {
    return settle(task, Due::cancel, Place::cancelled);
  }
  for (const Worker& worker : workers_) {
    const auto found = std::ranges::find(worker.has, number(event.task));
    if (found == worker.has.end()) {
      continue;
    }
    if (found == worker.has.begin() || !policy_.can_give_back) {
      begun(task);
    } else if (task.decide_by == never) {
      task.recalled = true;
      task.decide_by = now_ + policy_.decide_within;
      ++recalls_;
    }
  }
}

void Checker::told(const WorkerMeasured& event) {
  Worker* worker = find(event.life);
  if (worker == nullptr || !worker->on_duty() || worker->spent) {
    return;
  }
  const auto much = share_of(*policy_.max_memory, event.life.worker.index, number(event.life.incarnation));
  if (event.bytes > *policy_.max_memory) {
    exhaust(*worker);
  } else if (event.bytes > much && !worker->worn) {
    wear_out(*worker);
  }
}

void Checker::begun(Task& task) {
  task.begun_due = true;
  ++due_;
}

void Checker::told(const DrainAsked&) {
  if (draining_) {
    return;
  }
  draining_ = true;
  for (Task& task : tasks_) {
    if (task.place == Place::ready || task.place == Place::suspect) {
      settle(task, Due::leave, Place::left);
    }
  }
  for (const Worker& worker : workers_) {
    recalls_ += policy_.can_give_back && worker.has.size() > 1 ? worker.has.size() - 1 : 0;
  }
}

void Checker::told(const AbortAsked&) {
  told(DrainAsked{});
  aborting_ = true;
}

void Checker::told(const TaskDeadlineReached&) {
  if (now_ >= measure_at_) {
    measure_at_ = never;
    for (Worker& worker : workers_) {
      worker.measure_due = worker.on_duty() && !worker.untouched && !worker.spent && !aborting_;
      measure_at_ = worker.measure_due && !worker.has.empty() ? now_ + policy_.measure_every : measure_at_;
    }
  }
  for (Worker& worker : workers_) {
    if (!worker.open || worker.condemned) {
      continue;
    }
    if (worker.leaves) {
      if (!worker.stopped && now_ >= worker.stop_at) {
        ended_ ? void(worker.stop_due = true) : replace(worker, ReplaceWorker::Why::timeout, !worker.vouched);
      }
    } else if (!worker.serves) {
      if (now_ >= worker.greet_by) {
        replace(worker, ReplaceWorker::Why::never_greeted, true);
      }
    } else if (policy_.timeout && !worker.has.empty() && now_ >= worker.heard + *policy_.timeout) {
      come_to_grief(worker, Mishap::timeout);
    }
    if (!worker.leaves) {
      age(worker);
    }
    for (const std::uint64_t id : worker.has) {
      if (now_ >= tasks_[id].decide_by) {
        tasks_[id].decide_by = never;
        begun(tasks_[id]);
      }
    }
  }
}

/// It goes; the task in work has a death more, the others are as before: the marked one, or the oldest.
void Checker::blame(Worker& worker, Mishap mishap, std::optional<TaskId> at) {
  if (worker.has.empty()) {
    return;
  }
  if (const auto marked = at ? std::ranges::find(worker.has, number(*at)) : worker.has.end(); marked != worker.has.end()) {
    std::rotate(worker.has.begin(), marked, marked + 1);
  }
  if (worker.greeted || proven_) {
    vouch(worker);
  }
  Task& task = tasks_[worker.has.front()];
  task.life = worker.life;
  task.seconds = now_ - worker.since;
  task.mishap = mishap;
  task.of_death = mishap == Mishap::died;
  if (task.decide_by != never) {
    settle(task, Due::cancel, Place::cancelled);
  } else if (aborting_) {
    settle(task, Due::leave, Place::left);
  } else if (++task.deaths > policy_.retries || mishap == Mishap::timeout || mishap == Mishap::too_long) {
    settle(task, Due::quarantined, Place::recorded);
  } else if (draining_) {
    settle(task, Due::leave, Place::left);
  } else {
    task.delay = task.deaths == 1 ? Duration{} : policy_.retry_delay * (std::int64_t{1} << (task.deaths - 2));
    task.delay = std::min(task.delay, policy_.longest_retry_delay);
    task.not_before = now_ + task.delay;
    settle(task, Due::retry, Place::suspect);
  }
  for (std::size_t i = 1; i < worker.has.size(); ++i) {
    return_to(Place::ready, tasks_[worker.has[i]]);
  }
  worker.has.clear();
}

void Checker::come_to_grief(Worker& worker, Mishap mishap, std::optional<TaskId> at) {
  const bool had_something = !worker.has.empty();
  blame(worker, mishap, at);
  replace(worker, mishap == Mishap::timeout ? ReplaceWorker::Why::timeout : ReplaceWorker::Why::broken_channel, !had_something);
}

void Checker::replace(Worker& worker, ReplaceWorker::Why why, bool own_fault) {
  worker.replace_due = ReplaceWorker{worker.life, why, own_fault, worker.on_duty()};  // Then it may have been relieved.
  worker.serves = worker.warm = worker.leaves = false;
  worker.condemned = true;
}

}  // namespace corral::simulation::tasks
