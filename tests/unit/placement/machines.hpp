// Machines for tests: a text table of cores, and the shapes of machines that exist.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "supervisor/core/placement.hpp"
#include "supervisor/core/topology.hpp"

namespace corral::test {

/// One core a line: its CPUs, then any of nN (node), pN (package), cN (cache), kN (kind, 0 the slowest), each 0 unless
/// said: "0,8 n1 p1 k1". A line may describe several alike: "4-7 each k0" is four cores of one thread.
[[nodiscard]] core::Machine machine(std::string_view table);

/// packages × nodes × caches × cores × threads, CPU numbers as Linux gives them on x86: every first thread, then every
/// second one.
struct Shape {
  std::uint32_t packages = 1, nodes = 1, caches = 1, cores = 1, threads = 1;
};
[[nodiscard]] core::Machine machine(Shape shape);

/// The machine with only these CPUs allowed.
[[nodiscard]] core::Machine allowing(core::Machine machine, core::CpuSet allowed);

/// The plan of one program, which must be possible.
[[nodiscard]] core::ProgramPlacement placed(const core::Machine& machine, core::WorkerCount workers, core::CoresPolicy cores);

/// The plan of several programs, which must be possible.
[[nodiscard]] std::vector<core::ProgramPlacement> placed_all(const core::Machine& machine,
                                                             std::span<const core::PlacementRequest> requests);

/// "0 1 2,10": the workers' CPUs, "-" for a worker that is not pinned.
[[nodiscard]] std::string text(const std::vector<core::CpuSet>& workers);

}  // namespace corral::test
