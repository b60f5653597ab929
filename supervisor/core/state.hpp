// The states of a worker, each with the data and the one deadline that belong to it.
//
// Leaving a state forgets its deadline, since the deadline lives inside it: a stale timer cannot be written down.
// What is wanted of a worker (up or down) is kept apart from what it is.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "common/base/exit_status.hpp"
#include "common/base/instant.hpp"

namespace corral::core {

/// Not running, and nothing is due.
struct Stopped {};

/// Wanted, and in the queue of launches: its turn has not come.
struct Waiting {};

/// A process was asked for; the worker's own program is not yet executing.
struct Starting {
  Instant ready_by;
};

/// The worker's program executes.
struct Running {
  Instant since;
};

/// The stop signal was sent to the group; it has until kill_at to clean up.
struct Stopping {
  Instant kill_at;
};

/// SIGKILL was sent to the group; a process that outlives give_up_at cannot be killed (it hangs in the kernel).
struct Killing {
  Instant give_up_at;
};

/// The process is gone; its last output and its descendants are waited for, so that nothing of this life reaches
/// into the next.
struct Draining {
  ExitStatus status;
  Instant drain_by;     ///< From then on output that a survivor holds open is no longer waited for.
  Instant sweep_again;  ///< Descendants that were still there are looked for again.
  Instant give_up_at;   ///< Descendants that outlive this cannot be killed.
  bool swept = false;
  bool output_ends_with_sweep = false;  ///< Until then nothing but the sweep is waited for.

  [[nodiscard]] bool may_wait_for_output() const { return swept || !output_ends_with_sweep; }
};

/// The next launch is put off until then.
struct Backoff {
  Instant until;
};

/// Finished; no restart is due.
struct Exited {
  ExitStatus status;
};

enum class FailReason : std::uint8_t {
  not_restarted,   ///< It ended without success and its policy restarts nothing.
  program_failed,  ///< The program had too many unhealthy exits.
  unkillable,      ///< SIGKILL did not end it; the slot is not used again while that process exists.
  survivors,       ///< Descendants could not be killed; the slot is not used again.
};

/// Given up.
struct Failed {
  FailReason reason;
};

using State = std::variant<Stopped, Waiting, Starting, Running, Stopping, Killing, Draining, Backoff, Exited, Failed>;

/// The alternatives of State by name, in its order.
enum class StateKind : std::uint8_t { stopped, waiting, starting, running, stopping, killing, draining, backoff, exited, failed };
inline constexpr std::array all_states{StateKind::stopped,  StateKind::waiting, StateKind::starting, StateKind::running,
                                       StateKind::stopping, StateKind::killing, StateKind::draining, StateKind::backoff,
                                       StateKind::exited,   StateKind::failed};
static_assert(std::variant_size_v<State> == all_states.size());

[[nodiscard]] constexpr StateKind kind(const State& state) { return static_cast<StateKind>(state.index()); }

[[nodiscard]] std::string_view name(StateKind state);

/// The sentence of a state, for docs/states.md.
[[nodiscard]] std::string_view sentence(StateKind state);

/// No process of the worker exists and none is due.
[[nodiscard]] constexpr bool is_settled(StateKind state) {
  return state == StateKind::stopped || state == StateKind::exited || state == StateKind::failed;
}

/// A process exists, or is being made, or has just gone.
[[nodiscard]] constexpr bool has_process(StateKind state) {
  return state == StateKind::starting || state == StateKind::running || state == StateKind::stopping ||
         state == StateKind::killing;
}

/// When `state` wants to be woken; nothing for a state that only waits for events. `output_open` tells whether a
/// draining worker's pipes are still held by somebody.
[[nodiscard]] std::optional<Instant> deadline_of(const State& state, bool output_open);

/// What for a life begins.
enum class StartWhy : std::uint8_t {
  configured,  ///< The configuration has it, or a scaling.
  restart,     ///< The one before has ended, or was none, and its policy says so.
  asked,       ///< Somebody said so.
  restarted,   ///< Somebody wanted another life of it.
  replaced,    ///< Its definition or its place has changed.
  needed,      ///< There is work for it.
};

/// Why one worker is to end while the others run on.
enum class StopWhy : std::uint8_t {
  asked,           ///< Somebody said so.
  restarted,       ///< Somebody wants another life of it.
  replaced,        ///< Another life follows, of another definition or elsewhere.
  retired,         ///< It has left the configuration.
  program_failed,  ///< Others of its program had too many unhealthy exits.
};

}  // namespace corral::core
