// One worker: what it is given, how long it may take, how it leaves.
#include <algorithm>
#include <utility>

#include "common/base/check.hpp"
#include "supervisor/core/tasks/dispatcher.hpp"

namespace corral::core {

/// A fresh worker. Who has taken another one down goes first: nobody else shall be beside it.
void Dispatcher::begin_serving(Lane& lane) {
  if (stand_by(lane)) {
    return;
  }
  if (!suspects_.empty()) {
    const TaskSlot suspect = suspects_.front();
    suspects_.pop_front();
    lane.state = Holding{suspect, task_in(suspect).not_before};
    return look_at(lane);
  }
  lane.state = Serving{};
  serve(lane);
}

/// After every change of what it has.
void Dispatcher::serve(Lane& lane) {
  auto& serving = std::get<Serving>(lane.state);
  if (serving.going) {
    return serving.in_work.empty() ? let_go(lane) : void();
  }
  if (serving.in_work.empty() && (serving.flushing || is_used_up(lane, serving))) {
    if (!serving.flushing) {
      go(lane);
    }
    return begin_leaving(lane);
  }
  serving.alone = false;  // It was answered.
  // Not after every answer: a worker that has half a window left is not waiting.
  if (serving.in_work.size() <= std::max(window(), serving.least) / 2) {
    fill(lane);
  }
}

void Dispatcher::fill(Lane& lane) {
  auto& serving = std::get<Serving>(lane.state);
  if (draining_ || serving.flushing || serving.going || serving.closed_by != never) {
    return;
  }
  const std::size_t wide = std::max(window(), serving.least);
  // Where little is left, everybody gets a share of it.
  const std::size_t share = std::max<std::size_t>(1, ready_.size() / workers_);
  const std::size_t most = serving.least > 1 ? wide : std::min(wide, serving.in_work.size() + share);
  while (serving.in_work.size() < most && !ready_.empty() && !is_used_up(lane, serving)) {
    const TaskSlot slot = ready_.front();
    ready_.pop_front();
    deliver(lane, serving, slot);
  }
  if (serving.in_work.size() < wide && !is_used_up(lane, serving) && !std::exchange(lane.hungry, true)) {
    hungry_.push_back(lane.worker.index);
  }
}

void Dispatcher::deliver(Lane& lane, Serving& serving, TaskSlot slot) {
  CORRAL_CHECK(!draining_);
  if (serving.in_work.empty()) {
    serving.head_since = serving.heard = now_;
    if (timeout_) {
      wake_at(after(now_, *timeout_));
    }
  }
  const bool first = std::exchange(serving.untouched, false);
  serving.in_work.push_back(slot);
  ++serving.given;
  measure_soon();
  task_in(slot).recalled = false;
  --counts_.queued;
  ++counts_.in_work;
  act(DeliverTask{lane.life(), slot, task_in(slot).id});
  call_in_time(lane, serving);
  if (first) {
    age(lane);  // It may have been kept for long without a task.
    wake_for_age(lane);
  }
}

/// Something can be given out now.
bool Dispatcher::has_ready() const {
  return !draining_ && (!ready_.empty() || (policy_.each && !suspects_.empty() && task_in(suspects_.front()).not_before <= now_));
}

void Dispatcher::feed_the_hungry() {
  // Each once: who is still hungry after that has put itself at the end of the list again.
  for (std::size_t left = hungry_.size(); left > 0 && has_ready(); --left) {
    Lane& lane = lanes_[hungry_.front()];
    hungry_.pop_front();
    lane.hungry = false;
    const auto* serving = std::get_if<Serving>(&lane.state);
    if (std::holds_alternative<Idle>(lane.state)) {
      call(lane);
    } else if (serving != nullptr && !serving->alone) {
      fill(lane);
    }
  }
  if (policy_.each && !suspects_.empty()) {
    wake_at(std::max(now_, task_in(suspects_.front()).not_before));
  }
}

/// Who has not had a task yet is as fresh as one that has just come.
void Dispatcher::seat_suspects() {
  for (Lane& lane : lanes_) {
    if (suspects_.empty()) {
      return;
    }
    if (const auto* serving = std::get_if<Serving>(&lane.state); serving != nullptr && serving->untouched) {
      begin_serving(lane);
    }
  }
}

/// A worker may never be followed by a fresh one: its process cannot be killed, or nothing can be started any more. The others
/// would wait for input, and the suspects for a fresh worker, for ever.
void Dispatcher::watch_suspects() {
  if (policy_.each || suspects_.empty() || !ready_.empty() || counts_.in_work > 0) {
    make_room_at_ = never;
  } else if (make_room_at_ == never) {
    make_room_at_ = after(now_, policy_.greet_within);
    wake_at(make_room_at_);
  }
}

void Dispatcher::make_room_for_fresh() {
  if (suspects_.empty()) {
    return;  // Who has just taken over was fresh.
  }
  if (now_ < make_room_at_) {
    return wake_at(make_room_at_);
  }
  make_room_at_ = never;
  const auto idle = std::ranges::find_if(lanes_, [](const Lane& lane) {
    const auto* serving = std::get_if<Serving>(&lane.state);
    return serving != nullptr && serving->in_work.empty();
  });
  if (idle != lanes_.end()) {
    condemn(*idle, ReplaceWorker::Why::room_for_fresh);
  }
}

/// Does what is due for a lane, and notes when something will be.
void Dispatcher::look_at(Lane& lane) {
  if (const auto* greeting = std::get_if<Greeting>(&lane.state)) {
    if (now_ >= greeting->greet_by) {
      return condemn(lane, ReplaceWorker::Why::never_greeted);
    }
    return wake_at(greeting->greet_by);
  }
  if (const auto* holding = std::get_if<Holding>(&lane.state)) {
    if (now_ < holding->begin_at) {
      return wake_at(holding->begin_at);
    }
    const TaskSlot suspect = holding->suspect;
    lane.state = Serving{};
    auto& serving = std::get<Serving>(lane.state);
    serving.alone = true;
    return deliver(lane, serving, suspect);
  }
  if (const auto* closed = std::get_if<Serving>(&lane.state); closed != nullptr && closed->closed_by != never) {
    if (now_ >= closed->closed_by) {
      return condemn(lane, ReplaceWorker::Why::broken_channel);
    }
    wake_at(closed->closed_by);
  }
  if (auto* serving = std::get_if<Serving>(&lane.state); serving != nullptr && timeout_ && !serving->in_work.empty()) {
    const Instant due = after(serving->heard, *timeout_);
    return now_ >= due ? time_out(lane, *serving) : wake_at(due);
  }
  if (auto* leaving = std::get_if<Leaving>(&lane.state); leaving != nullptr && !leaving->stopped) {
    if (now_ < leaving->stop_at) {
      return wake_at(leaving->stop_at);
    }
    if (!ended_) {
      return condemn(lane, ReplaceWorker::Why::timeout);
    }
    leaving->stopped = true;
    lane.wanted = false;
    act(StopWorker{lane.life()});
  }
}

void Dispatcher::time_out(Lane& lane, Serving& serving) {
  const TaskSlot head = serving.in_work.front();
  serving.in_work.pop_front();
  --counts_.in_work;
  blame(lane, head, Mishap::timeout, took(serving), nullptr);
  condemn(lane, ReplaceWorker::Why::timeout);
}

void Dispatcher::condemn(Lane& lane, ReplaceWorker::Why why, const ChannelBroken* broken) {
  // Who is to go anyway is followed by nobody in its own slot.
  const bool relieved = !lane.wanted || (lane.on_duty() && (is_followed(lane) || (draining_ && !policy_.each)));
  LaneState state = std::exchange(lane.state, Condemned{});
  bool own_fault = why != ReplaceWorker::Why::timeout && why != ReplaceWorker::Why::room_for_fresh;
  own_fault = own_fault || (std::holds_alternative<Leaving>(state) && !lane.vouched);  // It said that it goes, and did nothing.
  if (auto* serving = std::get_if<Serving>(&state)) {
    if (why == ReplaceWorker::Why::broken_channel && !serving->in_work.empty()) {
      const TaskSlot culprit = take_culprit(*serving, broken != nullptr ? broken->at : std::nullopt);
      own_fault = false;
      blame(lane, culprit, broken != nullptr && broken->too_long ? Mishap::too_long : Mishap::garbage, took(*serving), nullptr);
    }
    give_back(*serving);
  } else if (auto* holding = std::get_if<Holding>(&state)) {
    suspects_.push_front(holding->suspect);
  }
  if (!own_fault && (lane.greeted || proven_)) {
    vouch(lane);
  }
  lane.wanted = !relieved;
  act(ReplaceWorker{lane.life(), why, own_fault, relieved});
  duty_over_ = true;
}

void Dispatcher::dismiss(Lane& lane) {
  if (std::holds_alternative<Serving>(lane.state) || std::holds_alternative<Warm>(lane.state)) {
    lane.wanted = false;
    begin_leaving(lane);
    act(DismissWorker{lane.life()});
  } else if (std::holds_alternative<Greeting>(lane.state)) {
    lane.wanted = false;
    lane.state = Leaving{now_, true};
    act(StopWorker{lane.life()});
  }
}

/// It ends, and nobody here has told it to: it has its time for that, and is followed as after a death.
void Dispatcher::let_go(Lane& lane) {
  const auto* serving = std::get_if<Serving>(&lane.state);
  if (lane.wanted && lane.on_duty() && is_followed(lane)) {
    lane.wanted = false;
    act(DismissWorker{lane.life()});
  } else if (serving == nullptr || !serving->flushing) {
    act(CloseInput{lane.life()});
  }
  begin_leaving(lane);
}

void Dispatcher::begin_leaving(Lane& lane) {
  lane.state = Leaving{after(now_, policy_.leave_within)};
  duty_over_ = true;
  wake_at(std::get<Leaving>(lane.state).stop_at);
}

void Dispatcher::on(const SlotClosed& event) {
  CORRAL_CHECK(event.worker.index < lanes_.size());
  Lane& lane = lanes_[event.worker.index];
  give_up_life(lane, nullptr);
  lane.state = Closed{};
  hand_over();
  if (std::ranges::all_of(lanes_, [](const Lane& one) { return !one.wanted || std::holds_alternative<Closed>(one.state); })) {
    on(DrainAsked{});  // Nobody is left who could do anything.
  }
  seat_suspects();
  feed_the_hungry();
}

void Dispatcher::vouch(Lane& lane) {
  if (!std::exchange(lane.vouched, true)) {
    act(VouchForWorker{lane.life()});
  }
}

/// Those behind the front one have not begun: whoever understands it gives them back.
void Dispatcher::recall_prefetched(Lane& lane) {
  auto* serving = std::get_if<Serving>(&lane.state);
  if (serving == nullptr || !policy_.can_give_back) {
    return;
  }
  for (std::size_t i = 1; i < serving->in_work.size(); ++i) {
    Task& task = task_in(serving->in_work[i]);
    task.recalled = true;
    act(RecallTask{lane.life(), task.id});
  }
}

}  // namespace corral::core
