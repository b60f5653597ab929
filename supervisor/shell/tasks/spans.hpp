// What workers did when, told while it happens to whoever shows it: a page, a trace.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "supervisor/core/tasks/task_action.hpp"
#include "supervisor/shell/tasks/report_file.hpp"

namespace corral::shell {

/// How an attempt at a task ended, the worst last.
enum class SpanEnd : std::uint8_t {
  done,
  retried,  ///< It came to nothing, and another one follows.
  failed,
  quarantined,
};
[[nodiscard]] std::string_view name_of(SpanEnd how);

/// One attempt at one task. Views are valid during the call.
struct Span {
  std::uint32_t worker = 0;
  std::int32_t pid = 0;
  std::uint64_t task = 0;  ///< Its number in the results.
  std::uint32_t attempt = 1;
  SpanEnd how = SpanEnd::done;
  Instant begin;
  Instant end;
  std::string_view message;  ///< Unless done: why.
  std::string_view text;     ///< Likewise: the beginning of the task.
};

/// A process of a worker has begun or ended.
struct LifeChange {
  std::uint32_t worker = 0;
  std::int32_t pid = 0;
  Instant at;
  bool began = false;
  std::string_view how;  ///< At its end: "killed by signal 9 (Killed)".
};

class SpanListener {
 public:
  SpanListener(boost::asio::io_context& loop, ReportPlace place, std::function<void()> drained)
      : file_(loop, std::move(place), std::move(drained)) {}
  SpanListener(const SpanListener&) = delete;
  SpanListener& operator=(const SpanListener&) = delete;
  virtual ~SpanListener() = default;

  virtual void hear(const Span& span) = 0;
  virtual void hear(const LifeChange& change) = 0;
  /// Once a turn.
  virtual void pause(Instant now) = 0;
  /// All is over. `summary`: what there is to say of it, a JSON object.
  virtual void close(std::string_view summary) = 0;
  [[nodiscard]] ReportFile& file() { return file_; }

 protected:
  ReportFile file_;
};

/// What all of them need to know of a run.
struct SpanFacts {
  std::vector<std::string> cores;  ///< By worker: the CPUs that it is bound to, as text; empty: any.
  std::string title;               ///< The command.
  Instant begun;
  bool each = false;  ///< A process for each task: a task's block is its life.
};

class Spans {
 public:
  using Say = std::function<void(std::string)>;
  Spans(SpanFacts facts, std::vector<std::unique_ptr<SpanListener>> listeners, Say say);

  void started(Life life, std::int32_t pid, Instant now);
  void lost(const core::WorkerLost& death, Instant now);
  void recorded(const core::RecordTask& record, std::uint64_t task, std::string_view message, std::string_view text, Instant now);
  void retried(const core::TellRetry& retry, std::uint64_t task, std::string_view text, Instant now);

  void flush(Instant now);
  [[nodiscard]] bool congested() const;
  void close(std::string_view summary);
  /// Waits for the disk at most that long, and may be called again. True when nothing is left.
  bool wait(Duration patience);

 private:
  [[nodiscard]] std::uint32_t seat(std::uint32_t slot) const { return slot % static_cast<std::uint32_t>(pids_.size() / 2); }
  void tell(Span span);
  void tell(const LifeChange& change);
  void look_at_files();

  std::vector<std::unique_ptr<SpanListener>> listeners_;
  std::vector<std::int32_t> pids_;  ///< By slot, of its last life: a worker that is relieved has two.
  Say say_;
  bool each_;
};

}  // namespace corral::shell
