// Hands out CPUs to workers, program by program, and remembers how many workers each CPU has.
//
// Invariant: a worker is given the CPUs of its pool that have the fewest workers, so that the loads of a pool that
// nobody else uses differ by at most one. This file knows nothing of policies, quotas and messages: placement.cpp
// decides who asks for what.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "supervisor/core/cpu_set.hpp"
#include "supervisor/core/topology.hpp"

namespace corral::core {

class CpuAllocator {
 public:
  explicit CpuAllocator(const Machine& machine);

  /// `workers` sets of `each` CPUs from `pool`. The pool holds at least `each` CPUs, all of them allowed.
  [[nodiscard]] std::vector<CpuSet> take(const CpuSet& pool, std::uint32_t workers, std::uint32_t each);

  /// Counts CPUs that are taken already.
  void count(const CpuSet& taken);

 private:
  struct Cpu {
    LogicalCpu where;
    std::uint32_t core_size = 1;  ///< Allowed CPUs of its core.
    std::uint32_t load = 0;       ///< Workers on it.
  };
  /// A CPU in the running for the next worker.
  struct Candidate {
    std::uint32_t cpu = 0;      ///< Index into cpus_.
    std::int64_t crowding = 0;  ///< Workers that its core would have beside it, full rounds not counted.
  };

  /// What the CPUs of one worker have in common, the nearest first.
  enum class Nearness : std::uint8_t { same_cache, same_package, same_node, same_kind, anywhere };

  [[nodiscard]] std::uint32_t index_of(std::uint16_t number) const;
  [[nodiscard]] std::vector<Candidate> least_loaded(const std::vector<std::uint32_t>& pool) const;
  [[nodiscard]] bool filled_before(std::uint32_t left, std::uint32_t right) const;
  [[nodiscard]] bool together(std::uint32_t left, std::uint32_t right, Nearness nearness) const;
  [[nodiscard]] std::vector<std::uint32_t> blocks(std::vector<std::uint32_t> cpus, std::uint32_t each) const;
  void take_round(const std::vector<std::uint32_t>& pool, std::uint32_t workers, std::uint32_t each,
                  std::vector<CpuSet>& placements);
  [[nodiscard]] CpuSet take_across_rounds(std::vector<std::uint32_t> pool, std::uint32_t each);
  [[nodiscard]] CpuSet set_of(std::span<const std::uint32_t> block) const;
  void occupy(std::uint32_t index);

  std::vector<Cpu> cpus_;                 ///< The allowed CPUs, by number.
  std::vector<std::uint32_t> core_load_;  ///< Workers on each core; LogicalCpu::core is made dense for it.
};

}  // namespace corral::core
