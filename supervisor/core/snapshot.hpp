// What the supervisor looks like from outside, at one instant. A copy: it stays true when the core moves on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/instant.hpp"
#include "supervisor/core/spec.hpp"
#include "supervisor/core/state.hpp"

namespace corral::core {

struct WorkerSnapshot {
  std::uint32_t index = 0;
  State state;
  Incarnation incarnation{};
  std::int32_t pid = 0;  ///< 0 where no process exists.
  std::uint32_t restarts = 0;
  std::uint32_t unhealthy_in_a_row = 0;
  bool wanted_up = false;
  bool held = false;            ///< A command has stopped it: it stays down until another one says otherwise.
  Instant launched_at = never;  ///< Of the process that exists.
  Instant due = never;          ///< The deadline of its state.
};

struct ProgramSnapshot {
  ProgramId id{};
  std::string name;
  bool failed = false;
  std::vector<WorkerSnapshot> workers;
};

enum class Phase : std::uint8_t {
  running,   ///< Supervising.
  stopping,  ///< Everything was told to stop.
  sweeping,  ///< All workers are settled; stray descendants are being killed.
  done,      ///< ExitSupervisor was asked for: no event changes anything any more.
};

/// One worker, and what its program has to do with it.
struct WorkerView {
  WorkerSnapshot worker;
  WorkerId id;
  const ProgramSpec* spec = nullptr;  ///< In force. The core's own: true until its next step.
  bool program_failed = false;
  StopWhy stop_why = StopWhy::asked;  ///< What for it ends, where it is being stopped or was: as things are now.
  bool outdated = false;              ///< Its process is of a definition that is in force no more.
  bool in_line = false;               ///< A rolling restart has yet to come to it.
  bool on_trial = false;              ///< It has yet to become healthy, or the configuration before comes back.
  std::uint32_t unhealthy_exits = 0;  ///< Of the program, within its limit's window.
  Instant window_ends = never;        ///< When the oldest of them is forgotten.
  Phase phase = Phase::running;
  Instant now{};  ///< When this was looked at.
};

struct Snapshot {
  Phase phase = Phase::running;
  std::vector<ProgramSnapshot> programs;
  std::uint32_t commands = 0;          ///< That are not over.
  std::uint32_t commands_awaited = 0;  ///< Of those: somebody waits for the answer.
};

}  // namespace corral::core
