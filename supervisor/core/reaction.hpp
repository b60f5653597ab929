// The whole life of a worker as one table: what each state makes of each thing that can happen.
//
// react() is the declared graph. supervisor.cpp carries the reactions out, docs/states.md is printed from the same
// table, and a pair that nobody thought of does not compile (-Wswitch-enum).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "supervisor/core/state.hpp"

namespace corral::core {

/// What can happen to one worker: the outside's events of its present life, its deadline, and what is wanted of it.
enum class Happening : std::uint8_t {
  start_wanted,   ///< It shall be up.
  stop_wanted,    ///< It shall be down, with its stop signal and grace.
  kill_wanted,    ///< It shall be down at once.
  turn_came,      ///< The queue of launches reached it.
  spawned,        ///< The process exists.
  spawn_failed,   ///< There is no process, or none any more: the launch failed.
  ready,          ///< exec succeeded.
  exited,         ///< The process was reaped.
  output_closed,  ///< Nobody holds its output any more.
  swept,          ///< No descendant of this life is alive.
  deadline,       ///< The state's own deadline.
};
inline constexpr std::array all_happenings{Happening::start_wanted, Happening::stop_wanted, Happening::kill_wanted,
                                           Happening::turn_came,    Happening::spawned,     Happening::spawn_failed,
                                           Happening::ready,        Happening::exited,      Happening::output_closed,
                                           Happening::swept,        Happening::deadline};

enum class Reaction : std::uint8_t {
  nothing,        ///< Nothing to do: it is so already, or it comes too late to matter.
  enqueue,        ///< Join the queue of launches.
  forget,         ///< Nothing runs: it is down at once.
  launch,         ///< Begin the next life.
  note_pid,       ///< Remember the process.
  run,            ///< It runs.
  stop,           ///< Send the stop signal, start the grace.
  kill,           ///< Send SIGKILL.
  drain,          ///< Wait for the last output, sweep the descendants.
  note_output,    ///< Remember that its output has ended; a draining worker may be done.
  note_swept,     ///< Remember that its descendants are gone; a draining worker may be done.
  judge_failure,  ///< The launch failed: the policy decides, as for any unhealthy exit.
  give_up,        ///< It cannot be killed: say so, never use the slot while it lives.
  overdue,        ///< Look for descendants again, or give up on output or descendants.
  late_exit,      ///< The process that could not be killed has gone after all.
  late_sweep,     ///< So have its descendants: the slot is free again.
  unexpected,     ///< The shell broke its promise: reported, otherwise ignored.
};

[[nodiscard]] Reaction react(StateKind state, Happening happening);

[[nodiscard]] std::string_view name(Happening happening);
[[nodiscard]] std::string_view name(Reaction reaction);

/// Where a reaction may lead, for docs/states.md and the simulator's checker: a mask of 1 << StateKind.
[[nodiscard]] std::uint32_t exits_of(StateKind state, Reaction reaction);

}  // namespace corral::core
