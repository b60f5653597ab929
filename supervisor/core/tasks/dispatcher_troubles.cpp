// Workers that fall silent, write garbage, hold back or die.
#include <algorithm>
#include <utility>

#include "supervisor/core/tasks/dispatcher.hpp"

namespace corral::core {

void Dispatcher::on(const ChannelBroken& event) {
  Lane* lane = find(event.life);
  if (lane == nullptr || std::holds_alternative<Condemned>(lane->state)) {
    return;
  }
  condemn(*lane, ReplaceWorker::Why::broken_channel, &event);
  seat_suspects();
  feed_the_hungry();
}

/// Its process ends in a moment as a rule, and tells more by how it does.
void Dispatcher::on(const ChannelClosed& event) {
  Lane* lane = policy_.each ? nullptr : find(event.life);  // A process for one task may close its stdout and go on.
  if (auto* serving = lane == nullptr ? nullptr : std::get_if<Serving>(&lane->state)) {
    serving->closed_by = after(now_, policy_.die_within);
    wake_at(serving->closed_by);
  } else if (lane != nullptr && std::holds_alternative<Greeting>(lane->state)) {
    std::get<Greeting>(lane->state).greet_by = after(now_, policy_.die_within);  // It will not say it any more.
    wake_at(after(now_, policy_.die_within));
  }
}

void Dispatcher::on(const TimeLost& event) {
  for (Lane& lane : lanes_) {
    if (auto* serving = std::get_if<Serving>(&lane.state); serving != nullptr && !serving->in_work.empty()) {
      serving->heard = std::min(now_, after(serving->heard, event.lost));
    } else if (auto* greeting = std::get_if<Greeting>(&lane.state)) {
      greeting->greet_by = after(greeting->greet_by, event.lost);
    }
  }
}

void Dispatcher::on(const WorkerStarved& event) {
  Lane* lane = find(event.life);
  auto* serving = lane == nullptr ? nullptr : std::get_if<Serving>(&lane->state);
  if (serving == nullptr || serving->in_work.empty() || serving->flushing || serving->going) {
    return;
  }
  serving->heard = now_;  // It does not work: that is no time of its task.
  const std::size_t before = serving->in_work.size();
  if (!serving->alone && !draining_) {
    serving->least = std::max(serving->least, static_cast<std::uint32_t>(std::min<std::size_t>(before * 2, 1U << 20U)));
    fill(*lane);
  }
  // With an order nothing is read before the oldest ones are recorded, which may be those that it holds back.
  const bool order_is_full = policy_.order_span && counts_.accepted - oldest_ >= *policy_.order_span;
  const bool nothing_comes =
      serving->alone || draining_ || is_used_up(*lane, *serving) || (ready_.empty() && (input_ended_ || order_is_full));
  if (serving->in_work.size() == before && nothing_comes) {
    serving->flushing = true;
    act(CloseInput{lane->life()});
  }
}

void Dispatcher::on(const WorkerResigned& event) {
  Lane* lane = find(event.life);
  if (lane == nullptr) {
    return;
  }
  if (auto* serving = std::get_if<Serving>(&lane->state)) {
    give_back(*serving);
  } else if (const auto* holding = std::get_if<Holding>(&lane->state)) {
    suspects_.push_front(holding->suspect);
  } else if (!std::holds_alternative<Warm>(lane->state)) {
    return;
  }
  let_go(*lane);
  hand_over();
  seat_suspects();
  feed_the_hungry();
}

void Dispatcher::on(const WorkerLost& event) {
  Lane* lane = find(event.life);
  if (lane == nullptr) {
    return;
  }
  // Its successor, called in time, is that of a death too; and while all drains nobody is given anything any more.
  if (lane->wanted && (draining_ ? !policy_.each : lane->on_duty() && is_followed(*lane))) {
    lane->wanted = false;
    act(DismissWorker{lane->life()});
  }
  give_up_life(*lane, &event);
  hand_over();
  if (policy_.each) {
    lane->state = Idle{};
    if (!std::exchange(lane->hungry, true)) {
      hungry_.push_back(lane->worker.index);
    }
  }
  seat_suspects();
  feed_the_hungry();
}

/// Answers of tiny tasks share a write, so some that were done may be without one: the worker's mark tells them from the one in
/// work. Who marks none, or one that it does not have, is taken to be at the oldest.
TaskSlot Dispatcher::take_culprit(Serving& serving, std::optional<TaskId> marked) {
  auto found = serving.in_work.begin();
  if (marked) {
    const auto at = std::ranges::find(serving.in_work, *marked, [this](TaskSlot slot) { return task_in(slot).id; });
    found = at == serving.in_work.end() ? found : at;
  }
  const TaskSlot culprit = *found;
  serving.in_work.erase(found);
  --counts_.in_work;
  return culprit;
}

/// What it was at is its fault, as far as anybody can tell; the rest goes back. `death` is null where it cannot even be killed.
void Dispatcher::give_up_life(Lane& lane, const WorkerLost* death) {
  LaneState state = std::exchange(lane.state, Vacant{});
  duty_over_ = true;
  if (auto* serving = std::get_if<Serving>(&state); serving != nullptr && !serving->in_work.empty()) {
    if (lane.greeted || proven_) {
      vouch(lane);
    }
    const TaskSlot culprit = take_culprit(*serving, death == nullptr ? std::nullopt : death->at);
    // Who is being stopped may say so with any status; only a 0 is still an answer then.
    const bool is_answer = policy_.each && death != nullptr && (!aborting_ || death->status == ExitStatus(ExitedWith{0}));
    // A process for one task may have ended before it was seen to run: it took as long as it lived.
    const Duration spent = policy_.each && death != nullptr ? std::max(took(*serving), death->lived) : took(*serving);
    is_answer ? end_called(lane, culprit, spent, *death) : blame(lane, culprit, Mishap::died, spent, death);
    give_back(*serving);
  } else if (auto* holding = std::get_if<Holding>(&state)) {
    suspects_.push_front(holding->suspect);  // It was lost before it was given anything.
  } else if (const auto* called = std::get_if<Called>(&state)) {
    --counts_.in_work;
    ++counts_.queued;
    requeue(called->slot);
  }
}

}  // namespace corral::core
