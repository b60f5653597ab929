// Which task a worker is at, as it says itself: a word of memory that it writes before each one, and that is read when it has
// died.
//
// Answers of tiny tasks share a write. Without the mark a death would be put down to the oldest task without an answer, which may
// long be done; a frame for each begin would cost more than the task. Where there is no such memory, that is how it is.
#pragma once

#include <optional>

#include "common/base/file_descriptor.hpp"
#include "supervisor/core/tasks/task.hpp"

namespace corral::shell {

class TaskMark {
 public:
  /// For a life that is about to begin: at nothing.
  [[nodiscard]] static TaskMark make();
  /// To be inherited by the worker. -1: there is none.
  [[nodiscard]] int descriptor() const { return memory_.get(); }
  /// Nothing while it waits for a task, or never marks any.
  [[nodiscard]] std::optional<core::TaskId> read() const;

 private:
  FileDescriptor memory_;
};

}  // namespace corral::shell
