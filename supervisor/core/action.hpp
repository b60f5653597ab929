// What the core asks of the outside, in the imperative, and what it has to say.
//
// Performing an action never calls the core; whatever comes of it is an event.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/base/exit_status.hpp"
#include "common/base/ids.hpp"
#include "common/base/instant.hpp"
#include "supervisor/core/event.hpp"
#include "supervisor/core/launch_failure.hpp"
#include "supervisor/core/state.hpp"

namespace corral::core {

// ---- Notices: one for each decision, with its cause. The shell words them. -----------------------------------------

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
                 ProgramFailed, ShutdownBegun, DrainBegun, ShutdownForced, SignalIgnored, SignalPassedOn, Reloaded, Scaled,
                 TrialPassed, TrialEnded, TrialFailed, RolledBack, LeftBehind, ShellBrokePromise, Finished>;

// ---- Actions --------------------------------------------------------------------------------------------------------

/// Create the process. `workers` is how many the program has; the placement is that of the plan in force.
struct SpawnWorker {
  Life life;
};

/// To the whole process group.
struct SignalWorker {
  Life life;
  int signal = 0;
};

/// Read what is left of its output; OutputClosed when it has ended.
struct DrainOutput {
  Life life;
  /// A sweep of this life follows, and then most likely another life of its worker: when nobody is left who could
  /// write, the output has ended, and what carried it may carry that of the next.
  bool another_follows = false;
};

/// Stop waiting for the end of its output.
struct AbandonOutput {
  Life life;
};

/// No life of this worker follows for now: nothing needs to be kept for one.
struct ReleaseOutput {
  WorkerId worker;
};

/// Kill whatever is left of this life; WorkerSwept when nothing is.
struct SweepWorker {
  Life life;
};

/// Kill every descendant of the supervisor; AllSwept when none is left, otherwise SweepIncomplete.
struct SweepAll {};

/// Read the configuration again; ConfigReloaded when it is valid, a sentence for people when it is not.
struct LoadConfiguration {};

/// What was in force before this trial is wanted back; ConfigReloaded with that, or RestoreFailed.
struct RestoreConfiguration {
  TrialId trial{};
};

/// Somebody may have put the log files aside: they are begun anew under their names.
struct ReopenLogs {};

/// Give out no more tasks; those in work may end. TasksEnded when they have.
struct DrainTasks {
  int signal = 0;
};

/// Workers are being stopped: what they do not answer any more goes back unspent.
struct AbortTasks {
  int signal = 0;  ///< That asked for it; 0: none did.
};

/// A process that cannot be killed is in the way: no other life of this worker begins, unless it goes after all.
struct CloseSlot {
  WorkerId worker;
};

/// The program has left the configuration and nothing of it runs.
struct ForgetProgram {
  ProgramId program{};
};

/// The one answer to a command.
struct AnswerCommand {
  CommandId id{};
  CommandOutcome outcome;
};

struct Announce {
  Notice notice;
};

/// The last action of all.
struct ExitSupervisor {
  int status = 0;
};

using Action = std::variant<SpawnWorker, SignalWorker, DrainOutput, AbandonOutput, ReleaseOutput, SweepWorker, SweepAll,
                            LoadConfiguration, RestoreConfiguration, ReopenLogs, DrainTasks, AbortTasks, CloseSlot, ForgetProgram,
                            AnswerCommand, Announce, ExitSupervisor>;
using ActionList = std::vector<Action>;

}  // namespace corral::core
