#include "supervisor/core/placement_sentence.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "common/base/check.hpp"

namespace corral::core {

namespace {

std::string named(const CpuSet& cpus, const char* after_one, const char* after_many) {
  const bool one = cpus.size() == 1;
  return (one ? "CPU " : "CPUs ") + cpus.to_string() + (one ? after_one : after_many);
}

std::size_t cores_of(const Topology& topology, const CpuSet& cpus) {
  std::set<std::uint32_t> cores;
  std::size_t unknown = 0;
  for (const std::uint16_t number : cpus) {
    const LogicalCpu* cpu = topology.find(number);
    if (cpu != nullptr) cores.insert(cpu->core);
    unknown += cpu == nullptr ? 1 : 0;
  }
  return cores.size() + unknown;
}

/// How the CPUs of a program are used.
struct Usage {
  CpuSet cpus;
  std::uint32_t most = 0;   ///< Workers of this program on one CPU.
  std::size_t foreign = 0;  ///< CPUs that workers of other programs are on too.
};

Usage usage_of(const ProgramPlacement& program, const Loads& loads) {
  Loads own(loads.size(), 0);
  add_loads(program, own);
  Usage usage;
  std::vector<std::uint16_t> numbers;
  for (std::size_t cpu = 0; cpu < own.size(); ++cpu) {
    if (own[cpu] == 0) continue;
    numbers.push_back(static_cast<std::uint16_t>(cpu));
    usage.most = std::max(usage.most, own[cpu]);
    if (loads[cpu] > own[cpu]) ++usage.foreign;
  }
  usage.cpus = CpuSet(std::move(numbers));
  return usage;
}

std::string pinned_sentence(const Machine& machine, const ProgramPlacement& program, const Loads& loads) {
  if (program.workers.empty()) return "no workers";
  const Usage usage = usage_of(program, loads);
  const std::size_t each = program.workers.front().size();
  const std::size_t cores = cores_of(machine.topology, usage.cpus);
  const bool whole_cores = cores == usage.cpus.size();
  std::string text = counted(program.workers.size(), "worker");
  if (usage.most > 1) {
    if (each > 1) text += " of " + counted(each, "CPU") + " each";
    text += " on " + counted(usage.cpus.size(), "CPU") + ": up to " + std::to_string(usage.most) + " share one";
  } else {
    text += program.workers.size() > 1 ? ", each on " : " on ";
    text += each > 1 ? counted(each, whole_cores ? "core" : "CPU") : std::string(whole_cores ? "a core" : "a CPU");
    text += " of its own";
  }
  if (!whole_cores) text += "; the " + counted(usage.cpus.size(), "CPU") + " are threads of " + counted(cores, "core");
  if (usage.foreign > 0) text += "; " + counted(usage.foreign, "CPU") + " shared with other programs";
  return text;
}

/// A lone worker is slowed down by a quota of less than one CPU, and with several threads by any that it can reach.
std::string quota_for_one(const Machine& machine) {
  if (!machine.quota || *machine.quota >= static_cast<double>(machine.allowed.size()) - quota_precision) {
    return {};
  }
  return "; the CPU quota allows " + in_cpus(*machine.quota) + " of " + counted(machine.allowed.size(), "CPU");
}

}  // namespace

void add_loads(const ProgramPlacement& program, Loads& loads) {
  for (const CpuSet& cpus : program.workers) {
    for (const std::uint16_t cpu : cpus) ++loads[cpu];
  }
}

std::string counted(std::size_t number, const char* noun) {
  return std::to_string(number) + ' ' + noun + (number == 1 ? "" : "s");
}

std::string in_cpus(double quota) {
  char digits[400];  // The longest double with two decimals is a little over 310 characters.
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, std::max(quota, 0.01), std::chars_format::fixed, 2);
  CORRAL_CHECK(error == std::errc{});
  std::string text(digits, end);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

std::string available(const Machine& machine) {
  return counted(machine.allowed.size(), "CPU") + " may be used: " + machine.allowed.to_string();
}

std::string why_not_usable(const Machine& machine, const CpuSet& missing) {
  if (machine.online.empty()) return named(missing, " is", " are") + " offline, not there, or not allowed to this process";
  const CpuSet absent = missing.difference(machine.online);
  const CpuSet forbidden = missing.intersection(machine.online);
  std::string why;
  if (!absent.empty()) why = named(absent, " is", " are") + " offline or not there";
  if (!forbidden.empty()) {
    why += (why.empty() ? "" : ", ") + named(forbidden, " is", " are") + " outside the affinity mask or cpuset of this process";
  }
  return why;
}

std::string placement_sentence(const Machine& machine, const ProgramPlacement& program, const Loads& loads) {
  const std::string workers = counted(program.workers.size(), "worker");
  switch (program.reason) {
    case PlacementReason::one_worker: return "one worker, not pinned: the kernel places it" + quota_for_one(machine);
    case PlacementReason::shared_by_choice: return workers + ", not pinned as the configuration says \"shared\"";
    case PlacementReason::quota_below_mask:
      return workers + ", not pinned: the CPU quota allows " + in_cpus(*machine.quota) + " of " +
             counted(machine.allowed.size(), "CPU") +
             ", and pinning could collide with other containers on the same cores (\"cores\": \"separate\" pins all "
             "the same)";
    case PlacementReason::pinned: return pinned_sentence(machine, program, loads);
    case PlacementReason::pinned_blindly:
      return pinned_sentence(machine, program, loads) + "; which CPUs share a core is not known" +
             (machine.topology_missing.empty() ? "" : ": " + machine.topology_missing);
  }
  return workers;
}

}  // namespace corral::core
