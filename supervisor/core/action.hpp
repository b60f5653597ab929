// What the core asks of the outside, in the imperative; one of them is to say something (notice.hpp).
//
// Performing an action never calls the core; whatever comes of it is an event.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "common/base/ids.hpp"
#include "supervisor/core/command.hpp"
#include "supervisor/core/notice.hpp"

namespace corral::core {

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
