#include "supervisor/shell/pump.hpp"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "common/base/check.hpp"

namespace corral::shell {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

/// How long a reader of stdout or stderr is waited for at the end.
constexpr Duration last_words = 1s;

/// Between a launch and the moment at which its worker is told to die before the supervisor, and between batches of those.
constexpr Duration score_pause = 50ms;
/// Not longer than this from the beginning, whoever is still to be launched.
constexpr Duration longest_start = 1s;
constexpr Duration batch_pause = 10ms;

/// Signals are looked for after so many launches, each of a fraction of a millisecond.
constexpr std::uint32_t launches_between_looks = 16;

}  // namespace

Pump::Pump(PumpOptions options) : options_(std::move(options)), core_(options_.core) {}

Pump::~Pump() {
  // The descriptors belong to their rooms; Asio only watched them.
  for (asio::posix::stream_descriptor* watched : {&signals_ready_, &output_ready_, &tasks_ready_}) {
    if (watched->is_open()) {
      static_cast<void>(watched->release());
    }
  }
}

Instant Pump::now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return Instant(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

int Pump::supervise(Prepared prepared) {
  started_at_ = now();
  numbers_.assign(prepared.plan);
  adopt(prepared);
  for (std::string& note : prepared.notes) {
    say(Weight::notable, "note", std::move(note));
  }
  std::size_t workers = 0;
  for (const core::PlannedProgram& planned : prepared.plan.programs) {
    workers += planned.workers();
  }
  if (options_.feed) {
    if (const Result<void> opened = open_feed(static_cast<std::uint32_t>(workers) - prepared.plan.programs.front().reliefs);
        !opened) {
      say(Weight::trouble, "no_feed", opened.error().message);
      voice_->finish(last_words);
      return 125;
    }
  }
  processes_->expect(workers);
  core_.start(now(), prepared.plan, actions_);
  for (const core::Action& action : std::exchange(actions_, {})) {
    perform(action);
  }
  watch_signals();
  watch_output();
  if (feed_) {
    watch_tasks();
    feed_->proceed(now());
  }
  turn();
  while (!status_) {
    loop_.run_one();
  }
  terminal_.take_back();
  if (feed_) {
    deliver_results();
  }
  finish_logs();
  finish_crashes();
  finish_followers();
  voice_->finish(last_words);
  if (guardian_) {
    guardian_->dismiss();
  }
  return *status_;
}

// ---- A turn ---------------------------------------------------------------------------------------------------------

void Pump::turn() {
  const Instant began = options_.control ? now() : never;
  step_until_quiet();
  if (feed_ && !status_) {
    feed_->flush();
    step_until_quiet();
  }
  if (status_) {
    return;
  }
  for (std::string& notice : processes_->take_notices()) {
    say(Weight::notable, "degraded", std::move(notice));
  }
  processes_->let_go_of_output();
  close_aside();
  if (logs_) {
    logs_->flush();
  }
  voice_->flush();
  if (!caught_up_ && processes_->outstanding() == 0) {
    caught_up_ = true;
    processes_->catch_up();
    post_guardian();
    release_start_up_pages();
    if (!options_.own_descriptors) {
      scores_at_ = std::min(scores_at_, after(now(), score_pause));
    }
  }
  proceed_with_hooks();
  arm_timer();
  if (options_.control) {
    tally_.note_loop_lag(turned_at_ - began);
  }
  if (caught_up_ && !released_ && scores_at_ == never) {
    released_ = true;  // Once more: now the last deed of the start is done.
    release_start_up_pages();
  }
}

void Pump::step_until_quiet() {
  while (!status_) {
    if (!events_.empty()) {
      const core::Event event = std::move(events_.front());
      events_.pop_front();
      actions_.clear();
      const Instant at = now();
      if (options_.control) {
        tally_.hear(at, event);
      }
      core_.step(at, event, actions_);
      ++generation_;
      for (const core::Action& action : actions_) {
        perform(action);
      }
      if (spawned_since_look_ >= launches_between_looks) {
        spawned_since_look_ = 0;
        read_signals();
      }
    } else if (processes_->outstanding() > 0 && settle_wait_ == Duration::zero()) {
      settle();
    } else if (sweep_due_) {
      sweep();
    } else if (child_signalled_ && (may_not_wait() || now() >= look_again_)) {
      reap_all();
      if (child_signalled_) {
        read_signals();  // Thousands die: whoever asks for something meanwhile does not wait for all of them.
      }
    } else {
      return;
    }
  }
}

void Pump::watch_signals() {
  signals_ready_.async_wait(asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code ec) {
    if (!ec) {
      read_signals();
      watch_signals();
      turn();
    }
  });
}

void Pump::watch_output() {
  if (!relay_) {
    return;
  }
  output_ready_.async_wait(asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code ec) {
    if (ec) {
      return;
    }
    if (processes_->outstanding() > 0) {
      report_launches();  // Whoever speaks has been started: that is said first.
      step_until_quiet();
    }
    std::vector<Life> closed;
    relay_->read_ready(closed);
    for (const Life life : closed) {
      enqueue(core::OutputClosed{life});
    }
    turn();
    if (voice_->congested()) {
      output_paused_ = true;  // The workers' pipes fill up, and they wait: nothing is lost.
    } else {
      watch_output();
    }
  });
}

void Pump::arm_timer() {
  Instant next = core_.next_deadline().value_or(never);
  if (processes_->outstanding() > 0) {
    next = std::min(next, after(now(), std::max(settle_wait_, first_look)));
  } else {
    settle_wait_ = Duration::zero();
  }
  if (child_signalled_) {
    next = std::min(next, look_again_);
  }
  if (processes_->scores_are_due()) {
    scores_at_ = std::min(scores_at_, after(now(), caught_up_ ? score_pause : longest_start));
  }
  next = std::min({next, scores_at_, hooks_deadline()});
  if (feed_) {
    next = std::min(next, feed_->next_deadline().value_or(never));
  }
  if (logs_) {
    next = std::min(next, logs_->next_deadline().value_or(never));
  }
  turned_at_ = now();
  sleeps_until_ = std::min(next, armed_for_);
  if (next >= armed_for_) {
    return;  // Waking once too early costs less than setting the timer for each deadline that comes and goes.
  }
  armed_for_ = next;
  timer_.expires_at(std::chrono::steady_clock::time_point(next.time_since_epoch()));
  timer_.async_wait([this](boost::system::error_code ec) {
    if (ec) {
      return;
    }
    if (options_.control) {
      tally_.note_loop_lag(now() - armed_for_);
    }
    armed_for_ = never;
    if (processes_->outstanding() > 0) {
      settle();  // Before any deadline: a worker that runs already has not started too late.
      step_until_quiet();
    }
    if (!status_ && core_.next_deadline().value_or(never) <= now()) {
      enqueue(core::DeadlineReached{});
    }
    if (feed_ && !status_ && feed_->next_deadline().value_or(never) <= now()) {
      note_lost_time();
      feed_->pass_deadline(now());
    }
    if (logs_ && logs_->next_deadline().value_or(never) <= now()) {
      logs_->pass_deadline(now());
      take_log_news();
    }
    if (scores_at_ <= now()) {
      processes_->set_some_scores();
      scores_at_ = processes_->scores_are_due() ? after(now(), batch_pause) : never;
    }
    turn();
  });
}

}  // namespace corral::shell
