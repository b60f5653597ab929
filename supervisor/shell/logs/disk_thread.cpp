#include "supervisor/shell/logs/disk_thread.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/base/units.hpp"

namespace corral::logs {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t small = std::size_t{64} * 1024;
/// Between two rounds that brought little: nobody is woken for each line. A line waits for it at most.
constexpr Duration pause = 5ms;
/// A disk that refused is asked again after that.
constexpr Duration between_tries = 100ms;
/// The same log is not told of more often.
constexpr Duration between_words = 10s;
/// Buffers are kept for so long after the last line.
constexpr Duration idle_after = 1s;
constexpr std::size_t most_spare = 8;
constexpr std::size_t largest_spare = std::size_t{1} << 20U;

Instant now() { return Instant(std::chrono::steady_clock::now().time_since_epoch()); }

}  // namespace

void DiskThread::run() {
  Lock lock(shared_->mutex);
  std::size_t served = 0;
  while (true) {
    if (shared_->ready.empty()) {
      sleep(lock, std::exchange(served, 0));
      if (shared_->ready.empty() && shared_->leaving) {
        shared_->gone = true;
        shared_->done.notify_all();
        return;
      }
    }
    for (const SharedLog& log : std::exchange(shared_->ready, {})) {
      log->ready = false;
      served += log->pending;
      serve(log, lock);
    }
    if (!notices_.empty()) {
      std::ranges::move(notices_, std::back_inserter(shared_->notices));
      notices_.clear();
    }
    if ((!shared_->notices.empty() || !shared_->roomy.empty()) && !std::exchange(shared_->heard, true)) {
      shared_->news();
    }
    if (shared_->pending == 0) {
      shared_->done.notify_all();
    }
  }
}

Instant DiskThread::next_try() const {
  Instant next = never;
  for (const SharedLog& log : blocked_) {
    next = std::min(next, log->try_again_at);
  }
  return next;
}

void DiskThread::sleep(Lock& lock, std::size_t served) {
  const auto until = [](Instant time) { return std::chrono::steady_clock::time_point(time.time_since_epoch()); };
  const auto anything = [this] { return shared_->leaving || !shared_->ready.empty(); };
  if (served > 0 && served < much && !shared_->hurry) {
    shared_->pauses = true;
    shared_->work.wait_for(lock, pause, [this] { return shared_->hurry || shared_->pending >= much; });
    shared_->pauses = false;
  }
  shared_->asleep = true;
  if (blocked_.empty()) {
    if (!shared_->spare.empty() && !shared_->work.wait_for(lock, idle_after, anything)) {
      std::vector<std::string>().swap(shared_->spare);
      std::string().swap(formatted_);
    }
    shared_->work.wait(lock, anything);
  } else if (!shared_->leaving) {
    shared_->work.wait_until(lock, until(next_try()), anything);
  }
  shared_->asleep = false;
  // At the end everything is tried once more.
  std::erase_if(blocked_, [this](const SharedLog& log) {
    const bool due = shared_->leaving || log->try_again_at <= now();
    if (due && !std::exchange(log->ready, true)) {
      shared_->ready.push_back(log);
    }
    return due;
  });
}

void DiskThread::serve(const SharedLog& log, Lock& lock) {
  const bool reopens = std::exchange(log->reopens, false);
  std::deque<Batch> batches;
  batches.swap(log->queue);
  lock.unlock();
  if (reopens) {
    reopen(*log);
  }
  while (!batches.empty()) {
    if (!write_batch(*log, batches.front())) {
      break;
    }
    settle(log, std::move(batches.front()));
    batches.pop_front();
  }
  lock.lock();
  if (!batches.empty()) {  // They wait, and what came meanwhile waits behind them.
    std::ranges::move(log->queue, std::back_inserter(batches));
    log->queue.swap(batches);
    if (std::ranges::find(blocked_, log) == blocked_.end()) {
      blocked_.push_back(log);
    }
  } else if (log->ends && log->queue.empty()) {
    log->file.close();
  }
}

