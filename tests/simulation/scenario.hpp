// What one seed means: the programs, the faults and the moments at which somebody interferes. Pure data from one number.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "supervisor/core/plan.hpp"
#include "supervisor/core/restart.hpp"

namespace corral::simulation {

using namespace std::chrono_literals;

/// How often (0 to 1) the fake kernel misbehaves in each way. Swarm: each seed has its own mixture, many of them zero,
/// since a fault that is always there hides what happens without it.
struct Faults {
  double spawn_fails = 0;     ///< clone answers EAGAIN.
  double exec_fails = 0;      ///< The process dies before exec, with an errno.
  double exec_hangs = 0;      ///< Neither success nor failure is ever heard of.
  double crashes = 0;         ///< A life ends by a signal or a bad status and not well.
  double lives_for_ever = 0;  ///< A life ends only when it is told to.
  double ignores_stop = 0;    ///< The stop signal has no effect.
  double slow_stop = 0;       ///< Cleaning up takes long.
  double unkillable = 0;      ///< SIGKILL has no effect for a long time, or ever.
  double slow_reaping = 0;    ///< The report of a death comes late.
  double output_held = 0;     ///< Somebody else holds the pipes.
  double closes_output = 0;   ///< The worker closes its output and goes on.
  double leaves_descendants = 0;
  double immortal_descendants = 0;
  double late_timer = 0;
  double stale_events = 0;  ///< Events of past lives turn up again.
};

struct Interference {
  enum class Kind : std::uint8_t { signal, hangup, reload };
  Instant at;
  Kind kind = Kind::signal;
  int signal = 0;
};

struct Scenario {
  std::uint64_t seed = 0;
  core::Plan plan;
  Faults faults;
  std::vector<Interference> interferences;  ///< In the order of time.
  bool transparent = false;
  bool transparent_grace = false;
  bool terminal = false;  ///< There is one, which the transparent worker may have.
  std::uint32_t launches_at_once = 1;
  bool tasks = false;  ///< Workers are fed, and judged by those who feed them.
  std::optional<Instant> tasks_end_at;
};

[[nodiscard]] Scenario make_scenario(std::uint64_t seed);

/// Another plan for a reload: some programs kept, some changed in policy, some in definition, some gone, some new.
[[nodiscard]] core::Plan change_plan(const core::Plan& plan, core::Random& random);

// Small helpers over Random.
[[nodiscard]] bool chance(core::Random& random, double probability);
[[nodiscard]] std::uint32_t pick(core::Random& random, std::uint32_t below);
/// Log-uniform between the two, both positive: short and long times are equally likely.
[[nodiscard]] Duration some_time(core::Random& random, Duration from, Duration to);

}  // namespace corral::simulation
