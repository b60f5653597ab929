// One scenario of tasks, from the first to the last.
#pragma once

#include <cstdint>
#include <iosfwd>

#include "tests/simulation/tasks/scenario.hpp"

namespace corral::simulation::tasks {

struct Outcome {
  std::uint64_t trace = 0;  ///< A hash of every event and every action: the same for the same seed and code.
  std::uint64_t steps = 0;
  std::uint64_t tasks = 0;
};

/// Throws Violation. `log`, where given, gets every event and every action in words.
Outcome run(const Scenario& scenario, std::ostream* log = nullptr);

}  // namespace corral::simulation::tasks
