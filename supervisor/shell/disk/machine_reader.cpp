// The Machine as a whole: who may run where, and how much. See topology_reader.hpp.
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "supervisor/shell/disk/cgroup_place.hpp"
#include "supervisor/shell/disk/cpu_list.hpp"
#include "supervisor/shell/disk/cpu_quota.hpp"
#include "supervisor/shell/disk/topology_reader.hpp"

namespace corral::disk {

namespace {

using core::CpuSet;

/// The affinity mask of our first thread, which is what `taskset -p` changes, however many CPUs the kernel was built for.
Result<CpuSet> affinity() {
  for (std::size_t cpus = CpuSet::highest + std::size_t{1}; cpus <= std::size_t{1} << 20U; cpus *= 2) {
    std::vector<unsigned long> mask(cpus / (8 * sizeof(unsigned long)));
    const std::size_t bytes = mask.size() * sizeof mask.front();
    auto* const set = reinterpret_cast<cpu_set_t*>(mask.data());  // NOLINT: it is an array of these.
    if (::sched_getaffinity(::getpid(), bytes, set) != 0) {
      if (errno == EINVAL) continue;  // The kernel's own mask is longer still.
      return system_failure("cannot read the CPU affinity of this process", errno);
    }
    std::vector<std::uint16_t> allowed;
    for (std::uint16_t cpu = 0; cpu <= CpuSet::highest; ++cpu) {
      if (CPU_ISSET_S(cpu, bytes, set)) allowed.push_back(cpu);
    }
    return CpuSet(std::move(allowed));
  }
  return system_failure("cannot read the CPU affinity of this process", EINVAL);
}

std::optional<CpuSet> allowed_by_status(const Folder& root) {
  const std::optional<std::string> status = root.read("proc/self/status");
  std::string_view rest = status ? *status : std::string_view{};
  while (!rest.empty()) {
    std::string_view line = next_part(rest, '\n');
    if (next_part(line, ':') != "Cpus_allowed_list") continue;
    Result<CpuSet> allowed = CpuSet::parse(line);
    if (allowed) return *std::move(allowed);
  }
  return std::nullopt;
}

std::optional<CpuSet> allowed_by_cpuset(const Folder& root) {
  for (const CgroupPlace& place : cgroup_places(root, "cpuset")) {
    const std::string folder = place.chain().front();
    for (const char* file : {"/cpuset.cpus.effective", "/cpuset.effective_cpus", "/cpuset.cpus", "/cpus"}) {
      std::optional<CpuSet> allowed = read_cpus(root, folder + file, CpuFormat::list);
      if (allowed && !allowed->empty()) return allowed;
    }
  }
  return std::nullopt;
}

void read_rest(const Folder& root, core::MachineNeed need, core::Machine& machine) {
  machine.quota = read_cpu_quota(root);
  if (need != core::MachineNeed::topology) return;
  machine.topology = read_topology(root, machine.allowed);
  if (!machine.topology.known()) machine.topology_missing = "/sys/devices/system/cpu cannot be read";
}

}  // namespace

Result<core::Machine> read_machine(core::MachineNeed need) {
  core::Machine machine;
  if (need == core::MachineNeed::nothing) return machine;
  Result<CpuSet> allowed = affinity();
  if (!allowed) return std::unexpected(allowed.error());
  machine.allowed = *std::move(allowed);
  const std::optional<Folder> root = Folder::open("/");
  if (!root) {
    machine.topology_missing = "'/' cannot be opened: " + std::string(std::strerror(errno));
    return machine;
  }
  if (need == core::MachineNeed::topology) machine.online = read_online(*root);
  read_rest(*root, need, machine);
  return machine;
}

Result<core::Machine> read_machine_below(const std::string& root_path) {
  const std::optional<Folder> root = Folder::open(root_path);
  if (!root) return system_failure("cannot open '" + root_path + "'", errno);
  core::Machine machine;
  machine.online = read_online(*root);
  std::optional<CpuSet> allowed = allowed_by_status(*root);
  if (!allowed) allowed = allowed_by_cpuset(*root);
  if (!allowed) allowed = machine.online;
  machine.allowed = machine.online.empty() ? *allowed : allowed->intersection(machine.online);
  if (machine.allowed.empty()) return failure("no CPU may be used according to the files below '" + root_path + "'");
  read_rest(*root, core::MachineNeed::topology, machine);
  return machine;
}

CpuSet read_online(const Folder& root) {
  const std::optional<Folder> cpus = root.folder("sys/devices/system/cpu");
  if (!cpus) return {};
  std::optional<CpuSet> online = read_cpus(*cpus, "online", CpuFormat::list);
  if (online && !online->empty()) return *std::move(online);
  // Kernels before 2.6.26: a CPU that is off has no topology.
  CpuSet present;
  for (const std::uint32_t cpu : cpus->numbered("cpu")) {
    const std::string folder = "cpu" + std::to_string(cpu);
    const std::optional<std::string> on = cpus->read(folder + "/online");
    const bool is_on = on ? trimmed(*on) == "1" : cpus->folder(folder + "/topology").has_value();
    if (is_on && cpu <= CpuSet::highest) present.insert(static_cast<std::uint16_t>(cpu));
  }
  return present;
}

}  // namespace corral::disk
