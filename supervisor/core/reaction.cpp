#include "supervisor/core/reaction.hpp"

namespace corral::core {
namespace {

using enum Reaction;

Reaction without_process(StateKind state, Happening happening) {
  const bool waits = state == StateKind::waiting || state == StateKind::backoff;
  switch (happening) {
    case Happening::start_wanted: return waits ? nothing : enqueue;
    case Happening::stop_wanted:
    case Happening::kill_wanted: return waits ? forget : nothing;
    case Happening::turn_came: return state == StateKind::waiting ? launch : nothing;
    case Happening::deadline: return state == StateKind::backoff ? enqueue : unexpected;
    case Happening::output_closed: return nothing;  // Of the life before: its report is already made.
    case Happening::swept: return state == StateKind::failed ? late_sweep : nothing;
    case Happening::exited:
    case Happening::spawn_failed: return state == StateKind::failed ? late_exit : unexpected;
    case Happening::ready: return state == StateKind::failed ? nothing : unexpected;  // It hung, and was given up.
    case Happening::spawned: return state == StateKind::failed ? note_pid : unexpected;
  }
  return unexpected;
}

Reaction with_process(StateKind state, Happening happening) {
  const bool going = state == StateKind::stopping || state == StateKind::killing;
  switch (happening) {
    case Happening::start_wanted:
    case Happening::turn_came:
    case Happening::swept: return nothing;
    case Happening::stop_wanted: return going ? nothing : stop;
    case Happening::kill_wanted: return state == StateKind::killing ? nothing : kill;
    case Happening::spawned: return state == StateKind::running ? unexpected : note_pid;
    case Happening::spawn_failed: return state == StateKind::running ? unexpected : judge_failure;
    case Happening::ready: return state == StateKind::starting ? run : going ? nothing : unexpected;
    case Happening::exited: return drain;
    case Happening::output_closed: return note_output;
    case Happening::deadline: return state == StateKind::killing ? give_up : state == StateKind::running ? unexpected : kill;
  }
  return unexpected;
}

Reaction while_draining(Happening happening) {
  switch (happening) {
    case Happening::start_wanted:
    case Happening::stop_wanted:
    case Happening::kill_wanted:
    case Happening::turn_came: return nothing;
    case Happening::output_closed: return note_output;
    case Happening::swept: return note_swept;
    case Happening::deadline: return overdue;
    case Happening::spawned:
    case Happening::spawn_failed:
    case Happening::ready:
    case Happening::exited: return unexpected;
  }
  return unexpected;
}

constexpr std::uint32_t bit(StateKind state) { return 1U << static_cast<unsigned>(state); }

}  // namespace

Reaction react(StateKind state, Happening happening) {
  switch (state) {
    case StateKind::stopped:
    case StateKind::waiting:
    case StateKind::backoff:
    case StateKind::exited:
    case StateKind::failed: return without_process(state, happening);
    case StateKind::starting:
    case StateKind::running:
    case StateKind::stopping:
    case StateKind::killing: return with_process(state, happening);
    case StateKind::draining: return while_draining(happening);
  }
  return unexpected;
}

std::uint32_t exits_of(StateKind state, Reaction reaction) {
  const std::uint32_t same = bit(state);
  const std::uint32_t judged = bit(StateKind::stopped) | bit(StateKind::waiting) | bit(StateKind::backoff) |
                               bit(StateKind::exited) | bit(StateKind::failed);
  switch (reaction) {
    case nothing:
    case note_pid:
    case unexpected: return same;
    case enqueue: return bit(StateKind::waiting) | (state == StateKind::failed ? same : 0U);
    case forget: return bit(StateKind::stopped) | bit(StateKind::failed);
    case launch: return bit(StateKind::starting);
    case run: return bit(StateKind::running);
    case stop: return bit(StateKind::stopping);
    case kill: return bit(StateKind::killing);
    case drain: return bit(StateKind::draining) | judged;
    case note_output: return same | (state == StateKind::draining ? judged : 0U);
    case note_swept:
    case overdue: return same | judged;
    case judge_failure: return judged;
    case give_up: return bit(StateKind::failed);
    case late_exit: return same;
    case late_sweep: return same | bit(StateKind::waiting);
  }
  return same;
}

std::string_view name(Happening happening) {
  switch (happening) {
    case Happening::start_wanted: return "start wanted";
    case Happening::stop_wanted: return "stop wanted";
    case Happening::kill_wanted: return "kill wanted";
    case Happening::turn_came: return "turn came";
    case Happening::spawned: return "spawned";
    case Happening::spawn_failed: return "spawn failed";
    case Happening::ready: return "ready";
    case Happening::exited: return "exited";
    case Happening::output_closed: return "output closed";
    case Happening::swept: return "swept";
    case Happening::deadline: return "deadline";
  }
  return "unknown";
}

std::string_view name(Reaction reaction) {
  switch (reaction) {
    case nothing: return "nothing";
    case enqueue: return "enqueue";
    case forget: return "forget";
    case launch: return "launch";
    case note_pid: return "note pid";
    case run: return "run";
    case stop: return "stop";
    case kill: return "kill";
    case drain: return "drain";
    case note_output: return "note output";
    case note_swept: return "note swept";
    case judge_failure: return "judge failure";
    case give_up: return "give up";
    case overdue: return "overdue";
    case late_exit: return "late exit";
    case late_sweep: return "late sweep";
    case unexpected: return "unexpected";
  }
  return "unknown";
}

}  // namespace corral::core
