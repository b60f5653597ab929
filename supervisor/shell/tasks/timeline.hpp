// What workers did when, as a page for a browser: a lane for each worker, a block for each attempt at a task.
//
// The page is written while tasks run and can be read at any time, also when corral was killed in the middle: its program comes
// first, then blocks of data, each an element of its own. Data are JSON in elements that no browser executes, with every `<`
// written as \u003c: nothing in a task can end such an element. The size is bounded: the first million blocks are exact,
// from there on what one worker does within a thousandth of the time so far becomes one block.
#pragma once

#include <string>
#include <vector>

#include "supervisor/shell/tasks/spans.hpp"

namespace corral::shell {

struct TimelineBounds {
  std::uint64_t exact = 1'000'000;  ///< Blocks.
  std::uint64_t messages = 10'000;  ///< Excerpts of messages and tasks.
  std::uint64_t changes = 100'000;  ///< Starts and ends of processes.
  double share = 1.0 / 1000;        ///< Beyond: of the time so far, what becomes one block.
};

class Timeline : public SpanListener {
 public:
  Timeline(boost::asio::io_context& loop, ReportPlace place, std::function<void()> drained, const SpanFacts& facts,
           TimelineBounds bounds = {});

  void hear(const Span& span) override;
  void hear(const LifeChange& change) override;
  void pause(Instant now) override;
  void close(std::string_view summary) override;

 private:
  /// Attempts of one worker that are shown as one.
  struct Merged {
    Instant begin;
    Instant end;
    std::uint64_t first = 0;  ///< Task.
    std::uint64_t last = 0;
    std::uint64_t count = 0;
    std::uint64_t troubles = 0;  ///< Of them, those that were not done.
    Duration busy{};
    SpanEnd worst = SpanEnd::done;
  };

  void write_block(const Span& span);
  void merge(const Span& span);
  void write_merged(std::uint32_t worker);
  void end_chunk();
  [[nodiscard]] std::int64_t micros(Instant at) const;

  TimelineBounds bounds_;
  Instant begun_;
  Instant chunk_ended_;
  std::uint64_t blocks_ = 0;
  std::uint64_t messages_ = 0;
  std::uint64_t changes_ = 0;
  std::vector<Merged> merged_;  ///< By worker: what is not yet written.
  // One chunk: numbers of blocks, of merged ones, changes, messages.
  std::string rows_;
  std::string merged_rows_;
  std::string changes_text_;
  std::string messages_text_;
  std::uint64_t rows_count_ = 0;
  std::int64_t last_begin_ = 0;  ///< Blocks are written relative to the one before.
};

/// For a `<script type="application/json">`: the same value, without `<`.
[[nodiscard]] std::string for_script(std::string_view json);

}  // namespace corral::shell
