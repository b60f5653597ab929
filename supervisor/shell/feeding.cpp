// Workers that are given tasks: the loop's part of `map`.
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <utility>

#include "supervisor/shell/process/descendants.hpp"
#include "supervisor/shell/pump.hpp"

namespace corral::shell {

namespace {
/// While results are waited for at the end, a signal is seen after that time.
constexpr Duration between_looks = std::chrono::milliseconds(50);
}  // namespace

Result<void> Pump::open_feed(std::uint32_t workers) {
  FeedHooks hooks;
  hooks.judge = [this](core::Event event) { enqueue(std::move(event)); };
  hooks.say = [this](bool trouble, std::string_view event, std::string text) {
    say(trouble ? Weight::trouble : Weight::notable, event, std::move(text));
  };
  hooks.show = [this](const ProgressFacts& facts) {
    winsize size{};
    const std::size_t width = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1U : 79U;
    voice_->show(progress_line(facts, width));
  };
  hooks.children_of = process::children_of;
  hooks.awake = [this] {
    if (!status_) {
      feed_->proceed(now());
      continue_feeding();
      turn();
    }
  };
  for (const core::CpuSet& placement : programs_.front().placements) {
    options_.feed->reports.cores.push_back(placement.to_string());
  }
  options_.feed->reports.cores.resize(workers);  // Without second slots.
  auto feed = Feed::open(loop_, std::move(*options_.feed), std::move(hooks), ProgramId{0}, workers);
  if (!feed) {
    return std::unexpected(std::move(feed.error()));
  }
  feed_ = std::move(*feed);
  tasks_ready_.assign(feed_->descriptor());
  return {};
}

void Pump::watch_tasks() {
  tasks_ready_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code ec) {
    if (ec) {
      return;
    }
    if (processes_->outstanding() > 0) {
      report_launches();  // Who greets has been started: that is said first.
      step_until_quiet();
    }
    feed_->take_ready(now());
    turn();
    if (feed_->congested()) {
      tasks_paused_ = true;  // The workers' answers wait in their channels, and they with them: nothing is lost.
    } else {
      watch_tasks();
    }
  });
}

void Pump::continue_feeding() {
  if (tasks_paused_ && !feed_->congested()) {
    tasks_paused_ = false;
    watch_tasks();
  }
}

/// A timer that comes much too late: corral itself was stopped or starved, and its workers most likely with it.
void Pump::note_lost_time() {
  constexpr Duration too_late = std::chrono::milliseconds(500);
  const Duration late = now() - std::max(sleeps_until_, turned_at_);
  if (sleeps_until_ != never && late > too_late) {
    feed_->lose_time(now(), late);
  }
}

void Pump::perform(const core::DrainTasks& action) {
  drained_by_ = action.signal;
  feed_->drain(now());
}

void Pump::perform(const core::AbortTasks& action) {
  drained_by_ = drained_by_ != 0 ? drained_by_ : action.signal;
  feed_->abort(now());
}
void Pump::perform(const core::CloseSlot& action) { feed_->slot_closed(now(), action.worker); }

/// Whoever reads the results may take as long as it likes; a second signal ends that.
void Pump::deliver_results() {
  feed_->close_reports();
  feed_->flush();
  int asked = drained_by_ == 0 ? 0 : 1;
  while (!feed_->wait_for_reader(between_looks)) {
    std::vector<ReceivedSignal> received;
    signals_->read(received);
    for (const ReceivedSignal& signal : received) {
      if (signal.number == SIGINT || signal.number == SIGTERM || signal.number == SIGQUIT) {
        if (asked++ == 0 && signal.number != SIGQUIT) {
          say(Weight::notable, "results_wait",
              fmt::format("all tasks have ended; {} bytes of results wait for their reader, a second signal gives them up",
                          feed_->pending()));
          voice_->flush();
          continue;
        }
        say(Weight::trouble, "results_lost",
            fmt::format("nobody reads the results: {} bytes of them are lost", feed_->pending()));
        status_ = 128 + signal.number;
        return;
      }
    }
  }
  say(Weight::notable, "tasks_ended", feed_->summary());
  if (const std::vector<std::string> figures = feed_->figures(); !figures.empty()) {
    voice_->sum_up(figures, feed_->figures_as_members());
  }
  if (std::optional<std::string> way = feed_->way_on(drained_by_)) {
    say(Weight::notable, "way_on", std::move(*way));
  }
  status_ = feed_->status(drained_by_, *status_);
}

}  // namespace corral::shell
