// Queues that are full, what the thread has to say, and the end.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "common/base/units.hpp"
#include "supervisor/shell/logs/program.hpp"

namespace corral::logs {
namespace {

/// So long a worker waits for a disk where it does not wait for ever.
constexpr Duration longest_wait = std::chrono::seconds(1);

/// Given to the thread to end, after all that it could write is written.
constexpr Duration last_turn = std::chrono::milliseconds(200);

}  // namespace

// ---- Full queues ----------------------------------------------------------------------------------------------------

void LogFiles::let_wait_no_more(Log& log) {
  news_.may_go_on.insert(news_.may_go_on.end(), log.waiting.begin(), log.waiting.end());
  log.waiting.clear();
  log.full_since = never;
  std::erase_if(full_, [&](const SharedLog& one) { return one.get() == &log; });
}

std::optional<Instant> LogFiles::next_deadline() const {
  std::optional<Instant> next;
  for (const SharedLog& log : full_) {
    if (log->target->when_full == core::WhenFull::drop) {
      next = std::min(next.value_or(never), after(log->full_since, longest_wait));
    }
  }
  return next;
}

void LogFiles::pass_deadline(Instant now) {
  for (const SharedLog& log : std::vector(full_)) {
    if (log->target->when_full == core::WhenFull::drop && after(log->full_since, longest_wait) <= now) {
      log->dropping = true;
      let_wait_no_more(*log);
      news_.notices.push_back({true, "log_stalled",
                               fmt::format("the disk is too slow for the log of {}, '{}': lines are dropped and counted until it "
                                           "has caught up",
                                           log->target->whose, log->target->path)});
    }
  }
}

/// There is room again.
void LogFiles::catch_up(Log& log) {
  let_wait_no_more(log);
  if (std::exchange(log.dropping, false)) {
    news_.notices.push_back(
        {false, "log_caught_up",
         fmt::format("the log of {} is written again; {} lines ({}) were lost", log.target->whose,
                     std::exchange(log.stalled_lines, 0), describe_size(std::exchange(log.stalled_bytes, 0)))});
  }
}

News LogFiles::take() {
  std::vector<SharedLog> roomy;
  {
    const std::lock_guard lock(shared_->mutex);
    roomy.swap(shared_->roomy);
    std::ranges::move(std::exchange(shared_->notices, {}), std::back_inserter(news_.notices));
    shared_->heard = false;
    news_.reopened = std::exchange(shared_->reopened, false);
    if (news_.reopened) {
      news_.reopen_trouble = std::exchange(shared_->reopen_trouble, {});
    }
  }
  for (const SharedLog& log : roomy) {
    catch_up(*log);
  }
  return std::exchange(news_, {});
}

// ---- Everything -----------------------------------------------------------------------------------------------------

bool LogFiles::reopen() {
  const std::lock_guard lock(shared_->mutex);
  for (const std::unique_ptr<Program>& program : programs_) {
    for (auto& [key, log] : program ? program->logs : std::map<LogKey, SharedLog>{}) {
      if (!thread_.joinable()) {
        continue;  // Nothing has been written, so nothing is open.
      }
      shared_->reopening += std::exchange(log->reopens, true) ? 0U : 1U;
      if (!std::exchange(log->ready, true)) {
        shared_->ready.push_back(log);
      }
    }
  }
  shared_->work.notify_one();
  return shared_->reopening > 0;
}

void LogFiles::finish(Duration patience) {
  flush();
  finished_ = true;
  if (!thread_.joinable()) {
    return;
  }
  std::unique_lock lock(shared_->mutex);
  shared_->hurry = true;
  shared_->work.notify_one();
  shared_->done.wait_for(lock, patience, [this] { return shared_->pending == 0; });
  shared_->leaving = true;
  shared_->work.notify_one();
  const bool gone = shared_->done.wait_for(lock, last_turn, [this] { return shared_->gone; });
  shared_->news = [] {};  // Whoever comes back from the kernel later finds nobody to tell.
  std::ranges::move(std::exchange(shared_->notices, {}), std::back_inserter(news_.notices));
  lock.unlock();
  if (gone) {
    thread_.join();
  } else {
    thread_.detach();  // It hangs in the kernel; the process ends without it.
  }
  tell_of_losses(gone);
}

/// `gone`: the thread counts no more.
void LogFiles::tell_of_losses(bool gone) {
  for (const std::unique_ptr<Program>& program : programs_) {
    for (const auto& [key, log] : program ? program->logs : std::map<LogKey, SharedLog>{}) {
      const std::uint64_t lines = log->stalled_lines + (gone ? log->lost_lines : 0);
      if (lines > 0 || log->pending > 0) {
        news_.notices.push_back(
            {true, "log_lost",
             fmt::format("the end of the log of {} is not written: {} lines were dropped, {} wait for a disk that takes nothing",
                         log->target->whose, lines, describe_size(log->pending))});
      }
    }
  }
}

Counts LogFiles::counts(ProgramId id) const {
  return number(id) < programs_.size() && programs_[number(id)] ? programs_[number(id)]->counts() : Counts{};
}

}  // namespace corral::logs
