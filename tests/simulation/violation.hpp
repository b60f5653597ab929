// What a simulator throws when something that must always hold does not.
#pragma once

#include <stdexcept>

namespace corral::simulation {

/// An invariant does not hold. The text names it.
struct Violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace corral::simulation
