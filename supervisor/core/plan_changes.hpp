// What a reload makes of each worker, before it is done.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "supervisor/core/plan.hpp"
#include "supervisor/core/snapshot.hpp"

namespace corral::core {

struct WorkerChange {
  enum class Kind : std::uint8_t { keep, restart, start, stop };
  std::string worker;  ///< crunch/0
  Kind kind = Kind::keep;
  std::string why;  ///< A sentence without a full stop.
};

[[nodiscard]] std::string_view name(WorkerChange::Kind kind);

/// In the order of `next`, what goes last.
[[nodiscard]] std::vector<WorkerChange> changes(const Plan& in_force, const Plan& next);

/// The same of the workers as they are: who has no process is not restarted but started, and whom a command has stopped not
/// even that.
void heed_states(std::vector<WorkerChange>& changes, const Snapshot& seen);

}  // namespace corral::core
