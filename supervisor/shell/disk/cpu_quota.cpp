#include "supervisor/shell/disk/cpu_quota.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "supervisor/shell/disk/cgroup_place.hpp"

namespace corral::disk {

namespace {

std::optional<std::int64_t> microseconds(std::string_view text) {
  text = trimmed(text);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// v1 writes -1 for "no limit", v2 "max": both, and nonsense, are nothing.
std::optional<double> in_cpus(std::string_view quota, std::string_view period) {
  const std::optional<std::int64_t> granted = microseconds(quota);
  const std::optional<std::int64_t> every = microseconds(period);
  if (!granted || !every || *granted <= 0 || *every <= 0) return std::nullopt;
  return static_cast<double>(*granted) / static_cast<double>(*every);
}

std::optional<double> quota_of(const Folder& root, const std::string& cgroup, bool unified) {
  if (unified) {
    const std::optional<std::string> limit = root.read(cgroup + "/cpu.max");
    if (!limit) return std::nullopt;
    std::string_view period = trimmed(*limit);
    const std::string_view quota = next_part(period, ' ');
    return in_cpus(quota, period);
  }
  const std::optional<std::string> quota = root.read(cgroup + "/cpu.cfs_quota_us");
  if (!quota || quota->starts_with('-')) return std::nullopt;
  const std::optional<std::string> period = root.read(cgroup + "/cpu.cfs_period_us");
  return period ? in_cpus(*quota, *period) : std::nullopt;
}

}  // namespace

std::optional<double> read_cpu_quota(const Folder& root) {
  std::optional<double> least;
  for (const CgroupPlace& place : cgroup_places(root, "cpu")) {
    for (const std::string& cgroup : place.chain()) {
      const std::optional<double> quota = quota_of(root, cgroup, place.unified);
      if (quota) least = std::min(least.value_or(*quota), *quota);
    }
  }
  return least;
}

}  // namespace corral::disk
