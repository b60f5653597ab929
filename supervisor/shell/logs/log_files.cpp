#include "supervisor/shell/logs/log_files.hpp"

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
  program.let_go_of_past();
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
  if (finished_ || (touched_.empty() && (thread_.joinable() || shared_->pending == 0))) {
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

}  // namespace corral::logs
