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
  file_->stop_if(&stop_);
  Result<void> read = learn_all();
  file_->stop_if(nullptr);
  if (stop_ || !read) {
    return stop_ ? Result<void>() : read;
  }
  if (results_ && results_->mended() > 0) {
    notices_.push_back(fmt::format("{} lacked {} bytes of results that the state knows: they are written again", run_.output,
                                   results_->mended()));
  }
  begun_ = true;
  return file_->begin_run(run_);
}

Result<void> RecorderWork::learn_all() {
  Result<void> read = file_->each([this](std::string_view written) { return check(written); });
  if (read && results_ && !stop_) {
    read = results_->end_of_expected();
  }
  return read && !stop_ ? file_->each_known([this](const TaskKey& key) { return learn(key); }) : read;
}

Result<bool> RecorderWork::check(std::string_view written) {
  Result<void> held = results_ && !stop_ ? results_->expect(written) : Result<void>();
  return held ? Result<bool>(!stop_) : std::unexpected(std::move(held.error()));
}

Result<bool> RecorderWork::learn(const TaskKey& key) {
  Result<void> added = index_->add(key.hash, key.occurrence, key.failed_row);
  return added ? Result<bool>(!stop_) : std::unexpected(std::move(added.error()));
}

Result<std::vector<Finding>> RecorderWork::look_up(const Lines& lines) {
  std::vector<Finding> found;
  found.reserve(lines.lines.size());
  for (const Lines::Line& line : lines.lines) {
    Finding finding;
    finding.key.hash = hash_line(line.bytes, line.too_long);
    const auto place = index_->look_up(finding.key.hash);
    if (!place) {
      return failure("cannot look lines up (TMPDIR says where that needs room): " + place.error().message);
    }
    finding.key.occurrence = place->occurrence;
    const std::int64_t failed_row = place->failed_row.value_or(0);
    finding.known = place->failed_row && (failed_row == 0 || !retry_failed_);
    finding.failed = finding.known && failed_row != 0;
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
