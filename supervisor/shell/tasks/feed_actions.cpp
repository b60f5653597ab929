// What the dispatcher asks for, done: bytes are moved, people and the supervisor are told.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "common/base/units.hpp"
#include "supervisor/shell/tasks/feed.hpp"
#include "supervisor/shell/tasks/story.hpp"

namespace corral::shell {
void Feed::perform(const core::DeliverTask& action) {
  channels_->deliver(action.life, action.task, store_.at(action.slot).bytes);
  starvation_.given(action.life, now_);
}

void Feed::perform(const core::CallWorker& action) {
  if (action.worker.index >= called_for_.size()) {
    called_for_.resize(action.worker.index + std::size_t{1});
  }
  called_for_[action.worker.index] = action.slot;
  hooks_.judge(core::WorkerCalled{action.worker});
}

void Feed::perform(const core::CallRelief& action) { hooks_.judge(core::WorkerCalled{action.worker}); }
void Feed::perform(const core::RecallTask& action) { channels_->recall(action.life, action.task); }

void Feed::perform(const core::RecordTask& action) {
  const std::uint64_t line = store_.at(action.slot).number;
  const std::string_view text = store_.at(action.slot).bytes;
  const bool answered = !action.mishap || action.mishap == core::Mishap::reported;
  if (answered) {
    reports_->recorded(action, line, answer_, text, now_);
    results_->add(action, line, answer_);
  } else {
    const std::string story = action.mishap == core::Mishap::unfit ? why_unfit(action.slot) : story_sentence(action, broken_why_);
    hooks_.say(client_ == nullptr, "task_quarantined",  // A client is told with the answer.
               fmt::format("task {}: {}; {} after {} attempt{}", line, story,
                           action.outcome == core::Outcome::failed ? "failed" : "quarantined", action.attempts,
                           action.attempts == 1 ? "" : "s"));
    reports_->recorded(action, line, story, text, now_);
    core::RecordTask named = action;
    named.life.worker.index = seat(action.life);
    results_->add(client_ != nullptr ? named : action, line, story);
  }
  forget_call(action.slot);
  store_.drop(action.slot);
}

void Feed::perform(const core::TellRetry& action) {
  reports_->retried(action, store_.at(action.slot).number, store_.at(action.slot).bytes, now_);
  if (action.mishap != core::Mishap::reported) {
    hooks_.say(false, "task_retried",
               fmt::format("worker {} was at task {}: attempt {} of {} follows{}", seat(action.life),
                           store_.at(action.slot).number, action.attempt + 1, action.of,
                           action.delay > Duration::zero() ? " in " + describe_duration(action.delay) : std::string()));
  }
}

/// Its bytes go: no process may be made from them any more.
void Feed::forget_call(core::TaskSlot slot) {
  std::ranges::replace(called_for_, std::optional(slot), std::optional<core::TaskSlot>());
}

void Feed::perform(const core::LeaveTask& action) {
  forget_call(action.slot);
  results_->skip(action.task, store_.at(action.slot).number);
  store_.drop(action.slot);
}

void Feed::perform(const core::VouchForWorker& action) { judge(action.life, core::WorkerJudged::As::proven); }

void Feed::perform(const core::ReplaceWorker& action) {
  using enum core::ReplaceWorker::Why;
  switch (action.why) {
    case timeout:
    case room_for_fresh: break;
    case broken_channel:
      hooks_.say(true, "channel_broken",
                 fmt::format("worker {} {}: it is replaced", seat(action.life),
                             broken_why_.empty() ? "closed its channel and lived on" : broken_why_));
      break;
    case never_greeted: hint_at_modes(action.life, "ran for " + describe_duration(options_.policy.greet_within), false); break;
  }
  judge(action.life, action.relieved    ? core::WorkerJudged::As::unwanted
                     : action.own_fault ? core::WorkerJudged::As::failing
                                        : core::WorkerJudged::As::outdated);
}

void Feed::perform(const core::DismissWorker& action) {
  channels_->close_input(action.life);
  judge(action.life, core::WorkerJudged::As::dismissed);
}

void Feed::perform(const core::StopWorker& action) { judge(action.life, core::WorkerJudged::As::unwanted); }
void Feed::perform(const core::CloseInput& action) { channels_->close_input(action.life); }
void Feed::perform(const core::HaltTasks& action) {
  hooks_.say(true, "halted",
             fmt::format("{} task{} failed, which is what --halt allows: no other begins", action.failures,
                         action.failures == 1 ? "" : "s"));
  if (action.at_once) {
    hooks_.judge(core::TasksHalted{});
  }
}

void Feed::perform(const core::EndTasks&) { hooks_.judge(core::TasksEnded{}); }

}  // namespace corral::shell
