// Placement: how many workers each program has, and the CPUs that each of them is bound to.
//
// Pure arithmetic over a Machine: same machine and same requests, same plan. The rules, each held by a test:
//   1. `auto` is the CPUs that may be used, cut to the quota rounded up, divided by the CPUs of a worker; at least 1.
//   2. Separate workers share no CPU as long as there are enough; beyond that, the numbers of workers on any two CPUs
//      differ by at most one.
//   3. Whole physical cores first: no SMT sibling is used while a core is idle; then the cores with the fewest workers.
//   4. Faster kinds of core before slower ones; after that one NUMA node is filled before the next one.
//   5. A worker of several CPUs has them near each other: one last-level cache, one node, one package, where possible.
//   6. The programs of one configuration continue where the one before ended.
// docs/decisions/0004-placement.md says why.
//
// This room must not read the machine (that is the shell's) and must not bind anything (that is the launcher's).
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "supervisor/core/cpu_set.hpp"
#include "supervisor/core/spec.hpp"
#include "supervisor/core/topology.hpp"

namespace corral::core {

/// What one program asks for.
struct PlacementRequest {
  WorkerCount workers = 1U;
  CoresPolicy cores;
  /// The placements that its workers have now, when it runs already with this very request (a reload); empty otherwise.
  /// They are kept where they still hold, so that a program added above does not move, and so restart, the ones below.
  std::span<const CpuSet> running{};
};

enum class PlacementReason : std::uint8_t {
  pinned,            ///< Each worker is bound to its CPUs.
  pinned_blindly,    ///< The same, but the topology is not known: SMT siblings and nodes could not be respected.
  shared_by_choice,  ///< The configuration says "shared".
  one_worker,        ///< A single worker, and the configuration asks for nothing: the kernel places it.
  quota_below_mask,  ///< The CPU quota is smaller than the affinity mask, and the configuration does not insist.
};

[[nodiscard]] bool is_pinned(PlacementReason reason);

struct ProgramPlacement {
  std::vector<CpuSet> workers;  ///< One for each worker; an empty set is "not pinned".
  PlacementReason reason = PlacementReason::one_worker;
  std::string sentence;  ///< The same for people: "4 workers, each on a core of its own". No full stop.

  friend bool operator==(const ProgramPlacement&, const ProgramPlacement&) = default;
};

/// One for each request, in its order.
struct PlacementPlan {
  std::vector<ProgramPlacement> programs;
  friend bool operator==(const PlacementPlan&, const PlacementPlan&) = default;
};

enum class PlacementFault : std::uint8_t {
  empty_list,      ///< An explicit list without a CPU.
  cpu_not_usable,  ///< An explicit list names CPUs that are offline, absent, or not allowed to this process.
  too_many_cores,  ///< One worker alone asks for more CPUs than there are.
  no_cores_each,   ///< per_worker is 0.
};

/// A request that cannot be met on this machine. Nothing is placed then: no silent fallback.
struct PlacementError {
  std::size_t program = 0;  ///< The index of the request.
  PlacementFault fault{};
  CpuSet cpus;           ///< The CPUs that cannot be used, where the fault names some.
  std::string sentence;  ///< What, why, and what is available. No full stop.
  friend bool operator==(const PlacementError&, const PlacementError&) = default;
};

/// How much of the machine a plan for these requests depends on, so that the shell reads no more than that.
enum class MachineNeed : std::uint8_t {
  nothing,   ///< A fixed number of workers, none of them pinned.
  cpus,      ///< The affinity mask and the quota: `auto` without pinning.
  topology,  ///< Everything.
};
[[nodiscard]] MachineNeed needed_of_machine(std::span<const PlacementRequest> requests);

/// The plan, or every error of every request at once.
[[nodiscard]] std::expected<PlacementPlan, std::vector<PlacementError>> plan_placement(
    const Machine& machine, std::span<const PlacementRequest> requests);

}  // namespace corral::core
