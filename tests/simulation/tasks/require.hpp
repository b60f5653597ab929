// Short for a rule that must hold: its words cost nothing while it does.
#pragma once

#include "tests/simulation/violation.hpp"

namespace corral::simulation::tasks {

inline void require(bool holds, const char* rule) {
  if (!holds) {
    throw Violation(rule);
  }
}

}  // namespace corral::simulation::tasks
