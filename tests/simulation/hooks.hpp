// The queue of hooks against a fake hook that takes its time, hangs, and sometimes cannot be killed.
#pragma once

#include <cstdint>

namespace corral::simulation {

/// Plays one seed; throws Violation.
void run_hooks(std::uint64_t seed);

}  // namespace corral::simulation
