// What somebody who may command the supervisor asks of it, and what is answered.
//
// A command is answered once, when what it asked for is true or cannot become true any more: a start when the process
// runs, a stop when no process is left, a restart when the next process runs, a reload and a scaling when every worker
// that they touch has come to where it belongs.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/instant.hpp"
#include "supervisor/core/plan.hpp"

namespace corral::core {

/// Who asked. Given by the shell, never used twice.
enum class CommandId : std::uint64_t {};

/// Commands whose answer somebody waits for at any moment; one more is refused as busy.
inline constexpr std::size_t most_commands = 64;

struct StartWorkers {
  std::vector<WorkerId> workers;
};

/// They stay down until they are started or restarted, through a reload as well.
struct StopWorkers {
  std::vector<WorkerId> workers;
};

/// A few at a time: the next ones go when the new ones are healthy, by the policy of their program, and have been for `pause`.
/// Ends at the first that fails, be it one that was healthy already.
struct Rolling {
  std::uint32_t at_once = 1;  ///< At least 1.
  Duration pause{};
  std::optional<ProgramId> program{};  ///< Where all are of one: found out by the core.
  friend bool operator==(const Rolling&, const Rolling&) = default;
};

struct RestartWorkers {
  std::vector<WorkerId> workers;
  std::optional<Rolling> rolling;  ///< Nothing: all at once.
};

struct SignalWorkers {
  std::vector<WorkerId> workers;
  int signal = 0;
};

struct ShutDown {};

using Command = std::variant<StartWorkers, StopWorkers, RestartWorkers, SignalWorkers, ShutDown>;

/// What became of a command.
struct CommandOutcome {
  enum class Kind : std::uint8_t {
    done,       ///< All of it is true.
    failed,     ///< `culprit` did not come to run, or did not stay, or could not be stopped.
    overtaken,  ///< `culprit` was told something else meanwhile.
    stopping,   ///< Everything stops: nothing is started or changed any more.
    busy,       ///< Too many commands wait already.
    /// `culprit` did not become healthy under the new configuration: the one before is in force again.
    rolled_back,
    /// Of a trial: `culprit` was told something else, so that the new configuration stays without having proven itself.
    trial_ended,
    superseded,  ///< Another configuration has come, before all of this one was true.
  };
  Kind kind = Kind::done;
  std::uint32_t workers = 0;  ///< Of which it is true.
  std::optional<WorkerId> culprit{};
  std::uint32_t left = 0;  ///< Of a rolling restart that ends early: whose turn has not come.

  /// What goes wrong first is what is told.
  void spoil(Kind how, std::optional<WorkerId> by) {
    kind = kind == Kind::done ? how : kind;
    culprit = culprit ? culprit : by;
  }
};

/// One worker of a command that is not yet true.
struct CommandTarget {
  enum class Until : std::uint8_t {
    runs,     ///< A life after `past` runs.
    settles,  ///< The same, and is healthy, and has been for a while.
    is_down,  ///< It has no process.
    is_gone,  ///< It has left the program.
  };
  WorkerId worker;
  Until until = Until::runs;
  Incarnation past{};
  Duration healthy_after{};    ///< With `settles`: so long it has to live, unless it has proven itself before.
  Duration pause{};            ///< And so much longer.
  Instant settled_at = never;  ///< With `settles`, once it runs.
};

/// A configuration that was taken on trial. Given by the core, counted from 1.
enum class TrialId : std::uint32_t {};

/// Of a reload: unless all its workers become healthy, the configuration before it comes back.
struct Trial {
  enum class State : std::uint8_t {
    under_way,
    lost,  ///< The configuration before it has been asked for, and is not there yet.
  };
  TrialId id{};
  State state = State::under_way;
  std::vector<ProgramId> programs{};  ///< Of which it tries a worker, some perhaps more than once.
};

/// A command between its coming and its answer; or, when nobody waits for that, a rolling restart while others are still to
/// go, or a reload on trial until that is over.
struct PendingCommand {
  std::optional<CommandId> asked_by{};   ///< Nothing: nobody waits for the answer.
  std::vector<CommandTarget> targets{};  ///< That are under way.
  std::vector<WorkerId> queued{};        ///< Of a rolling restart: whose turn has not come, the next one last.
  std::optional<Rolling> rolling{};
  std::vector<WorkerId> replaced{};  ///< Of a rolling restart: whose turn is over.
  std::optional<Trial> trial{};      ///< At most one command has that.
  CommandOutcome outcome{};
  Instant next_settled = never;  ///< The first of its targets.
};

}  // namespace corral::core
