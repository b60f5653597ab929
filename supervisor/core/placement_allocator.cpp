#include "supervisor/core/placement_allocator.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

#include "common/base/check.hpp"

namespace corral::core {

CpuAllocator::CpuAllocator(const Machine& machine) {
  std::map<std::uint32_t, std::uint32_t> dense;
  cpus_.reserve(machine.allowed.size());
  for (const std::uint16_t number : machine.allowed) {
    Cpu cpu;
    const LogicalCpu* known = machine.topology.find(number);
    cpu.where = known != nullptr ? *known : LogicalCpu{.number = number};
    const auto next = static_cast<std::uint32_t>(core_load_.size());
    cpu.where.core = known == nullptr ? next : dense.try_emplace(known->core, next).first->second;
    if (cpu.where.core == next) core_load_.push_back(0);
    ++core_load_[cpu.where.core];
    cpus_.push_back(cpu);
  }
  for (Cpu& cpu : cpus_) cpu.core_size = core_load_[cpu.where.core];
  std::ranges::fill(core_load_, 0U);
}

std::uint32_t CpuAllocator::index_of(std::uint16_t number) const {
  const auto place = std::ranges::lower_bound(cpus_, number, {}, [](const Cpu& cpu) { return cpu.where.number; });
  CORRAL_CHECK(place != cpus_.end() && place->where.number == number);
  return static_cast<std::uint32_t>(place - cpus_.begin());
}

void CpuAllocator::count(const CpuSet& taken) {
  for (const std::uint16_t number : taken) occupy(index_of(number));
}

std::vector<CpuSet> CpuAllocator::take(const CpuSet& pool, std::uint32_t workers, std::uint32_t each) {
  CORRAL_CHECK(each > 0 && pool.size() >= each);
  std::vector<std::uint32_t> indices;
  indices.reserve(pool.size());
  for (const std::uint16_t number : pool) indices.push_back(index_of(number));
  std::vector<CpuSet> placements;
  placements.reserve(workers);
  while (placements.size() < workers) {
    take_round(indices, workers - static_cast<std::uint32_t>(placements.size()), each, placements);
  }
  return placements;
}

/// As many workers as the least loaded CPUs have room for, at most `workers`, at least one.
void CpuAllocator::take_round(const std::vector<std::uint32_t>& pool, std::uint32_t workers, std::uint32_t each,
                              std::vector<CpuSet>& placements) {
  const std::vector<Candidate> candidates = least_loaded(pool);
  std::vector<std::uint32_t> order;
  order.reserve(candidates.size());
  for (const Candidate& candidate : candidates) order.push_back(candidate.cpu);

  const auto fit = static_cast<std::uint32_t>(order.size() / each);
  if (fit == 0) {
    placements.push_back(take_across_rounds(pool, each));
    return;
  }
  const std::uint32_t served = std::min(fit, workers);
  const std::size_t demand = std::size_t{served} * each;
  const auto idle = static_cast<std::size_t>(std::ranges::count(candidates, candidates.front().crowding, &Candidate::crowding));
  // While there is a core for each CPU asked, any of the idle cores may serve, so that a block finds neighbours.
  // Beyond that exactly the first `demand` are used: every core gets one worker before a sibling gets any.
  if (each > 1) order = blocks({order.begin(), order.begin() + static_cast<std::ptrdiff_t>(std::max(demand, idle))}, each);
  CORRAL_CHECK(order.size() >= demand);
  for (std::size_t first = 0; first < demand; first += each) {
    placements.push_back(set_of(std::span(order).subspan(first, each)));
  }
  for (std::size_t i = 0; i < demand; ++i) occupy(order[i]);
}

/// One worker, when fewer than `each` CPUs are left of this round: those, and the best of the next round.
CpuSet CpuAllocator::take_across_rounds(std::vector<std::uint32_t> pool, std::uint32_t each) {
  std::vector<std::uint32_t> block;
  std::vector<bool> chosen(cpus_.size(), false);  // A worker has no CPU twice.
  while (block.size() < each) {
    const std::vector<Candidate> candidates = least_loaded(pool);
    const std::size_t wanted = std::min(each - block.size(), candidates.size());
    for (std::size_t i = 0; i < wanted; ++i) {
      block.push_back(candidates[i].cpu);
      chosen[candidates[i].cpu] = true;
      occupy(candidates[i].cpu);
    }
    std::erase_if(pool, [&](std::uint32_t index) { return chosen[index]; });
  }
  return set_of(block);
}

/// The CPUs of the pool with the fewest workers, the best for the next worker first.
std::vector<CpuAllocator::Candidate> CpuAllocator::least_loaded(const std::vector<std::uint32_t>& pool) const {
  std::uint32_t least = std::numeric_limits<std::uint32_t>::max();
  for (const std::uint32_t index : pool) least = std::min(least, cpus_[index].load);
  std::vector<Candidate> candidates;
  std::vector<std::uint32_t> before(core_load_.size(), 0);  // Candidates of each core so far.
  for (const std::uint32_t index : pool) {
    const Cpu& cpu = cpus_[index];
    if (cpu.load != least) continue;
    const std::int64_t rounds = std::int64_t{cpu.load} * cpu.core_size;
    candidates.push_back({index, core_load_[cpu.where.core] + before[cpu.where.core]++ - rounds});
  }
  std::ranges::sort(candidates, [this](const Candidate& left, const Candidate& right) {
    return left.crowding != right.crowding ? left.crowding < right.crowding : filled_before(left.cpu, right.cpu);
  });
  return candidates;
}

/// Faster kinds first, then place by place.
bool CpuAllocator::filled_before(std::uint32_t left, std::uint32_t right) const {
  const auto key = [](const LogicalCpu& cpu) {
    return std::tuple(~cpu.performance, cpu.node, cpu.package, cpu.cache, cpu.core, cpu.number);
  };
  return key(cpus_[left].where) < key(cpus_[right].where);
}

bool CpuAllocator::together(std::uint32_t left, std::uint32_t right, Nearness nearness) const {
  const LogicalCpu& a = cpus_[left].where;
  const LogicalCpu& b = cpus_[right].where;
  if (nearness == Nearness::anywhere) return true;
  if (a.performance != b.performance) return false;
  if (nearness == Nearness::same_kind) return true;
  if (a.node != b.node) return false;
  if (nearness == Nearness::same_node) return true;
  return a.package == b.package && (nearness == Nearness::same_package || a.cache == b.cache);
}

/// `cpus` in an order in which each `each` in a row are as near as possible: first what fits whole into one cache, then
/// the leftovers of the caches of one package, and so on. Blocks that stay within a node come first, node by node.
/// A rest smaller than `each` is dropped.
std::vector<std::uint32_t> CpuAllocator::blocks(std::vector<std::uint32_t> cpus, std::uint32_t each) const {
  struct Block {
    Nearness nearness;
    std::vector<std::uint32_t> cpus;
  };
  std::vector<Block> found;
  std::ranges::sort(cpus, [this](std::uint32_t left, std::uint32_t right) { return filled_before(left, right); });
  for (const Nearness nearness :
       {Nearness::same_cache, Nearness::same_package, Nearness::same_node, Nearness::same_kind, Nearness::anywhere}) {
    std::vector<std::uint32_t> leftover;
    for (auto run = cpus.cbegin(); run != cpus.cend();) {
      const auto end = std::find_if_not(run, cpus.cend(), [&](std::uint32_t cpu) { return together(*run, cpu, nearness); });
      for (; end - run >= std::int64_t{each}; run += each) found.push_back({nearness, {run, run + each}});
      leftover.insert(leftover.end(), run, end);
      run = end;
    }
    cpus = std::move(leftover);
  }
  std::ranges::stable_sort(found, [this](const Block& left, const Block& right) {
    const auto key = [this](const Block& block) {
      const LogicalCpu& where = cpus_[block.cpus.front()].where;
      const bool within_node = block.nearness <= Nearness::same_node;
      return within_node ? std::tuple(false, ~where.performance, where.node) : std::tuple(true, 0U, 0U);
    };
    return key(left) < key(right);
  });
  std::vector<std::uint32_t> order;
  for (const Block& block : found) order.insert(order.end(), block.cpus.begin(), block.cpus.end());
  return order;
}

void CpuAllocator::occupy(std::uint32_t index) {
  ++cpus_[index].load;
  ++core_load_[cpus_[index].where.core];
}

CpuSet CpuAllocator::set_of(std::span<const std::uint32_t> block) const {
  std::vector<std::uint16_t> numbers;
  numbers.reserve(block.size());
  for (const std::uint32_t index : block) numbers.push_back(cpus_[index].where.number);
  return CpuSet(std::move(numbers));
}

}  // namespace corral::core
