// What must hold between two steps, whatever has happened.
#include <algorithm>
#include <utility>

#include "tests/simulation/tasks/checker.hpp"
#include "tests/simulation/tasks/require.hpp"

namespace corral::simulation::tasks {

using namespace core;

void Checker::after(const Dispatcher& dispatcher) {
  check_nothing_is_due();
  check_counts(dispatcher);
  check_room(dispatcher);
  check_idle();
  check_stuck(dispatcher);
  check_deadline(dispatcher);
  require(dispatcher.ended() == ended_ && dispatcher.draining() == draining_ && dispatcher.proven() == proven_,
          "the dispatcher knows how things stand");
}

void Checker::check_nothing_is_due() const {
  require(due_ == 0, "every task whose end has come is recorded, told of or left");
  require(recalls_ == 0, "what is prefetched is asked back when a drain begins");
  require(!end_due_, "the end is told when it has come");
  require(!lost_due_, "where a successor is on the way none follows in the slot of who died");
  for (const Worker& worker : workers_) {
    require(!worker.call_due, "a successor is called when its worker is about to go");
    require(!worker.measure_due, "who works is measured when it is time");
    require(!worker.vouch_due, "who has worked is vouched for");
    require(!worker.replace_due, "a worker that cannot go on is replaced");
    require(!worker.dismiss_due && !worker.stop_due, "at the end workers are dismissed, and stopped when they do not go");
    require(!worker.close_due, "a filter for which nothing more comes is told so");
    require(!worker.feed_due, "a filter that waits for more gets it");
  }
}

void Checker::check_counts(const Dispatcher& dispatcher) const {
  const TaskCounts& counts = dispatcher.counts();
  require(counts.accepted ==
              counts.queued + counts.in_work + counts.done + counts.failed + counts.quarantined + counts.left + counts.cancelled,
          "nothing is lost, nothing counts twice");
  require(counts.accepted == tasks_.size(), "every task is accepted");
  require(counts.queued == count(Place::ready) + count(Place::suspect), "queued are those that wait for a worker");
  std::size_t in_work = 0;
  for (const Worker& worker : workers_) {
    in_work += worker.has.size();
  }
  require(counts.in_work == in_work && in_work == count(Place::in_work), "in work are those that a worker has");
  require(counts.done == done_ && counts.failed == failed_ && counts.quarantined == quarantined_, "outcomes are counted");
  require(counts.left == count(Place::left), "what is left is counted");
  require(counts.cancelled == count(Place::cancelled), "what is cancelled is counted");
  require(counts.retries == retries_, "retries are counted");
  require(counts.dropped == dropped_, "answers that nobody asked for are dropped, and counted");
}

void Checker::check_room(const Dispatcher& dispatcher) const {
  std::uint64_t room = policy_.most_queued - std::min<std::uint64_t>(policy_.most_queued, count(Place::ready));
  if (policy_.order_span) {
    room = std::min(room, *policy_.order_span - std::min(*policy_.order_span, tasks_.size() - oldest_));
  }
  require(dispatcher.room() == (input_ended_ || draining_ ? 0 : room), "the input is read as far as queue and order allow");
}

std::uint64_t Checker::idle_fresh_workers() const {
  return static_cast<std::uint64_t>(
      std::ranges::count_if(workers_, [](const Worker& worker) { return worker.on_duty() && worker.untouched; }));
}

/// Nobody waits for work that waits for somebody.
void Checker::check_idle() const {
  if (draining_) {
    return;
  }
  const std::uint64_t fresh = idle_fresh_workers();
  if (count(Place::ready) > 0) {
    require(fresh <= count(Place::suspect), "nobody is kept for a suspect that does not exist");
    require(std::ranges::none_of(workers_, [](const Worker& w) { return w.serves && w.has.empty() && !w.untouched; }),
            "nobody is idle while a task waits");
  }
  if (told_deadline_ && next_ && now_ >= *next_ && fresh >= count(Place::suspect)) {
    require(std::ranges::none_of(tasks_, [&](const Task& t) { return t.place == Place::suspect && t.not_before <= now_; }),
            "a suspect that is due goes to a fresh worker");
  }
}

/// Suspects wait, nobody fresh has come for them, and there is nothing else to be done.
void Checker::check_stuck(const Dispatcher& dispatcher) {
  const bool idle = std::ranges::any_of(workers_, [](const Worker& w) { return w.serves && w.has.empty() && !w.untouched; });
  const bool due = stuck_at_ && now_ >= *stuck_at_ && told_deadline_ && next_ && now_ >= *next_;
  const bool stuck = count(Place::suspect) > idle_fresh_workers() && count(Place::ready) + count(Place::in_work) == 0;
  require(!due || !idle || made_room_ || !stuck, "somebody idle makes room for a fresh worker");
  if (!stuck) {
    stuck_at_.reset();
  } else if (!stuck_at_ || due) {
    stuck_at_ = now_ + policy_.greet_within;
  }
  require(dispatcher.next_deadline().value_or(never) <= stuck_at_.value_or(never), "nobody waits for a fresh worker for ever");
}

Instant Checker::first_due() const {
  Instant first = measure_at_;
  for (const Worker& worker : workers_) {
    if (worker.on_duty() && !worker.untouched && !worker.spent) {
      first = std::min(first, std::max(now_, worker.worn ? worker.spent_at : worker.old_at));
    }
    for (const std::uint64_t id : worker.has) {
      first = std::min(first, tasks_[id].decide_by);
    }
    if (!worker.open || worker.condemned || worker.stopped) {
      continue;
    }
    if (worker.leaves) {
      first = std::min(first, worker.stop_at);
    } else if (!worker.serves) {
      first = std::min(first, worker.greet_by);
    } else if (policy_.timeout && !worker.has.empty()) {
      first = std::min(first, worker.heard + *policy_.timeout);
    }
  }
  return first;
}

void Checker::check_deadline(const Dispatcher& dispatcher) {
  const std::optional<Instant> next = dispatcher.next_deadline();
  const bool met = told_deadline_ && next_ && now_ >= *next_;
  Instant first = first_due();
  const bool may_hold = count(Place::suspect) > 0;
  require(next.value_or(never) <= first, "nothing that becomes due is missed");
  if (may_hold && idle_fresh_workers() > 0) {
    Instant last{};
    for (const Task& task : tasks_) {
      last = task.place == Place::suspect ? std::max(last, task.not_before) : last;
    }
    require(next.value_or(never) <= std::max(last, now_), "a worker that is kept for a suspect is not kept for ever");
  }
  const bool again = met && next && *next <= now_;
  require(!again || !std::exchange(was_met_, again), "a deadline that was met is gone");
  was_met_ = again;
  require(!met || may_hold || ended_now_ || next.value_or(never) == first, "a deadline step looks ahead to what is due next");
  next_ = next;
}

void Checker::at_rest() const {
  // Whoever hangs in the kernel when everything is stopped is left behind, with its task: the supervisor says so.
  const bool hangs = std::ranges::any_of(workers_, [](const Worker& worker) { return worker.open && !worker.has.empty(); });
  require(ended_ || (aborting_ && hangs), "the run comes to its end");
}

}  // namespace corral::simulation::tasks
