// What the core has to say: a notice for each decision, with its cause. The shell words them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "common/base/exit_status.hpp"
#include "common/base/ids.hpp"
#include "common/base/instant.hpp"
#include "supervisor/core/command.hpp"
#include "supervisor/core/event.hpp"
#include "supervisor/core/launch_failure.hpp"
#include "supervisor/core/state.hpp"

namespace corral::core {

/// What follows the end of a life.
struct Verdict {
  enum class Kind : std::uint8_t {
    restart,         ///< After `delay`.
    finished,        ///< With success, no restart is due.
    not_restarted,   ///< Without success, and the policy restarts nothing.
    stopped,         ///< As asked.
    replaced,        ///< To make room for a new definition: starts again at once.
    restarted,       ///< A command asked for it: starts again at once.
    program_failed,  ///< This exit was one too many, or the program had failed before.
    survivors,       ///< Descendants could not be killed.
  };
  Kind kind = Kind::stopped;
  std::uint32_t restart = 0;  ///< The how-manieth restart of this worker it will be, from 1.
  Duration delay{};
};

struct Started {
  Life life;
  std::int32_t pid = 0;
  StartWhy why = StartWhy::configured;
};

struct Ended {
  Life life;
  std::int32_t pid = 0;
  ExitStatus status;
  Duration lived{};  ///< From its launch.
  ResourceUsage usage;
  bool out_of_memory = false;
  Verdict verdict;
  bool success = false;                  ///< One of the exit statuses that the policy calls so.
  std::uint32_t unhealthy_in_a_row = 0;  ///< This end counted, where it was unhealthy.
};

struct LaunchFailed {
  Life life;
  LaunchFailure failure;
  Verdict verdict;
  std::uint32_t unhealthy_in_a_row = 0;
};

struct StopSignalled {
  Life life;
  int signal = 0;
  Duration grace{};
  std::int32_t pid = 0;
  StopWhy why = StopWhy::asked;
};

/// It did not stop within its grace, or was to die at once (grace is nothing then).
struct KillSent {
  Life life;
  std::optional<Duration> grace;
  std::int32_t pid = 0;
};

/// The kernel refused a signal. Said once for each reason, and of SIGKILL in any case.
struct SignalRefused {
  Life life;
  std::int32_t pid = 0;
  int signal = 0;
  int error_number = 0;
  std::optional<Duration> kill_in;     ///< SIGKILL is next, and when.
  std::optional<Duration> give_up_in;  ///< Or nothing is, but to give it up.
};

struct Unkillable {
  Life life;
  std::int32_t pid = 0;
  int error_number = 0;  ///< Why the kernel refused SIGKILL; 0: it took it.
};

/// The process that could not be killed is gone after all.
struct GoneAtLast {
  Life life;
};

/// Something that is not a worker holds the output of a dead worker open.
struct OutputHeld {
  Life life;
};

struct ProgramFailed {
  ProgramId program{};
  std::uint32_t unhealthy_exits = 0;
  Duration within{};
  bool shuts_down = false;
};

/// Why everything stops.
struct StopCause {
  enum class Kind : std::uint8_t { signal, program_failed, tasks_failed, command };
  Kind kind = Kind::signal;
  int signal = 0;
};
/// "SIGTERM was received"
[[nodiscard]] std::string describe(const StopCause& cause);

struct ShutdownBegun {
  StopCause cause;
  std::uint32_t workers = 0;  ///< That have a process now.
};

/// Workers may finish the tasks that they are at; nothing new begins.
struct DrainBegun {
  int signal = 0;
};

struct ShutdownForced {
  int signal = 0;
  std::uint32_t workers = 0;
};

struct SignalIgnored {
  int signal = 0;
  std::uint64_t times = 1;  ///< Since it was last said; a storm is said once a second.
};

struct SignalPassedOn {
  int signal = 0;
  std::uint32_t workers = 0;
  std::uint64_t times = 1;  ///< As above.
};

/// Workers are replaced, so many at a time.
struct RollBegun {
  std::uint32_t workers = 0;
  std::uint32_t at_once = 1;
  std::optional<ProgramId> program{};  ///< Where all are of one.
};

/// All of them were, or it has ended early: `outcome.workers` are new and healthy, `outcome.left` were not touched.
struct RollEnded {
  CommandOutcome outcome;
  std::optional<ProgramId> program{};  ///< Likewise.
};

struct Reloaded {
  std::uint32_t kept = 0, replaced = 0, started = 0, stopped = 0;  ///< Workers.
  bool on_trial = false;                                           ///< Unless those become healthy, it is undone.
};

/// A program has so many workers from now on.
struct Scaled {
  ProgramId program{};
  std::uint32_t workers = 0;
  Reloaded counts;  ///< `kept`: of this program alone.
};

/// Every worker that a reload on trial has touched has become healthy, or has left.
struct TrialPassed {
  std::uint32_t workers = 0;
};

/// A trial is over that was neither passed nor failed, with this worker, if not all, still to prove itself.
struct TrialEnded {
  enum class Why : std::uint8_t {
    told_otherwise,  ///< It was told something else meanwhile.
    reloaded,        ///< Another configuration has come, without a trial.
  };
  WorkerId worker;
  Why why = Why::told_otherwise;
};

/// This worker did not live for as long as it takes to be healthy: the configuration before comes back.
struct TrialFailed {
  Life life;
  Duration healthy_after{};
};

/// It is in force again.
struct RolledBack {
  Reloaded counts;
};

/// Descendants outlived every SIGKILL, or could not be found for one; the supervisor leaves them behind and says so.
struct LeftBehind {
  Leftovers left;  ///< By the last look.
};

struct ShellBrokePromise {
  WorkerId worker;
  std::string what;
};

struct Finished {
  int status = 0;
};

using Notice =
    std::variant<Started, Ended, LaunchFailed, StopSignalled, KillSent, SignalRefused, Unkillable, GoneAtLast, OutputHeld,
                 ProgramFailed, ShutdownBegun, DrainBegun, ShutdownForced, SignalIgnored, SignalPassedOn, RollBegun, RollEnded,
                 Reloaded, Scaled, TrialPassed, TrialEnded, TrialFailed, RolledBack, LeftBehind, ShellBrokePromise, Finished>;

}  // namespace corral::core
