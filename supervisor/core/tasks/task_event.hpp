// What has happened to tasks and to those who work on them, in the past tense.
#pragma once

#include <optional>
#include <variant>

#include "common/base/exit_status.hpp"
#include "common/base/ids.hpp"
#include "supervisor/core/launch_failure.hpp"
#include "supervisor/core/tasks/task.hpp"

namespace corral::core {

/// One more task of the input: the next id. No more than room() of them.
struct TaskSubmitted {
  TaskSlot slot{};
  bool unfit = false;  ///< It cannot be given to anybody (it is too long): it fails at once.
};

/// No more tasks will be submitted.
struct InputEnded {};

/// A worker's program executes, and its channel is open.
struct ChannelOpened {
  Life life;
};

/// A process that cannot be killed is in the way: this life is given up, and no other begins.
struct SlotClosed {
  WorkerId worker;
};

/// It said HELLO, in a version that we speak.
struct WorkerGreeted {
  Life life;
};

struct TaskAnswered {
  Life life;
  TaskId task{};
  Answer answer = Answer::result;
};

/// It is still at it.
struct TaskProgressed {
  Life life;
  TaskId task{};
};

/// What came from it is no protocol: nothing that follows is read.
struct ChannelBroken {
  Life life;
  std::optional<TaskId> at{};  ///< The task that it has marked as the one in work.
  bool too_long = false;       ///< It was a result so far, and longer than may be.
};

/// Nothing more can come from it, nor reach it, although its process lives.
struct ChannelClosed {
  Life life;
};

/// Nobody was awake for that long, the workers perhaps neither: it is nobody's time.
struct TimeLost {
  Duration lost{};
};

/// A filter waits for more input although it owes an answer: it holds its output back until it has more of it.
struct WorkerStarved {
  Life life;
};

/// It ends of its own accord, and takes nothing more: what it has not answered it has not begun either.
struct WorkerResigned {
  Life life;
};

/// The worker's process is gone, and all that it had written has been read.
struct WorkerLost {
  Life life;
  ExitStatus status{ExitedWith{0}};
  ResourceUsage usage{};
  bool out_of_memory = false;
  Duration lived{};            ///< Since its launch; zero where that was not seen.
  std::optional<TaskId> at{};  ///< What it had marked as in work: those before it were done.
};

/// What was asked for: so much memory its process has.
struct WorkerMeasured {
  Life life;
  std::uint64_t bytes = 0;
};

/// Whoever submitted this task has no use for it any more. Decided by LeaveTask, TellBegun or RecordTask, whatever comes first.
struct CancelAsked {
  TaskSlot slot{};
  TaskId task{};
};

/// No new task is to begin; those in work may end.
struct DrainAsked {};

/// Workers are being stopped: what they do not answer any more goes back unspent.
struct AbortAsked {};

struct TaskDeadlineReached {};

using TaskEvent = std::variant<TaskSubmitted, InputEnded, ChannelOpened, SlotClosed, WorkerGreeted, TaskAnswered, TaskProgressed,
                               ChannelBroken, ChannelClosed, TimeLost, WorkerStarved, WorkerResigned, WorkerLost, WorkerMeasured,
                               CancelAsked, DrainAsked, AbortAsked, TaskDeadlineReached>;

}  // namespace corral::core
