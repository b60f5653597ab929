// Input and results of a `map` with a state: lines that were recorded before are left out, and a result is on the disk before
// anybody reads it. The disk's own thread does the work (state/recorder.hpp); this hands it over and never waits.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "supervisor/shell/state/recorder.hpp"
#include "supervisor/shell/tasks/results.hpp"
#include "supervisor/shell/tasks/task_source.hpp"

namespace corral::shell {

struct LedgerOptions {
  state::RecorderOptions recorder;
  bool retry_only = false;  ///< What has failed before is the input.
};

struct LedgerHooks {
  std::function<void()> awake;           ///< There may be lines, or room for results.
  std::function<void(std::string)> say;  ///< For people.
};

class Ledger : public Results, public TaskSource {
 public:
  /// `keep_empty`: an empty line is a task. `input`: may be null where what has failed is the input.
  Ledger(boost::asio::io_context& loop, LedgerOptions options, ResultOptions results, std::shared_ptr<TaskSource> input,
         bool keep_empty, LedgerHooks hooks);
  ~Ledger() override;

  // As a source. What next() hands out becomes a task at once, the first of them task 0.
  [[nodiscard]] std::optional<InputLine> next() override;
  [[nodiscard]] std::optional<double> taken() const override { return input_ ? input_->taken() : std::nullopt; }
  [[nodiscard]] bool ended() const override;
  [[nodiscard]] int read_error() const override { return input_ ? input_->read_error() : 0; }

  // As a sink.
  void add(const core::RecordTask& record, std::uint64_t line, std::string_view payload) override;
  void skip(core::TaskId task, std::uint64_t line) override;
  void flush() override;
  [[nodiscard]] bool congested() const override;
  [[nodiscard]] std::size_t pending() const override { return recorder_.pending() + Results::pending(); }
  [[nodiscard]] int write_error() const override;
  [[nodiscard]] std::optional<std::string> failure() const override;
  bool wait(Duration patience) override;

  /// Lines that were left out, since they were recorded before.
  [[nodiscard]] std::uint64_t known() const { return known_; }
  [[nodiscard]] std::uint64_t known_failed() const { return known_failed_; }  ///< Of these.
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  struct Found {
    InputLine line;
    state::TaskKey key;
  };
  using Block = std::vector<InputLine>;

  void put(core::TaskId task, std::string_view text) override;
  void ask();
  void ask_about_lines();
  void hear();
  void hear(const Block& block, std::vector<state::Finding> findings);
  void hear(std::vector<state::FailedTask> failed);

  std::string name_;
  ResultOptions form_;
  std::shared_ptr<TaskSource> input_;
  bool keep_empty_;
  bool retry_only_;
  LedgerHooks hooks_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  state::Recorder recorder_;
  std::deque<std::shared_ptr<const Block>> asked_;  ///< The oldest first.
  bool failed_asked_ = false;
  bool failed_over_ = false;
  std::deque<Found> ready_;                                  ///< To be run.
  std::unordered_map<std::uint64_t, Found> open_;            ///< By task: those without an end.
  std::unordered_map<std::uint64_t, state::TaskRow> ended_;  ///< In order: those that wait for their turn.
  std::uint64_t handed_out_ = 0;
  std::uint64_t known_ = 0;
  std::uint64_t known_failed_ = 0;
  std::uint64_t left_ = 0;
};

}  // namespace corral::shell
