#include "supervisor/core/tasks/dispatcher.hpp"

#include <algorithm>
#include <utility>

#include "common/base/check.hpp"

namespace corral::core {

Dispatcher::Dispatcher(TaskPolicy policy, ProgramId program, std::uint32_t workers)
    : policy_(std::move(policy)), workers_(workers) {
  timeout_ = policy_.timeout;
  CORRAL_CHECK(workers > 0 && policy_.most_queued > 0 && policy_.widest_window > 0);
  const std::uint32_t slots = policy_.relieves() ? 2 * workers : workers;
  lanes_.reserve(slots);
  for (std::uint32_t index = 0; index < slots; ++index) {
    lanes_.push_back({WorkerId{program, index}});
    lanes_.back().wanted = index < workers;
    if (policy_.each) {
      lanes_.back().state = Idle{};
      lanes_.back().hungry = true;
      hungry_.push_back(index);
    }
  }
}

void Dispatcher::step(Instant now, const TaskEvent& event, TaskActions& actions) {
  CORRAL_CHECK(now >= now_);
  now_ = now;
  actions_ = &actions;
  std::visit([this](const auto& happened) { on(happened); }, event);
  hand_over();
  maybe_halt();
  watch_suspects();
  maybe_end();
  CORRAL_CHECK(counts_.balanced());
  actions_ = nullptr;
}

std::optional<Instant> Dispatcher::next_deadline() const { return wake_at_ == never ? std::nullopt : std::optional(wake_at_); }

std::uint64_t Dispatcher::room() const {
  if (input_ended_ || draining_) {
    return 0;
  }
  std::uint64_t room = policy_.most_queued - std::min<std::uint64_t>(policy_.most_queued, ready_.size());
  if (policy_.order_span) {
    room = std::min(room, *policy_.order_span - std::min(*policy_.order_span, counts_.accepted - oldest_));
  }
  return room;
}

std::uint32_t Dispatcher::window() const {
  if (mean_ < 0) {
    return 1;  // The first one tells.
  }
  const double worth = static_cast<double>(policy_.window_worth.count());
  if (mean_ >= worth) {
    return 1;
  }
  const double most = policy_.widest_window;
  return static_cast<std::uint32_t>(std::min(most, 1 + worth / std::max(mean_, 1.0)));
}

void Dispatcher::note_duration(Duration took) {
  const auto sample = static_cast<double>(took.count());
  constexpr double weight = 1.0 / 16;
  mean_ = mean_ < 0 ? sample : mean_ + (sample - mean_) * weight;
}

/// Where the timeout follows from what tasks take.
void Dispatcher::note_done(Duration took) {
  if (!policy_.timeout_of_median) {
    return;
  }
  durations_.add(took);
  if (durations_.count() < TaskPolicy::median_counts_from) {
    return;
  }
  const double median = static_cast<double>(durations_.quantile(0.5).count());
  const auto scaled = static_cast<Duration::rep>(std::min(median * *policy_.timeout_of_median, 9e18));
  const Duration timeout = std::max(TaskPolicy::least_timeout, Duration(scaled));
  if (!timeout_ || timeout < *timeout_) {
    wake_at(now_);  // Those in work may be late by that.
  }
  timeout_ = timeout;
}

// ---- Input ----------------------------------------------------------------------------------------------------------

void Dispatcher::on(const TaskSubmitted& event) {
  CORRAL_CHECK(!input_ended_);
  if (number(event.slot) >= tasks_.size()) {
    tasks_.resize(number(event.slot) + std::size_t{1});
  }
  Task& task = tasks_[number(event.slot)];
  CORRAL_CHECK(!task.known);
  task = Task{TaskId{counts_.accepted++}};
  task.known = true;
  if (policy_.order_span) {
    recorded_.push_back(false);
  }
  ++counts_.queued;
  if (draining_) {
    return leave(event.slot);  // It was on its way when the drain was asked for.
  }
  if (event.unfit) {
    --counts_.queued;
    return record(event.slot, {event.slot, task.id, Outcome::failed, 0, {}, {}, Mishap::unfit, {}});
  }
  ready_.push_back(event.slot);
  feed_the_hungry();
}

void Dispatcher::on(const InputEnded&) { input_ended_ = true; }

// ---- Workers --------------------------------------------------------------------------------------------------------

void Dispatcher::on(const ChannelOpened& event) {
  CORRAL_CHECK(event.life.worker.index < lanes_.size());
  Lane& lane = lanes_[event.life.worker.index];
  CORRAL_CHECK((policy_.each || std::holds_alternative<Vacant>(lane.state) || std::holds_alternative<Closed>(lane.state)) &&
               event.life.incarnation > lane.incarnation);
  lane.incarnation = event.life.incarnation;
  lane.greeted = lane.vouched = lane.worn = lane.spent = false;
  lane.wanted = true;
  lane.called_at = std::min(lane.called_at, now_);
  if (policy_.max_age) {
    lane.old_at = after(now_, age_of(*policy_.max_age, lane.worker.index, number(lane.incarnation)));
    lane.spent_at = after(now_, *policy_.max_age);
  }
  if (policy_.each) {
    return begin_called(lane);
  }
  if (ended_) {
    lane.state = Leaving{now_, true};
    lane.wanted = false;
    return act(StopWorker{event.life});
  }
  if (policy_.greets) {
    lane.state = Greeting{after(now_, policy_.greet_within)};
    return wake_at(std::get<Greeting>(lane.state).greet_by);
  }
  begin_serving(lane);
}

void Dispatcher::on(const WorkerGreeted& event) {
  Lane* lane = find(event.life);
  if (lane == nullptr || !std::holds_alternative<Greeting>(lane->state)) {
    return;  // It greets twice, or too late.
  }
  lane->greeted = true;
  proven_ = true;
  start_ = std::max(start_, now_ - std::exchange(lane->called_at, never));
  begin_serving(*lane);
}

void Dispatcher::on(const TaskAnswered& event) {
  Lane* lane = find(event.life);
  auto* serving = lane == nullptr ? nullptr : std::get_if<Serving>(&lane->state);
  if (serving == nullptr) {
    ++counts_.dropped;
    return;
  }
  const auto found = std::ranges::find_if(serving->in_work, [&](TaskSlot slot) { return task_in(slot).id == event.task; });
  if (found == serving->in_work.end()) {
    ++counts_.dropped;
    return;
  }
  const TaskSlot slot = *found;
  const Duration duration = took(*serving);
  const bool was_head = found == serving->in_work.begin();
  if (!was_head) {
    serving->in_work.erase(found);
  } else {
    serving->in_work.pop_front();
    serving->head_since = serving->heard = now_;  // Its deadline is not before that of the one before it.
    if (event.answer != Answer::given_back) {
      note_duration(duration);
    }
  }
  // Somebody has asked the worker to end, who is not us.
  serving->going = serving->going || (event.answer == Answer::given_back && !draining_ && !task_in(slot).recalled);
  settle_answer(*lane, slot, event.answer, duration);
  serve(*lane);
  if (event.answer != Answer::result) {
    seat_suspects();
    feed_the_hungry();  // It may be tried again, and this worker may have enough.
  }
}

void Dispatcher::on(const TaskProgressed& event) {
  Lane* lane = find(event.life);
  auto* serving = lane == nullptr ? nullptr : std::get_if<Serving>(&lane->state);
  if (serving != nullptr && !serving->in_work.empty() && task_in(serving->in_work.front()).id == event.task) {
    serving->heard = now_;
  }
}

// ---- The end --------------------------------------------------------------------------------------------------------

void Dispatcher::on(const DrainAsked&) {
  if (std::exchange(draining_, true)) {
    return;
  }
  leave_queued();
  leave_called();
  for (Lane& lane : lanes_) {
    recall_prefetched(lane);
  }
}

void Dispatcher::on(const AbortAsked&) {
  if (!draining_) {
    on(DrainAsked{});
  }
  aborting_ = true;
}

void Dispatcher::on(const TaskDeadlineReached&) {
  if (now_ < wake_at_) {
    return;
  }
  wake_at_ = never;
  measure();
  for (Lane& lane : lanes_) {
    look_at(lane);
    age(lane);
    decide_overdue(lane);
  }
  hand_over();
  make_room_for_fresh();
  hand_over();
  seat_suspects();
  feed_the_hungry();
  std::ranges::for_each(lanes_, [this](const Lane& lane) { wake_for_age(lane); });
}

// ---- Looking around -------------------------------------------------------------------------------------------------

std::string Dispatcher::cells() const {
  std::string cells(workers_, '.');
  for (const Lane& lane : lanes_) {
    const auto* serving = std::get_if<Serving>(&lane.state);
    const bool none = std::holds_alternative<Vacant>(lane.state) || std::holds_alternative<Closed>(lane.state);
    char& cell = cells[lane.worker.index % workers_];
    if (serving != nullptr && !serving->in_work.empty()) {
      cell = '#';
    } else if (!none && cell == '.') {
      cell = '-';
    }
  }
  return cells;
}

Lane* Dispatcher::find(Life life) {
  if (life.worker.index >= lanes_.size()) {
    return nullptr;
  }
  Lane& lane = lanes_[life.worker.index];
  const bool alive = !std::holds_alternative<Vacant>(lane.state) && !std::holds_alternative<Closed>(lane.state);
  return alive && lane.life() == life ? &lane : nullptr;
}

const Dispatcher::Task& Dispatcher::task_in(TaskSlot slot) const {
  CORRAL_CHECK(number(slot) < tasks_.size() && tasks_[number(slot)].known);
  return tasks_[number(slot)];
}

Dispatcher::Task& Dispatcher::task_in(TaskSlot slot) {
  CORRAL_CHECK(number(slot) < tasks_.size() && tasks_[number(slot)].known);
  return tasks_[number(slot)];
}

}  // namespace corral::core
