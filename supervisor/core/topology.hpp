// The machine as placement sees it: which logical CPUs there are, and which of them share what.
//
// Plain data, filled by the shell (or by a test) and never read from anywhere here. Numbers other than the CPU's own
// are labels: equal means "the same one", the order of nodes, packages and caches is the order in which they are
// filled.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "supervisor/core/cpu_set.hpp"

namespace corral::core {

/// The node of a CPU that belongs to none although others do: filled last.
inline constexpr std::uint32_t no_node = ~0U;

/// One hardware thread, what the kernel calls a CPU.
struct LogicalCpu {
  std::uint16_t number = 0;
  std::uint32_t core = 0;     ///< The physical core, unique on the machine. Two CPUs with one core are SMT siblings.
  std::uint32_t package = 0;  ///< The socket.
  std::uint32_t node = 0;     ///< The NUMA node, as the kernel numbers it.
  std::uint32_t cache = 0;    ///< The last-level cache, unique on the machine.
  /// The kind of core, 0 the slowest kind of this machine. Equal on a machine with one kind.
  std::uint32_t performance = 0;

  friend bool operator==(const LogicalCpu&, const LogicalCpu&) = default;
};

/// Sorted by CPU number, each once. Empty: nothing is known; every CPU then counts as a core of its own.
struct Topology {
  std::vector<LogicalCpu> cpus;

  [[nodiscard]] const LogicalCpu* find(std::uint16_t number) const;
  [[nodiscard]] bool known() const { return !cpus.empty(); }
  friend bool operator==(const Topology&, const Topology&) = default;
};

/// Everything that placement depends on.
struct Machine {
  CpuSet allowed;                ///< Where this process may run: its affinity mask. Never empty.
  CpuSet online;                 ///< Every CPU that is switched on; empty where that is not known. Only for messages.
  std::optional<double> quota;   ///< The CPU time a cgroup allows, in CPUs; nothing: as much as there is. Above 0.
  Topology topology;             ///< Of the allowed CPUs at least, or empty.
  std::string topology_missing;  ///< Where the topology is not known: why, for a message.
};

/// Quotas are counted no finer than this: 200001/100000 is meant as 2 CPUs, not as 3.
inline constexpr double quota_precision = 1e-3;

/// How many CPUs' worth of work can really run at once on `cpus`: their number, cut to the quota rounded up; at
/// least 1.
[[nodiscard]] std::uint32_t usable_cpus(std::size_t cpus, std::optional<double> quota);

/// Turns one number for each core (a capacity, a frequency) into kinds: 0 for the slowest. Numbers within a tenth of
/// the slowest of their kind are one kind: the small differences within one batch of silicon are not worth scattering
/// workers over nodes and caches.
[[nodiscard]] std::vector<std::uint32_t> performance_kinds(std::span<const std::uint64_t> speeds);

}  // namespace corral::core
