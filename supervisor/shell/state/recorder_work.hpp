// What the disk thread of a state does, one thing after another: without a thread of its own, so that it can be tested so.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "supervisor/shell/state/line_index.hpp"
#include "supervisor/shell/state/recorder.hpp"
#include "supervisor/shell/state/results_file.hpp"

namespace corral::state {

class RecorderWork {
 public:
  /// `stop`: begin() shall give up, since nobody waits for it any more.
  RecorderWork(const RecorderOptions& options, const std::atomic<bool>& stop);

  /// Reads what is known and mends the results file: the more there is the longer it takes.
  [[nodiscard]] Result<void> begin();
  [[nodiscard]] Result<std::vector<Finding>> look_up(const Lines& lines);
  [[nodiscard]] Result<std::vector<FailedTask>> next_failed();
  /// `text`: what the results file gets for these rows.
  [[nodiscard]] Result<void> record(std::span<const TaskRow> rows, std::string_view text);
  [[nodiscard]] Result<void> end(std::optional<std::uint64_t> open);
  void close();
  [[nodiscard]] std::vector<std::string> take_notices() { return std::exchange(notices_, {}); }

 private:
  [[nodiscard]] Result<void> learn_all();
  [[nodiscard]] Result<bool> check(std::string_view written);
  [[nodiscard]] Result<bool> learn(const TaskKey& key);

  std::shared_ptr<StateFile> file_;
  RunFacts run_;
  bool retry_failed_;
  const std::atomic<bool>& stop_;
  std::optional<LineIndex> index_;
  std::optional<ResultsFile> results_;
  std::vector<std::string> notices_;
  std::int64_t last_failed_ = 0;
  bool begun_ = false;
};

}  // namespace corral::state
