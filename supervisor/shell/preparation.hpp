// From a specification to a plan that can be launched, on this machine: counts, placements, commands, users.
//
// Everything that only the machine can tell is checked here, before anything is started or replaced, and all that is wrong
// is reported at once. Reads the machine and starts nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "supervisor/core/placement.hpp"
#include "supervisor/core/spec.hpp"
#include "supervisor/shell/prepared.hpp"

namespace corral::shell {

/// Something that this machine does not have.
struct Complaint {
  /// Of none: the key is one of the outermost object's.
  static constexpr std::size_t no_program = SIZE_MAX;

  std::size_t program = 0;  ///< Its place in the specification.
  std::string key;          ///< Of the configuration: "command/0", "directory", "user", "cores".
  std::string message;      ///< What and why, no full stop.
  std::string suggestion;   ///< A way out; may be empty.
};

struct Preparation {
  Prepared prepared;
  core::PlacementPlan placement;  ///< With the reasons, for `corral check`.
};

/// `running`: what runs now, for a reload: its workers keep their places where nothing about them changed. `least`: what is read
/// of the machine although the plan does not depend on it, so that the reasons can tell of it.
[[nodiscard]] std::expected<Preparation, std::vector<Complaint>> prepare(const core::SupervisorSpec& spec,
                                                                         const core::Plan* running = nullptr,
                                                                         core::MachineNeed least = core::MachineNeed::nothing);

/// For another number of workers of one program: whether the commands of the others could still be executed is not asked, since
/// nobody executes them now.
[[nodiscard]] std::expected<Preparation, std::vector<Complaint>> prepare_scaled(const core::SupervisorSpec& spec,
                                                                                const core::Plan& running, std::size_t program);

}  // namespace corral::shell