/// The batch is dealt with: its place is free.
void DiskThread::settle(const SharedLog& log, Batch batch) {
  const Lock lock(shared_->mutex);
  log->pending -= batch.size;
  shared_->pending -= batch.size;
  if (batch.bytes.capacity() >= small && batch.bytes.capacity() <= largest_spare && shared_->spare.size() < most_spare) {
    batch.bytes.clear();
    shared_->spare.push_back(std::move(batch.bytes));
  }
  if (log->awaited && log->pending <= small) {
    log->awaited = false;
    shared_->roomy.push_back(log);
    if (!std::exchange(shared_->heard, true)) {
      shared_->news();
    }
  }
}

void DiskThread::reopen(Log& log) {
  const Result<void> opened = log.file.reopen(log.failing);
  if (!opened) {
    fail(log, opened.error(), {});
  }
  const Lock lock(shared_->mutex);
  if (!opened) {
    shared_->reopen_trouble = fmt::format("'{}': {}", log.file.target().path, opened.error().message);
  }
  shared_->reopened = --shared_->reopening == 0;
  if (shared_->reopened && !std::exchange(shared_->heard, true)) {
    shared_->news();
  }
}

/// False where the batch has to wait.
bool DiskThread::write_batch(Log& log, Batch& batch) {
  log.file.aim(batch.target);
  const bool waits = batch.target->when_full == core::WhenFull::block;
  if (log.failing && now() < log.try_again_at && !shared_->leaving) {
    if (!waits) {
      fail(log, {}, batch.bytes);
    }
    return !waits;
  }
  if (!batch.pieces.empty()) {
    formatted_.clear();
    append_formatted(formatted_, *batch.target, batch.bytes, std::exchange(batch.pieces, {}));
    batch.bytes.swap(formatted_);
  }
  std::string_view left = batch.bytes;
  const Result<void> wrote = log.file.write(left);
  log.written += batch.bytes.size() - left.size();
  if (log.file.take_rotated()) {
    log.rotations = log.file.rotations();
    if (batch.target->rotate.compress) {
      compressor_.look_at(batch.target->path, batch.target->rotate.keep);
    }
  }
  const std::optional<std::string> note = log.file.take_note();
  if (note && (log.removal_told_at == Instant{} || now() - log.removal_told_at >= between_words)) {
    log.removal_told_at = now();
    tell(true, "log_removed", fmt::format("the log of {}, '{}': {}", batch.target->whose, batch.target->path, *note));
  }
  if (wrote) {
    recover(log);
    return true;
  }
  log.try_again_at = now() + between_tries;
  if (waits && !shared_->leaving) {
    fail(log, wrote.error(), {});
    batch.bytes.erase(0, batch.bytes.size() - left.size());
    return false;
  }
  fail(log, wrote.error(), left);
  return true;
}

void DiskThread::fail(Log& log, const Error& error, std::string_view left) {
  log.lost_lines += count_lines(left);
  log.lost_bytes += left.size();
  log.dropped_lines += count_lines(left);
  log.dropped_bytes += left.size();
  if (!std::exchange(log.failing, true) && (log.told_at == Instant{} || now() - log.told_at >= between_words)) {
    log.told = true;
    log.told_at = now();
    const Target& target = log.file.target();
    const bool waits = target.when_full == core::WhenFull::block;
    tell(true, "log_failed",
         fmt::format("the log of {}, '{}', takes nothing: {}; {} until it does", target.whose, target.path, error.message,
                     waits ? "whoever writes to it waits" : "lines are dropped and counted"));
  }
}

void DiskThread::recover(Log& log) {
  if (!std::exchange(log.failing, false) || !log.told) {
    return;
  }
  log.told = false;
  const Target& target = log.file.target();
  tell(false, "log_resumed",
       log.lost_lines == 0 ? fmt::format("the log of {} is written again; nothing was lost", target.whose)
                           : fmt::format("the log of {} is written again; {} lines ({}) were lost", target.whose, log.lost_lines,
                                         describe_size(log.lost_bytes)));
  log.lost_lines = log.lost_bytes = 0;
}

void DiskThread::tell(bool trouble, std::string_view event, std::string text) {
  notices_.push_back({trouble, event, std::move(text)});
}

}  // namespace corral::logs
