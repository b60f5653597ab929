// What the outside tells the core: things that have happened, in the past tense.
//
// An event about a process names its life; one of a past life is ignored. The shell promises for every SpawnWorker
// exactly one of: SpawnFailed; or WorkerSpawned, later perhaps WorkerReady, and at the end WorkerExited or (when exec
// turns out to have failed, after the process was reaped) SpawnFailed.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "common/base/exit_status.hpp"
#include "common/base/ids.hpp"
#include "supervisor/core/command.hpp"
#include "supervisor/core/launch_failure.hpp"
#include "supervisor/core/plan.hpp"

namespace corral::core {

struct WorkerSpawned {
  Life life;
  std::int32_t pid = 0;  ///< For reports only.
};

/// There is no process of this life, or none any more.
struct SpawnFailed {
  Life life;
  LaunchFailure failure;
};

struct WorkerReady {
  Life life;
};

/// Reaped: the process is gone. Its descendants may not be.
struct WorkerExited {
  Life life;
  ExitStatus status;
  ResourceUsage usage{};
  bool out_of_memory = false;  ///< The kernel's OOM killer ended it.
  bool before_exec = false;    ///< It was killed before its program began, although WorkerReady was told.
  bool had_terminal = false;   ///< And with that the keys that interrupt: they reached it alone.
};

/// A signal that was asked for has reached nobody of its group, or not the worker itself: the kernel refused it.
struct SignalFailed {
  Life life;
  int signal = 0;
  int error_number = 0;
};

/// Its stdout and stderr have reached their end, or there were none to read.
struct OutputClosed {
  Life life;
};

/// No descendant of this life is alive.
struct WorkerSwept {
  Life life;
};

/// No descendant of the supervisor is alive. Answer to SweepAll.
struct AllSwept {};

/// Who is still there after a SweepAll, as far as that can be known.
struct Leftovers {
  std::uint32_t found = 0;    ///< Were found, and killed as far as the kernel allows.
  std::uint32_t refused = 0;  ///< Of those: may not be killed.
  int error_number = 0;       ///< What the kernel says to that.
  std::int32_t pid = 0;       ///< One of them, a refused one where there is one; 0: none was found.
  bool hidden = false;        ///< There may be others: nothing lists the supervisor's children (no /proc).
  friend bool operator==(const Leftovers&, const Leftovers&) = default;
};

/// Not all are gone, or not yet. The other answer to SweepAll.
struct SweepIncomplete {
  Leftovers left;
};

struct SignalReceived {
  int signal = 0;
  bool terminal_gone = false;  ///< A SIGHUP that the kernel sent because the terminal was closed.
};

/// A new, valid configuration. An invalid one never becomes an event.
struct ConfigReloaded {
  enum class Kind : std::uint8_t {
    changed,
    /// The plan in force with another number of workers: those that stay go on, although they were told the old number.
    scaled,
    on_trial,  ///< Changed, but only for good if every worker that it touches becomes healthy.
    restored,  ///< What was in force before `trial`: the answer to RestoreConfiguration.
  };
  Plan plan;
  std::optional<CommandId> asked_by{};  ///< Is answered when every worker has come to where it belongs.
  Kind kind = Kind::changed;
  TrialId trial{};      ///< With `restored`.
  ProgramId program{};  ///< With `scaled`: which.
};

/// The other answer to RestoreConfiguration: what was in force before cannot come back, and the new one stays.
struct RestoreFailed {
  TrialId trial{};
};

struct CommandReceived {
  std::optional<CommandId> asked_by{};  ///< Nothing: nobody waits for the answer.
  Command command;
};

/// Nobody waits any more for the answer of a command, or of a reload: there will be none. What was asked for goes on.
struct CommandAbandoned {
  CommandId id{};
};

/// What those who feed workers with tasks have found about one of them.
struct WorkerJudged {
  enum class As : std::uint8_t {
    proven,     ///< It works: its end, whenever it comes, is held against nobody.
    outdated,   ///< Stop this process and start another one in its place.
    failing,    ///< Stop it; what follows is the restart policy's.
    dismissed,  ///< It ends by itself, and nothing follows.
    unwanted,   ///< Stop it, and nothing follows.
  };
  Life life;
  As as = As::proven;
};

/// With Options::on_demand, and for the second slots of workers that are relieved: there is work for this worker's next life,
/// which is to begin as soon as the present one is over.
struct WorkerCalled {
  WorkerId worker;
};

/// So many tasks have failed that the workers are to stop.
struct TasksHalted {};

/// No task is left: no worker is started any more.
struct TasksEnded {};

/// Time has passed: the instant of the step is all there is to it.
struct DeadlineReached {};

using Event = std::variant<WorkerSpawned, SpawnFailed, WorkerReady, WorkerExited, SignalFailed, OutputClosed, WorkerSwept,
                           AllSwept, SweepIncomplete, SignalReceived, ConfigReloaded, RestoreFailed, CommandReceived,
                           CommandAbandoned, WorkerJudged, WorkerCalled, TasksHalted, TasksEnded, DeadlineReached>;

}  // namespace corral::core
