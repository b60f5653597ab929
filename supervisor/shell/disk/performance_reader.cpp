#include "supervisor/shell/disk/performance_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "supervisor/shell/disk/cpu_list.hpp"

namespace corral::disk {

namespace {

/// By core (LogicalCpu::core).
using Speeds = std::map<std::uint32_t, std::uint64_t>;

/// Intel hybrid: one performance-monitoring unit for each kind of core, with the list of its CPUs.
Speeds speeds_by_kind(const Folder& root, const core::Topology& topology) {
  Speeds speeds;
  const std::optional<core::CpuSet> efficient = read_cpus(root, "sys/devices/cpu_atom/cpus", CpuFormat::list);
  if (!efficient) return speeds;
  const std::optional<core::CpuSet> lowest = read_cpus(root, "sys/devices/cpu_lowpower/cpus", CpuFormat::list);
  for (const core::LogicalCpu& cpu : topology.cpus) {
    const bool is_lowest = lowest && lowest->contains(cpu.number);
    speeds[cpu.core] = is_lowest ? 1 : efficient->contains(cpu.number) ? 2 : 3;
  }
  return speeds;
}

/// One number for each core from `file`. Asked of one core first: a machine that does not have the file has it nowhere.
Speeds speeds_from(const Folder& cpus, std::string_view file, const core::Topology& topology) {
  Speeds speeds;
  for (const core::LogicalCpu& cpu : topology.cpus) {
    if (speeds.contains(cpu.core)) continue;
    const std::optional<std::string> text = cpus.read("cpu" + std::to_string(cpu.number) + '/' + std::string(file));
    const std::string_view digits = trimmed(text ? std::string_view(*text) : std::string_view());
    std::uint64_t speed = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), speed);
    if (error == std::errc{} && speed > 0) speeds[cpu.core] = speed;
    if (speeds.empty()) break;
  }
  return speeds;
}

}  // namespace

void read_performance(const Folder& root, const Folder& cpus, core::Topology& topology) {
  Speeds speeds = speeds_by_kind(root, topology);
  for (const char* file : {"cpu_capacity", "cpufreq/cpuinfo_max_freq", "acpi_cppc/highest_perf"}) {
    if (speeds.empty()) speeds = speeds_from(cpus, file, topology);
  }
  if (speeds.empty()) return;
  std::vector<std::uint64_t> of_cpus;
  of_cpus.reserve(topology.cpus.size());
  for (const core::LogicalCpu& cpu : topology.cpus) {
    const auto known = speeds.find(cpu.core);
    // A core without a number of its own is taken for the kind of the first one.
    of_cpus.push_back(known != speeds.end() ? known->second : speeds.begin()->second);
  }
  const std::vector<std::uint32_t> kinds = core::performance_kinds(of_cpus);
  for (std::size_t i = 0; i < kinds.size(); ++i) topology.cpus[i].performance = kinds[i];
}

}  // namespace corral::disk
