#include "supervisor/core/topology.hpp"

#include <algorithm>
#include <cmath>

#include "common/base/check.hpp"

namespace corral::core {

const LogicalCpu* Topology::find(std::uint16_t number) const {
  const auto place = std::ranges::lower_bound(cpus, number, {}, &LogicalCpu::number);
  return place != cpus.end() && place->number == number ? &*place : nullptr;
}

std::uint32_t usable_cpus(std::size_t cpus, std::optional<double> quota) {
  CORRAL_CHECK(cpus <= CpuSet::highest + 1U);
  auto usable = static_cast<double>(cpus);
  if (quota) usable = std::min(usable, std::ceil(*quota - quota_precision));
  return static_cast<std::uint32_t>(std::max(usable, 1.0));
}

std::vector<std::uint32_t> performance_kinds(std::span<const std::uint64_t> speeds) {
  std::vector<std::uint64_t> sorted(speeds.begin(), speeds.end());
  std::ranges::sort(sorted);
  std::vector<std::uint64_t> slowest_of_kind;
  for (const std::uint64_t speed : sorted) {
    if (slowest_of_kind.empty() || speed - slowest_of_kind.back() > slowest_of_kind.back() / 10) {
      slowest_of_kind.push_back(speed);
    }
  }
  std::vector<std::uint32_t> kinds;
  kinds.reserve(speeds.size());
  for (const std::uint64_t speed : speeds) {
    const auto above = std::ranges::upper_bound(slowest_of_kind, speed);
    kinds.push_back(static_cast<std::uint32_t>(above - slowest_of_kind.begin() - 1));
  }
  return kinds;
}

}  // namespace corral::core
