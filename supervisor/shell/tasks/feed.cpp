#include "supervisor/shell/tasks/feed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "common/base/units.hpp"
#include "supervisor/shell/tasks/shuffled_input.hpp"
#include "supervisor/shell/tasks/task_input.hpp"

namespace corral::shell {
namespace {

constexpr Duration progress_pause(ProgressStyle style) {
  return style == ProgressStyle::line ? Duration(std::chrono::milliseconds(250)) : Duration(std::chrono::seconds(10));
}

}  // namespace

Feed::Feed(FeedOptions options, FeedHooks hooks, ProgramId program, std::uint32_t workers)
    : options_(std::move(options)), hooks_(std::move(hooks)), workers_(workers), dispatcher_(options_.policy, program, workers) {
  options_.results.workers = workers;
}

Result<std::unique_ptr<Feed>> Feed::open(boost::asio::io_context& loop, FeedOptions options, FeedHooks hooks, ProgramId program,
                                         std::uint32_t workers) {
  std::unique_ptr<Feed> feed(new Feed(std::move(options), std::move(hooks), program, workers));
  auto channels = Channels::open(feed->options_.mode, feed->options_.longest_answer,
                                 [raw = feed.get()](Life life, const Message& message) { raw->receive(life, message); });
  if (!channels) {
    return std::unexpected(std::move(channels.error()));
  }
  feed->channels_ = std::move(*channels);
  if (Result<void> opened = feed->open_ends(loop); !opened) {
    return std::unexpected(std::move(opened.error()));
  }
  return feed;
}

Result<void> Feed::open_ends(boost::asio::io_context& loop) {
  reports_.emplace(loop, std::move(options_.reports), options_.mode == TaskMode::each, hooks_.say, hooks_.awake);
  options_.results.last_words = [this](Life life) { return reports_->last_words(life); };
  options_.results.text_of = [this](core::TaskSlot slot) { return store_.at(slot).bytes; };
  if (!options_.client_fd) {
    if (options_.shuffle) {
      input_ = std::make_shared<ShuffledInput>(loop, options_.input_fd, options_.longest_task, *options_.shuffle, hooks_.awake);
    } else if (!options_.state || !options_.state->retry_only) {
      input_ = std::make_shared<TaskInput>(loop, options_.input_fd, options_.longest_task, hooks_.awake);
    }
    if (options_.state) {
      LedgerHooks hooks{hooks_.awake, [this](std::string text) { hooks_.say(false, "state", std::move(text)); }};
      ledger_ = std::make_shared<Ledger>(loop, std::move(*options_.state), options_.results, std::move(input_),
                                         options_.mode != TaskMode::frames, std::move(hooks));
      input_ = ledger_;
      results_ = ledger_;
    } else {
      results_ = std::make_shared<Results>(loop, options_.results, hooks_.awake);
    }
    return {};
  }
  auto client = Client::open(loop, *options_.client_fd, hooks_.awake);
  if (!client) {
    return std::unexpected(std::move(client.error()));
  }
  client_ = std::move(*client);
  input_ = client_;
  results_ = client_;
  return {};
}

void Feed::step(Instant now, const core::TaskEvent& event) {
  now_ = now;
  actions_.clear();
  dispatcher_.step(now, event, actions_);
  for (const core::TaskAction& action : actions_) {
    std::visit([this](const auto& what) { perform(what); }, action);
  }
  if (!measured_.empty()) {
    for (const core::WorkerMeasured& measured : std::exchange(measured_, {})) {
      step(now, measured);
    }
  }
}

// ---- What workers say -----------------------------------------------------------------------------------------------

void Feed::take_ready(Instant now) {
  now_ = now;
  static_cast<void>(channels_->take_ready());
  proceed(now);
}

void Feed::receive(Life life, const Message& message) {
  switch (message.kind) {
    case Message::Kind::greeted: silent_until_ = never; return step(now_, core::WorkerGreeted{life});
    case Message::Kind::progressed: return pass_progress(life, message);
    case Message::Kind::resigned: return step(now_, core::WorkerResigned{life});
    case Message::Kind::closed: return step(now_, core::ChannelClosed{life});
    case Message::Kind::broken:
    case Message::Kind::too_long: return note_broken(life, message);
    case Message::Kind::answered:
      starvation_.answered(life, now_);
      answer_ = message.payload;
      return step(now_, core::TaskAnswered{life, message.task, message.answer});
  }
}

void Feed::note_broken(Life life, const Message& message) {
  broken_why_ = message.payload;
  ever_broken_ = true;
  step(now_, core::ChannelBroken{life, channels_->marked(life), message.kind == Message::Kind::too_long});
  broken_why_.clear();
}

void Feed::pass_progress(Life life, const Message& message) {
  step(now_, core::TaskProgressed{life, message.task});
  const auto head = client_ == nullptr ? std::nullopt : dispatcher_.head(life.worker.index);
  if (head && head->task == message.task) {
    client_->progressed(store_.at(head->slot).number, message.payload);
  }
}

void Feed::flush() {
  channels_->flush();
  tell_begun();
  results_->flush();
  reports_->flush(now_);
  look_at_output();
  if (options_.counts) {
    options_.counts->write(counts());
  }
}

// ---- Workers --------------------------------------------------------------------------------------------------------

Result<WorkerEnds> Feed::connect(Life life) {
  if (options_.mode == TaskMode::each && !work_of(life.worker)) {
    judge(life, core::WorkerJudged::As::dismissed);
    return failure("the task that it was for is left");
  }
  return channels_->connect(life);
}

void Feed::launched(Instant now, Life life, std::int32_t pid) {
  channels_->launched(life);
  launches_.resize(std::max<std::size_t>(launches_.size(), life.worker.index + std::size_t{1}));
  launches_[life.worker.index] = {pid, now};
  reports_->launched(life, pid);
  if (options_.mode == TaskMode::lines) {
    starvation_.begin(life, pid, now_);
  }
}

void Feed::launch_failed(Life life) {
  channels_->finish(life);
  starvation_.end(life);
}

void Feed::begin(Instant now) {
  if (begun_ == never) {
    begun_ = now;
    progress_due_ = options_.progress == ProgressStyle::none ? never : after(now, progress_pause(options_.progress));
    silent_until_ = options_.mode == TaskMode::frames && client_ == nullptr ? after(now, longest_silence) : never;
  }
}

void Feed::opened(Instant now, Life life) {
  begin(now);
  reports_->opened(life, now);
  step(now, core::ChannelOpened{life});
  if (options_.mode == TaskMode::each) {
    judge(life, core::WorkerJudged::As::dismissed);  // Until it is called again.
  }
}

std::optional<Feed::Work> Feed::work_of(WorkerId worker) const {
  if (options_.mode != TaskMode::each || worker.index >= called_for_.size() || !called_for_[worker.index]) {
    return std::nullopt;
  }
  const InputLine& line = store_.at(*called_for_[worker.index]);
  return Work{line.bytes, line.number};
}

void Feed::lost(Instant now, core::WorkerLost death) {
  now_ = now;
  if (death.life.worker.index < launches_.size()) {
    death.lived = now - launches_[death.life.worker.index].at;
  }
  const auto [output, miscounted, at] = channels_->finish(death.life);
  death.at = at;
  if (miscounted) {
    note_miscount(death);
  }
  starvation_.end(death.life);
  if (!dispatcher_.proven() && !dispatcher_.ended() && !ever_broken_ && client_ == nullptr) {
    const bool well = death.status == ExitStatus(ExitedWith{0});
    hint_at_modes(death.life, describe(death.status), !well);
  }
  answer_ = output;
  step(now, death);
  answer_ = {};
  reports_->lost(death, now);
  proceed(now);
}

std::optional<Instant> Feed::next_deadline() const {
  // While results wait for their reader nobody's answer is read, and so nobody is late.
  const Instant of_tasks = congested() ? never : dispatcher_.next_deadline().value_or(never);
  const Instant due = std::min({of_tasks, starvation_.next_look().value_or(never), progress_due_, silent_until_});
  return due == never ? std::nullopt : std::optional(due);
}

void Feed::pass_deadline(Instant now) {
  const bool tasks_due = !congested() && dispatcher_.next_deadline().value_or(never) <= now;
  if (tasks_due || starvation_.next_look().value_or(never) <= now) {
    for (const Life life : starvation_.look(now)) {
      step(now, core::WorkerStarved{life});
    }
  }
  if (progress_due_ <= now) {
    show_progress(now);
  }
  if (silent_until_ <= now) {
    hint_at_silence();
  }
  now_ = now;
  while (tasks_due && channels_->take_ready()) {
    // Who has answered in time is not late because nobody has looked.
  }
  if (tasks_due) {
    step(now, core::TaskDeadlineReached{});
  }
  proceed(now);
}

void Feed::show_progress(Instant now) {
  progress_due_ = dispatcher_.ended() ? never : after(now, progress_pause(options_.progress));
  const ProgressFacts facts{counts(), input_->taken(), now - begun_, dispatcher_.cells(),
                            ledger_ != nullptr ? ledger_->known() : 0};
  if (options_.progress == ProgressStyle::line) {
    hooks_.show(facts);
  } else {
    hooks_.say(false, "progress", progress_sentence(facts));
  }
}

}  // namespace corral::shell
