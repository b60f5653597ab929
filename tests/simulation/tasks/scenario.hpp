// What one seed means to those who work on tasks: the policy, the input, the faults, and when somebody wants an end.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "supervisor/core/restart.hpp"
#include "supervisor/core/tasks/task.hpp"
#include "tests/simulation/scenario.hpp"

namespace corral::simulation::tasks {

/// How often (0 to 1) workers, the supervisor above them and the clock misbehave. Swarm: most are zero in most seeds.
struct Misdeeds {
  // A worker at its task.
  double errors = 0;
  double dies_at_work = 0;
  double dies_after_answer = 0;  ///< It was written, and not read yet.
  double loses_answers = 0;      ///< Likewise, and nobody ever reads it.
  double dies_idle = 0;
  double hangs = 0;
  double out_of_order = 0;
  double poison = 0;  ///< Tasks that take every worker down.
  // What it says.
  double never_greets = 0;
  double dies_before_hello = 0;
  double garbage = 0;
  double duplicates = 0;
  double forged = 0;  ///< Answers to tasks that it does not have, or in the name of a past life.
  double unasked_cancel = 0;
  double resigns = 0;
  double progress = 0;
  double ignores_recall = 0;
  // How it goes.
  double ignores_dismissal = 0;
  double ignores_stop = 0;
  double immortal = 0;
  double slow_reaping = 0;
  // The supervisor and the clock.
  double launch_fails = 0;
  double never_again = 0;  ///< The slot of a worker that has gone is not used any more.
  double late_timer = 0;
  double early_timer = 0;
  double cancels = 0;  ///< Whoever submits tasks has no use for one any more: at each turn.
};

struct Arrival {
  Instant at;
  std::uint32_t count = 0;
};

struct Scenario {
  std::uint64_t seed = 0;
  core::TaskPolicy policy;
  std::uint32_t workers = 1;
  std::vector<Arrival> input;  ///< In the order of time.
  Instant input_ends{};
  double unfit = 0;
  std::uint32_t holds_back = 1;  ///< A worker writes when it has so many answers; one that is not a filter also before it waits.
  bool marks = false;            ///< Which task it is at.
  Duration longest_task{};
  Misdeeds misdeeds;
  std::optional<Instant> drain_at;
  std::optional<Instant> abort_at;
};

[[nodiscard]] Scenario make_scenario(std::uint64_t seed);

/// Whole milliseconds: on a coarse clock things happen in the same instant, and every order of them is tried.
[[nodiscard]] inline Duration ticks(core::Random& random, std::uint32_t most) {
  return std::chrono::milliseconds(most == 0 ? 0 : pick(random, most + 1));
}

}  // namespace corral::simulation::tasks
