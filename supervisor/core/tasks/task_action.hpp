// What the dispatcher asks for, in the imperative.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "supervisor/core/tasks/task_event.hpp"

namespace corral::core {

/// Send it.
struct DeliverTask {
  Life life;
  TaskSlot slot{};
  TaskId task{};
};

/// Start a process for this task.
struct CallWorker {
  WorkerId worker;
  TaskSlot slot{};
  TaskId task{};
};

/// Start a process in this slot: the one in its worker's other slot is about to go.
struct CallRelief {
  WorkerId worker;
};

/// Ask for it back, if it has not begun.
struct RecallTask {
  Life life;
  TaskId task{};
};

/// Why an attempt came to nothing.
enum class Mishap : std::uint8_t {
  reported,  ///< The worker said so.
  died,      ///< The worker ended without an answer.
  garbage,   ///< What the worker wrote was no protocol.
  too_long,  ///< Its result was longer than may be, which another attempt would not change.
  timeout,
  unfit,  ///< It was never given to a worker.
};

/// The end of a task: write it down, and let go of its bytes.
struct RecordTask {
  TaskSlot slot{};
  TaskId task{};
  Outcome outcome = Outcome::done;
  std::uint32_t attempts = 1;
  Life life;                        ///< Of the last attempt.
  Duration seconds{};               ///< Of the last attempt.
  std::optional<Mishap> mishap;     ///< Unless done.
  std::optional<WorkerLost> death;  ///< How the worker of the last attempt ended, where that was it.
};

/// It will be tried again. For people.
struct TellRetry {
  TaskSlot slot{};
  TaskId task{};
  Life life;
  std::uint32_t attempt = 1;  ///< The one that failed.
  std::uint32_t of = 1;
  Duration delay{};
  Mishap mishap = Mishap::died;
  std::optional<WorkerLost> death;
  Duration seconds{};  ///< Of the attempt that failed.
};

/// Everything was told to stop before it was done, or it was cancelled: let go of its bytes.
struct LeaveTask {
  TaskSlot slot{};
  TaskId task{};
};

/// It was to be cancelled and cannot be: it is in work, or its worker does not say whether it is.
struct TellBegun {
  TaskSlot slot{};
  TaskId task{};
};

/// It has shown that it works: its end is not held against its program.
struct VouchForWorker {
  Life life;
};

/// Stop this process and start another one in its place.
struct ReplaceWorker {
  enum class Why : std::uint8_t {
    timeout,
    broken_channel,
    never_greeted,
    room_for_fresh,  ///< A task waits for a fresh worker, and none comes.
  };
  Life life;
  Why why = Why::timeout;
  bool own_fault = false;  ///< No task is to blame: one that goes like that again and again is of no use.
  bool relieved = false;   ///< The process in its worker's other slot follows it: none does in its own.
};

/// Find out how much memory its process has.
struct MeasureWorker {
  Life life;
};

/// No more tasks come for it: close its channel, and let it end by itself.
struct DismissWorker {
  Life life;
};

/// It had its time to end by itself, or has not begun: stop it.
struct StopWorker {
  Life life;
};

/// A filter has been given all there is: close its input, so that it says what it holds back.
struct CloseInput {
  Life life;
};

/// So many tasks have failed that no other begins. `at_once`: stop the workers too.
struct HaltTasks {
  std::uint64_t failures = 0;
  bool at_once = false;
};

/// All tasks have ended or are left. No worker is needed any more: start none.
struct EndTasks {};

using TaskAction =
    std::variant<DeliverTask, CallWorker, CallRelief, RecallTask, RecordTask, TellRetry, LeaveTask, TellBegun, VouchForWorker,
                 MeasureWorker, ReplaceWorker, DismissWorker, StopWorker, CloseInput, HaltTasks, EndTasks>;
using TaskActions = std::vector<TaskAction>;

}  // namespace corral::core
