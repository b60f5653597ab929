// Where it is written what became of tasks. Called from the loop alone; only wait() waits.
//
// What nobody has read yet is held by it; whoever feeds tasks looks at congested() and stops.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "supervisor/core/tasks/task_action.hpp"

namespace corral::shell {

/// "Timeout": the type of the error of a task that no worker has answered.
[[nodiscard]] std::string_view name_of(core::Mishap mishap);

class ResultSink {
 public:
  ResultSink() = default;
  ResultSink(const ResultSink&) = delete;
  ResultSink& operator=(const ResultSink&) = delete;
  virtual ~ResultSink() = default;

  /// `line`: InputLine::number of the task. `payload`: what its worker answered, or a sentence of ours for a task that no worker
  /// has answered.
  virtual void add(const core::RecordTask& record, std::uint64_t line, std::string_view payload) = 0;
  /// A task that will have no result: those behind it need not wait.
  virtual void skip(core::TaskId task, std::uint64_t line) = 0;

  /// Once a turn.
  virtual void flush() = 0;
  /// So much is unwritten that no task should be given out, and no answer read.
  [[nodiscard]] virtual bool congested() const = 0;
  /// Bytes that nobody has taken yet.
  [[nodiscard]] virtual std::size_t pending() const = 0;
  /// In order: bytes that wait for the turn of an older task.
  [[nodiscard]] virtual std::size_t held() const = 0;
  /// The reader has gone, or the disk is full: nothing more is written.
  [[nodiscard]] virtual int write_error() const = 0;
  /// The sentence for that, where the error alone would not do.
  [[nodiscard]] virtual std::optional<std::string> failure() const { return std::nullopt; }
  /// Waits for the reader at most that long, and may be called again. True when nothing is left.
  virtual bool wait(Duration patience) = 0;
};

}  // namespace corral::shell
