#include "supervisor/shell/state/recorder_work.hpp"

#include <fmt/format.h>

#include <utility>

namespace corral::state {

namespace {
constexpr std::size_t failed_at_once = 256;
}

RecorderWork::RecorderWork(const RecorderOptions& options, const std::atomic<bool>& stop)
    : file_(options.file), run_(options.run), retry_failed_(options.retry_failed), stop_(stop) {
  if (options.results) {
    results_.emplace(*options.results, run_.output);
  }
}

Result<void> RecorderWork::begin() {
  auto index = LineIndex::open();
  if (!index) {
    return failure("cannot make a file for looking lines up (TMPDIR says where): " + index.error().message);
  }
  index_ = std::move(*index);
  Result<void> read = file_->each([this](const StateFile::Known& known) { return learn(known); });
  if (read && results_ && !stop_) {
    read = results_->end_of_expected();
  }
  if (!read || stop_) {
    return read;
  }
  if (results_ && results_->mended() > 0) {
    notices_.push_back(fmt::format("{} lacked {} bytes of results that the state knows: they are written again", run_.output,
                                   results_->mended()));
  }
  begun_ = true;
  return file_->begin_run(run_);
}

Result<bool> RecorderWork::learn(const StateFile::Known& known) {
  if (stop_) {
    return false;
  }
  if (results_) {
    if (Result<void> held = results_->expect(known.written); !held) {
      return std::unexpected(std::move(held.error()));
    }
  }
  if (known.retried) {
    return true;
  }
  Result<void> added = index_->add_known(known.key.hash, known.key.occurrence, known.key.failed_row);
  return added ? Result<bool>(true) : std::unexpected(std::move(added.error()));
}

Result<std::vector<Finding>> RecorderWork::look_up(const Lines& lines) {
  std::vector<Finding> found;
  found.reserve(lines.lines.size());
  for (const Lines::Line& line : lines.lines) {
    Finding finding;
    finding.key.hash = hash_line(line.bytes, line.too_long);
    const auto occurrence = index_->count(finding.key.hash);
    if (!occurrence) {
      return failure("cannot look lines up (TMPDIR says where that needs room): " + occurrence.error().message);
    }
    finding.key.occurrence = *occurrence;
    const auto known = index_->known(finding.key.hash, *occurrence);
    if (!known) {
      return failure("cannot look lines up: " + known.error().message);
    }
    const std::int64_t failed_row = known->value_or(0);
    finding.known = known->has_value() && (failed_row == 0 || !retry_failed_);
    finding.key.failed_row = finding.known ? 0 : failed_row;
    found.push_back(finding);
  }
  return found;
}

Result<std::vector<FailedTask>> RecorderWork::next_failed() {
  auto failed = file_->failed_after(last_failed_, failed_at_once);
  if (failed && !failed->empty()) {
    last_failed_ = failed->back().key.failed_row;
  }
  return failed;
}

Result<void> RecorderWork::record(std::span<const TaskRow> rows, std::string_view text) {
  Result<void> recorded = file_->record(rows);
  return recorded && results_ ? results_->write(text) : recorded;
}

Result<void> RecorderWork::end(std::optional<std::uint64_t> open) { return begun_ ? file_->end_run(open) : Result<void>(); }

void RecorderWork::close() {
  index_.reset();
  file_.reset();
}

}  // namespace corral::state
