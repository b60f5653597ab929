// Long walks: workers come and go, and somebody commands them all the time.
#pragma once

#include <cstdint>
#include <ostream>

namespace corral::simulation::commands {

struct Outcome {
  std::uint64_t steps = 0;
  std::uint64_t trace = 0;  ///< A hash of all that was told.
};

/// Throws Violation. With `log`, every step in words.
Outcome run(std::uint64_t seed, std::ostream* log);

}  // namespace corral::simulation::commands
