#include "supervisor/shell/tasks/feed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "common/base/units.hpp"

namespace corral::shell {
namespace {

/// Bytes of tasks that are held at once; one task may be longer.
constexpr std::size_t most_held = std::size_t{16} << 20U;

std::string story_of(const core::RecordTask& record) {
  if (record.mishap == core::Mishap::timeout) {
    return fmt::format("ran for {} and was not done", describe_duration(record.seconds));
  }
  if (record.mishap == core::Mishap::garbage) {
    return "its worker wrote what is no frame of the task protocol";
  }
  if (record.mishap == core::Mishap::unfit) {
    return "is longer than a task may be";
  }
  if (!record.death) {
    return "its worker is gone";
  }
  const core::WorkerLost& death = *record.death;
  return fmt::format("its worker {}{}{}, after {} ({} MiB at most)", death.status.killed() != nullptr ? "was " : "",
                     describe(death.status), death.out_of_memory ? " for lack of memory" : "", describe_duration(record.seconds),
                     death.usage.max_rss_bytes >> 20U);
}

}  // namespace

Feed::Feed(FeedOptions options, FeedHooks hooks, ProgramId program, std::uint32_t workers)
    : options_(std::move(options)), hooks_(std::move(hooks)), dispatcher_(options_.policy, program, workers) {}

Result<std::unique_ptr<Feed>> Feed::open(boost::asio::io_context& loop, FeedOptions options, FeedHooks hooks, ProgramId program,
                                         std::uint32_t workers) {
  std::unique_ptr<Feed> feed(new Feed(std::move(options), std::move(hooks), program, workers));
  auto channels = Channels::open(feed->options_.mode, feed->options_.longest,
                                 [raw = feed.get()](Life life, const Message& message) { raw->receive(life, message); });
  if (!channels) {
    return std::unexpected(std::move(channels.error()));
  }
  feed->channels_ = std::move(*channels);
  feed->results_.emplace(loop, feed->options_.results, feed->hooks_.awake);
  feed->input_.emplace(loop, feed->options_.input_fd, feed->options_.longest, feed->hooks_.awake);
  return feed;
}

void Feed::step(Instant now, const core::TaskEvent& event) {
  now_ = now;
  actions_.clear();
  dispatcher_.step(now, event, actions_);
  for (const core::TaskAction& action : actions_) {
    std::visit([this](const auto& what) { perform(what); }, action);
  }
}

// ---- Input and output -----------------------------------------------------------------------------------------------

void Feed::proceed(Instant now) {
  look_at_output();
  while (!input_told_ && dispatcher_.room() > 0 && store_.bytes() < most_held && !results_->congested()) {
    std::optional<InputLine> line = input_->next();
    if (!line) {
      if (input_->ended()) {
        input_told_ = true;
        if (input_->error_number() != 0) {
          hooks_.say(true, "input_failed",
                     system_error(fmt::format("cannot read {}", options_.input_name), input_->error_number()).message);
        }
        step(now, core::InputEnded{});
      }
      return;
    }
    if (line->bytes.empty() && !line->too_long && options_.mode == TaskMode::frames) {
      continue;  // An empty line is no JSON, and no task either.
    }
    const bool unfit = line->too_long;
    step(now, core::TaskSubmitted{store_.put(std::move(*line)), unfit});
  }
}

void Feed::take_ready(Instant now) {
  now_ = now;
  channels_->take_ready();
  proceed(now);
}

void Feed::receive(Life life, const Message& message) {
  switch (message.kind) {
    case Message::Kind::greeted: return step(now_, core::WorkerGreeted{life});
    case Message::Kind::progressed: return step(now_, core::TaskProgressed{life, message.task});
    case Message::Kind::broken: broken_why_ = message.payload; return step(now_, core::ChannelBroken{life});
    case Message::Kind::answered:
      starvation_.answered(life, now_);
      answer_ = message.payload;
      return step(now_, core::TaskAnswered{life, message.task, message.answer});
  }
}

void Feed::look_at_output() {
  if (results_->error_number() != 0 && !std::exchange(output_gone_, true)) {
    if (results_->error_number() != EPIPE) {
      hooks_.say(true, "output_failed",
                 system_error(fmt::format("cannot write results to {}", options_.output_name), results_->error_number()).message);
    }
    step(now_, core::DrainAsked{});
  }
}

void Feed::flush() {
  channels_->flush();
  results_->flush();
  look_at_output();
}

// ---- Workers --------------------------------------------------------------------------------------------------------

void Feed::launched(Life life, std::int32_t pid) {
  channels_->launched(life);
  if (options_.mode == TaskMode::lines) {
    starvation_.begin(life, pid, now_);
  }
}

void Feed::launch_failed(Life life) {
  channels_->finish(life);
  starvation_.end(life);
}

void Feed::opened(Instant now, Life life) { step(now, core::ChannelOpened{life}); }

void Feed::lost(Instant now, const core::WorkerLost& death) {
  now_ = now;
  channels_->finish(death.life);
  starvation_.end(death.life);
  if (!dispatcher_.proven() && !dispatcher_.ended()) {
    hint_at_modes(death.life, describe(death.status));
  }
  step(now, death);
  proceed(now);
}

/// Once: what most likely is wrong when nothing works at all.
void Feed::hint_at_modes(Life life, std::string what) {
  if (std::exchange(hinted_, true)) {
    return;
  }
  std::string text = fmt::format("worker {} {} before it had ", life.worker.index, what);
  text += options_.mode == TaskMode::frames
              ? "said HELLO: a command that does not speak the task protocol is a filter (--lines: a line in, a line out) or "
                "takes its task as an argument ({} in the command)"
              : "answered a line: with --lines the command reads lines from stdin and writes one line to stdout for each";
  hooks_.say(true, "no_answer", std::move(text));
}

std::optional<Instant> Feed::next_deadline() const {
  const Instant due = std::min(dispatcher_.next_deadline().value_or(never), starvation_.next_look().value_or(never));
  return due == never ? std::nullopt : std::optional(due);
}

void Feed::pass_deadline(Instant now) {
  if (starvation_.next_look().value_or(never) <= now) {
    for (const Life life : starvation_.look(now)) {
      step(now, core::WorkerStarved{life});
    }
  }
  step(now, core::TaskDeadlineReached{});
  proceed(now);
}

// ---- What the dispatcher asks for -----------------------------------------------------------------------------------

void Feed::perform(const core::DeliverTask& action) {
  channels_->deliver(action.life, action.task, store_.at(action.slot).bytes);
  starvation_.given(action.life, now_);
}

void Feed::perform(const core::RecallTask& action) { channels_->recall(action.life, action.task); }

void Feed::perform(const core::RecordTask& action) {
  const std::uint64_t line = store_.at(action.slot).number;
  const bool answered = !action.mishap || action.mishap == core::Mishap::reported;
  if (answered) {
    results_->add(action, line, answer_);
  } else {
    const std::string story = story_of(action);
    hooks_.say(true, "task_quarantined",
               fmt::format("task {}: {}; {} after {} attempt{}", line, story,
                           action.outcome == core::Outcome::failed ? "failed" : "quarantined", action.attempts,
                           action.attempts == 1 ? "" : "s"));
    results_->add(action, line, story);
  }
  store_.drop(action.slot);
}

void Feed::perform(const core::TellRetry& action) {
  if (action.mishap != core::Mishap::reported) {
    hooks_.say(false, "task_retried",
               fmt::format("worker {} was at task {}: attempt {} of {} follows{}", action.life.worker.index,
                           store_.at(action.slot).number, action.attempt + 1, action.of,
                           action.delay > Duration::zero() ? " in " + describe_duration(action.delay) : std::string()));
  }
}

void Feed::perform(const core::LeaveTask& action) {
  results_->skip(action.task);
  store_.drop(action.slot);
}

void Feed::perform(const core::VouchForWorker& action) { judge(action.life, core::WorkerJudged::As::proven); }

void Feed::perform(const core::ReplaceWorker& action) {
  using enum core::ReplaceWorker::Why;
  switch (action.why) {
    case timeout:
    case room_for_fresh: break;
    case broken_channel:
      hooks_.say(true, "channel_broken", fmt::format("worker {} {}: it is replaced", action.life.worker.index, broken_why_));
      break;
    case never_greeted: hint_at_modes(action.life, "ran for " + describe_duration(options_.policy.greet_within)); break;
  }
  judge(action.life, action.own_fault ? core::WorkerJudged::As::failing : core::WorkerJudged::As::outdated);
}

void Feed::perform(const core::DismissWorker& action) {
  channels_->close_input(action.life);
  judge(action.life, core::WorkerJudged::As::dismissed);
}

void Feed::perform(const core::StopWorker& action) { judge(action.life, core::WorkerJudged::As::unwanted); }
void Feed::perform(const core::CloseInput& action) { channels_->close_input(action.life); }
void Feed::perform(const core::EndTasks&) { hooks_.judge(core::TasksEnded{}); }

// ---- The end --------------------------------------------------------------------------------------------------------

int Feed::status(int by, int otherwise) const {
  const core::TaskCounts& counts = dispatcher_.counts();
  const bool left = counts.left > 0 || counts.queued + counts.in_work > 0 || !input_told_;
  if (left && by != 0) {
    return 128 + by;
  }
  if (left && output_gone_) {
    return results_->error_number() == EPIPE ? 128 + SIGPIPE : 1;
  }
  if (left) {
    return dispatcher_.proven() ? 1 : 125;
  }
  if (output_gone_ || input_->error_number() != 0 || counts.failed + counts.quarantined > 0) {
    return 1;
  }
  return otherwise;
}

std::string Feed::summary() const {
  const core::TaskCounts& counts = dispatcher_.counts();
  std::string text = fmt::format("{} of {} tasks done", counts.done, counts.accepted);
  const auto add = [&](std::uint64_t count, std::string_view what) {
    if (count > 0) {
      text += fmt::format(", {} {}", count, what);
    }
  };
  add(counts.failed, "failed");
  add(counts.quarantined, "quarantined");
  add(counts.retries, counts.retries == 1 ? "retry" : "retries");
  add(counts.dropped, "stray answers dropped");
  const std::uint64_t open = counts.left + counts.queued + counts.in_work;
  if (open > 0 || !input_told_) {
    text += fmt::format("; {} not done, and what the input still holds", open);
  }
  return text;
}

}  // namespace corral::shell
