#include "supervisor/shell/logs/log_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "common/base/check.hpp"
#include "common/base/units.hpp"
#include "supervisor/shell/logs/disk_thread.hpp"
#include "supervisor/shell/logs/program.hpp"

namespace corral::logs {
namespace {

/// What all queues together may hold, and what one may at the least and at the most.
constexpr std::size_t most_of_all = std::size_t{16} << 20U;
constexpr std::size_t least_of_one = std::size_t{64} * 1024;
constexpr std::size_t most_of_one = std::size_t{1} << 20U;

/// So long a worker waits for a disk where it does not wait for ever.
constexpr Duration longest_wait = std::chrono::seconds(1);

/// Given to the thread to end, after all that it could write is written.
constexpr Duration last_turn = std::chrono::milliseconds(200);

void append(Batch& batch, const Output& output) {
  if (batch.target->shape == Shape::bytes) {
    append_plain(batch.bytes, output.bytes, output.goes_on);
    return;
  }
  batch.bytes.append(output.bytes);
  batch.pieces.push_back({output.bytes.size(), output.worker.index, output.err, output.goes_on, wall_ms()});
}

}  // namespace

LogFiles::LogFiles(std::function<void()> news) : shared_(std::make_shared<Shared>()), most_(most_of_one) {
  shared_->news = std::move(news);
}

LogFiles::~LogFiles() { finish(Duration::zero()); }

/// Where there is no thread to be had the next turn tries again; until then it is like a disk that takes nothing.
void LogFiles::begin() {
  if (!thread_.joinable()) {
    try {
      thread_ = std::thread([shared = shared_] { DiskThread(shared).run(); });
    } catch (const std::system_error&) {
      return;
    }
  }
}

// ---- Which file -----------------------------------------------------------------------------------------------------

void LogFiles::define(ProgramId id, const std::string& name, const core::LogSpec& spec, std::uint32_t workers) {
  flush();
  if (number(id) >= programs_.size()) {
    if (spec.to != core::LogTo::file) {
      return;
    }
    programs_.resize(number(id) + std::size_t{1});
  }
  std::unique_ptr<Program>& program = programs_[number(id)];
  if (!program) {
    program = std::make_unique<Program>();
  }
  program->name = name;
  program->spec = spec;
  program->workers = workers;
  for (auto it = program->logs.begin(); it != program->logs.end();) {
    if (program->has(it->first)) {
      it->second->target = program->target_of(it->first);
      ++it;
    } else {
      end(*program, it->second);
      it = program->logs.erase(it);
    }
  }
}

void LogFiles::forget(ProgramId id) {
  if (number(id) < programs_.size() && programs_[number(id)]) {
    define(id, programs_[number(id)]->name, core::LogSpec{}, 0);
  }
}

bool LogFiles::takes(WorkerId worker) const {
  return number(worker.program) < programs_.size() && programs_[number(worker.program)] &&
         programs_[number(worker.program)]->spec.to == core::LogTo::file;
}

const LogFiles::SharedLog& LogFiles::log_of(Program& program, WorkerId worker, bool err) {
  const LogKey key = program.key_of(worker.index, err);
  SharedLog& log = program.logs[key];
  if (!log) {
    log = std::make_shared<Log>();
    log->target = program.target_of(key);
    most_ = std::clamp(most_of_all / ++logs_, least_of_one, most_of_one);
  }
  return log;
}

void LogFiles::end(Program& program, const SharedLog& log) {
  let_wait_no_more(*log);
  program.past.push_back(log);
  --logs_;
  const std::lock_guard lock(shared_->mutex);
  log->ends = true;
  if (thread_.joinable() && !std::exchange(log->ready, true)) {
    shared_->ready.push_back(log);
    shared_->work.notify_one();
  }
}

// ---- Lines ----------------------------------------------------------------------------------------------------------

bool LogFiles::is_dropped(Log& log, std::string_view bytes) {
  if (!log.dropping) {
    return false;
  }
  const std::uint64_t lines = count_lines(bytes);
  log.stalled_lines += lines;
  log.stalled_bytes += bytes.size();
  log.dropped_lines += lines;
  log.dropped_bytes += bytes.size();
  return true;
}

bool LogFiles::write(Instant now, const Output& output) {
  const SharedLog& log = log_of(*programs_[number(output.worker.program)], output.worker, output.err);
  if (is_dropped(*log, output.bytes)) {
    return false;
  }
  if (!std::exchange(log->touched, true)) {
    log->fresh.target = log->target;
    touched_.push_back(log);
  }
  append(log->fresh, output);
  if (log->pending + log->fresh.bytes.size() <= most_) {
    return false;
  }
  if (log->full_since == never) {
    log->full_since = now;
    full_.push_back(log);
  }
  if (std::ranges::find(log->waiting, output.worker) == log->waiting.end()) {
    log->waiting.push_back(output.worker);
  }
  return true;
}

void LogFiles::hand_over(const SharedLog& log) {
  log->touched = false;
  Batch batch = std::exchange(log->fresh, {});
  batch.size = batch.bytes.size();
  log->pending += batch.size;
  shared_->pending += batch.size;
  log->queue.push_back(std::move(batch));
  log->awaited = log->awaited || log->full_since != never || log->dropping;
  if (!shared_->spare.empty()) {
    log->fresh.bytes = std::move(shared_->spare.back());
    shared_->spare.pop_back();
  }
  if (!std::exchange(log->ready, true)) {
    shared_->ready.push_back(log);
  }
}

void LogFiles::flush() {
  if (touched_.empty() && (thread_.joinable() || shared_->pending == 0)) {
    return;
  }
  bool asleep = false;
  {
    const std::lock_guard lock(shared_->mutex);
    for (const SharedLog& log : touched_) {
      hand_over(log);
    }
    asleep = shared_->asleep || (shared_->pauses && shared_->pending >= much);
  }
  touched_.clear();
  begin();
  if (asleep) {
    shared_->work.notify_one();
  }
}

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
  }
  for (const SharedLog& log : roomy) {
    catch_up(*log);
  }
  return std::exchange(news_, {});
}

// ---- Everything -----------------------------------------------------------------------------------------------------

void LogFiles::reopen() {
  const std::lock_guard lock(shared_->mutex);
  for (const std::unique_ptr<Program>& program : programs_) {
    for (auto& [key, log] : program ? program->logs : std::map<LogKey, SharedLog>{}) {
      log->reopens = true;
      if (thread_.joinable() && !std::exchange(log->ready, true)) {
        shared_->ready.push_back(log);
      }
    }
  }
  shared_->work.notify_one();
}

void LogFiles::finish(Duration patience) {
  flush();
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
  lock.unlock();
  if (gone) {
    thread_.join();
  } else {
    thread_.detach();  // It hangs in the kernel; the process ends without it.
  }
  tell_of_losses();
}

void LogFiles::tell_of_losses() {
  for (const std::unique_ptr<Program>& program : programs_) {
    for (const auto& [key, log] : program ? program->logs : std::map<LogKey, SharedLog>{}) {
      const std::uint64_t lines = log->lost_lines + log->stalled_lines;
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
  Counts counts;
  if (number(id) < programs_.size() && programs_[number(id)]) {
    programs_[number(id)]->each([&](const Log& log) {
      counts.written_bytes += log.written;
      counts.dropped_lines += log.dropped_lines;
      counts.dropped_bytes += log.dropped_bytes;
      counts.rotations += log.rotations;
    });
  }
  return counts;
}

}  // namespace corral::logs
