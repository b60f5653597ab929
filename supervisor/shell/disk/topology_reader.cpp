#include "supervisor/shell/disk/topology_reader.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "supervisor/shell/disk/cpu_list.hpp"
#include "supervisor/shell/disk/performance_reader.hpp"

namespace corral::disk {

namespace {

using core::CpuSet;
using core::LogicalCpu;

constexpr std::uint32_t unset = ~0U;

/// Fills in a Topology, asking the kernel about each core, package, cache and node once, not about each CPU.
class Reader {
 public:
  Reader(const Folder& root, const Folder& folder, const CpuSet& cpus) : root_(root), folder_(folder), cpus_(cpus) {
    for (const std::uint16_t number : cpus) {
      topology_.cpus.push_back({.number = number, .core = unset, .package = unset, .node = unset, .cache = unset});
    }
  }

  core::Topology read() {
    for (LogicalCpu& cpu : topology_.cpus) {
      if (cpu.core == unset) read_core(cpu);
      if (cpu.package == unset) label(package_of(cpu.number), cpu.number, &LogicalCpu::package);
      if (cpu.cache == unset) label(cache_of(cpu.number, cpu.package), cpu.number, &LogicalCpu::cache);
    }
    read_nodes();
    read_performance(root_, folder_, topology_);
    return std::move(topology_);
  }

 private:
  LogicalCpu* find(std::uint16_t number) {
    const auto place = std::ranges::lower_bound(topology_.cpus, number, {}, &LogicalCpu::number);
    return place != topology_.cpus.end() && place->number == number ? &*place : nullptr;
  }

  /// Gives `members` that have none yet the label `value`.
  void label(const CpuSet& members, std::uint32_t value, std::uint32_t LogicalCpu::* what) {
    for (const std::uint16_t number : members) {
      LogicalCpu* cpu = find(number);
      if (cpu != nullptr && cpu->*what == unset) cpu->*what = value;
    }
  }

  static std::string path(std::uint16_t cpu, std::string_view file) {
    return "cpu" + std::to_string(cpu) + '/' + std::string(file);
  }

  /// The set in the first of these files that can be read, if `cpu` itself is in it: a set without it is nonsense.
  CpuSet set_around(std::uint16_t cpu, std::initializer_list<CpuFile> files) const {
    for (const CpuFile& file : files) {
      std::optional<CpuSet> found = read_cpus(folder_, path(cpu, file.name), file.format);
      if (found && found->contains(cpu)) return *std::move(found);
    }
    return CpuSet{cpu};
  }

  void read_core(const LogicalCpu& cpu) {
    const CpuSet siblings = set_around(cpu.number, {{"topology/thread_siblings_list", CpuFormat::list},
                                                    {"topology/core_cpus_list", CpuFormat::list},
                                                    {"topology/thread_siblings", CpuFormat::mask}})
                                .intersection(cpus_);
    label(siblings.size() > 1 ? without_other_cores(cpu.number, siblings) : siblings, cpu.number, &LogicalCpu::core);
  }

  /// On some AMD machines two cores share a front end and are called siblings, each with a core_id of its own. If the
  /// first siblings of the machine have one core_id they are threads, and so are all others.
  CpuSet without_other_cores(std::uint16_t cpu, const CpuSet& siblings) {
    if (siblings_are_threads_ == true) return siblings;
    CpuSet same;
    const std::optional<std::string> own = folder_.read(path(cpu, "topology/core_id"));
    for (const std::uint16_t sibling : siblings) {
      const bool is_thread = sibling == cpu || !own || folder_.read(path(sibling, "topology/core_id")) == own;
      if (is_thread) same.insert(sibling);
    }
    if (!siblings_are_threads_) siblings_are_threads_ = same == siblings;
    return same;
  }

  CpuSet package_of(std::uint16_t cpu) const {
    return set_around(cpu, {{"topology/package_cpus_list", CpuFormat::list},
                            {"topology/core_siblings_list", CpuFormat::list},
                            {"topology/core_siblings", CpuFormat::mask}});
  }

  /// The last-level cache: the third index where there is one, else the second. Without any, the package stands for it.
  CpuSet cache_of(std::uint16_t cpu, std::uint32_t package) {
    if (has_caches_) {
      for (const char* index : {"cache/index3/", "cache/index2/"}) {
        const std::string folder = path(cpu, index);
        std::optional<CpuSet> found = read_cpus(folder_, folder + "shared_cpu_list", CpuFormat::list);
        if (!found) found = read_cpus(folder_, folder + "shared_cpu_map", CpuFormat::mask);
        if (found && found->contains(cpu)) return *std::move(found);
      }
    }
    has_caches_ = false;
    CpuSet members;
    for (const LogicalCpu& other : topology_.cpus) {
      if (other.package == package) members.insert(other.number);
    }
    return members;
  }

  /// Where two nodes claim a CPU (firmware that contradicts itself) the first one has it.
  void read_nodes() {
    const std::optional<Folder> nodes = root_.folder("sys/devices/system/node");
    if (nodes) {
      for (const std::uint32_t node : node_numbers(*nodes)) {
        const std::string folder = "node" + std::to_string(node) + '/';
        std::optional<CpuSet> members = read_cpus(*nodes, folder + "cpulist", CpuFormat::list);
        if (!members) members = read_cpus(*nodes, folder + "cpumap", CpuFormat::mask);
        if (members) label(members->intersection(cpus_), node, &LogicalCpu::node);
      }
    }
    // A kernel without NUMA has one node. On one with it, a CPU in no node has all its memory far away: it comes last.
    const bool any = std::ranges::any_of(topology_.cpus, [](const LogicalCpu& cpu) { return cpu.node != unset; });
    for (LogicalCpu& cpu : topology_.cpus) {
      if (cpu.node == unset) cpu.node = any ? core::no_node : 0;
    }
  }

  static std::vector<std::uint32_t> node_numbers(const Folder& nodes) {
    const std::optional<CpuSet> online = read_cpus(nodes, "online", CpuFormat::list);  // Written as CPUs are.
    if (online && !online->empty()) return {online->begin(), online->end()};
    return nodes.numbered("node");
  }

  const Folder& root_;
  const Folder& folder_;
  const CpuSet& cpus_;
  core::Topology topology_;
  std::optional<bool> siblings_are_threads_;
  bool has_caches_ = true;
};

}  // namespace

core::Topology read_topology(const Folder& root, const CpuSet& cpus) {
  const std::optional<Folder> folder = root.folder("sys/devices/system/cpu");
  return folder ? Reader(root, *folder, cpus).read() : core::Topology{};
}

}  // namespace corral::disk
