// What must follow when a worker is about to go: its successor comes before that, and takes over when it has nothing left.
#include <utility>

#include "tests/simulation/tasks/checker.hpp"
#include "tests/simulation/tasks/require.hpp"

namespace corral::simulation::tasks {

using namespace core;

Checker::Checker(const Scenario& scenario)
    : policy_(scenario.policy),
      count_(scenario.workers),
      workers_(scenario.policy.relieves() ? 2 * scenario.workers : scenario.workers),
      wanted_(workers_.size(), true) {
  for (std::size_t slot = count_; slot < workers_.size(); ++slot) {
    wanted_[slot] = false;
  }
}

bool Checker::used_up(const Worker& worker) const {
  return worker.spent || (policy_.max_tasks && worker.given >= share_of(*policy_.max_tasks, worker.life.worker.index,
                                                                        number(worker.life.incarnation)));
}

Checker::Worker* Checker::other_of(const Worker& worker) {
  return workers_.size() == count_ ? nullptr : &workers_[(index_of(worker) + count_) % workers_.size()];
}

void Checker::begin_serving(Worker& worker) {
  worker.serves = true;
  Worker* other = other_of(worker);
  worker.warm = other != nullptr && other->on_duty();
  if (worker.warm && other->worn && !other->spent) {
    exhaust(*other);
  }
}

/// Who waits for one that is gone waits no more.
void Checker::hand_over() {
  for (Worker& worker : workers_) {
    const Worker* other = other_of(worker);
    worker.warm = worker.warm && other->on_duty();
  }
}

void Checker::age(Worker& worker) {
  if (!worker.on_duty() || worker.untouched || worker.spent) {
    return;
  }
  if (now_ >= worker.spent_at) {
    exhaust(worker);
  } else if (now_ >= worker.old_at && !worker.worn) {
    wear_out(worker);
  }
}

/// It goes on until its successor has come.
void Checker::wear_out(Worker& worker) {
  worker.worn = true;
  vouch(worker);
  Worker* other = other_of(worker);
  worker.call_due = !wanted(*other) && !input_ended_ && !draining_;
  if (other->warm) {
    exhaust(worker);
  }
}

/// It gets nothing more, and goes when it has nothing left.
void Checker::exhaust(Worker& worker) {
  worker.spent = true;
  vouch(worker);
  worker.call_due = worker.call_due || (!wanted(*other_of(worker)) && !input_ended_ && !draining_);
  for (std::size_t behind = 1; policy_.can_give_back && behind < worker.has.size(); ++behind) {
    tasks_[worker.has[behind]].recalled = true;
    ++recalls_;
  }
  if (worker.has.empty() && worker.flushing) {
    begin_leaving(worker);
  } else if (worker.has.empty()) {
    go(worker);
  }
}

void Checker::go(Worker& worker) {
  const bool over = input_ended_ && count(Place::ready) + count(Place::suspect) + count(Place::in_work) == 0;
  Worker* other = other_of(worker);
  const bool followed = wanted(*other) || (!over && !draining_ && !ended_);
  worker.call_due = followed && !wanted(*other);
  (followed ? worker.dismiss_due : worker.close_due) = true;
  begin_leaving(worker);
}

void Checker::check(const CallRelief& action) {
  require(policy_.relieves() && !draining_ && !ended_, "a successor is called where workers are replaced, and there is work");
  Worker& called = workers_.at(action.worker.index);
  Worker* other = other_of(called);
  require(!wanted(called), "a successor is called once");
  require(other->open && !other->untouched, "whose successor is called has worked");
  require(other->call_due || other->worn || other->spent || policy_.max_tasks,
          "a successor is called when its worker is about to go");
  other->call_due = false;
  wanted_[index_of(called)] = true;
}

}  // namespace corral::simulation::tasks
