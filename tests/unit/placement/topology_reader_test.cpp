// What is read from trees as kernels write them, whole and broken.
#include "supervisor/shell/disk/topology_reader.hpp"

#include <doctest/doctest.h>
#include <sched.h>
#include <unistd.h>

#include <thread>

#include "tree.hpp"

using namespace corral::core;
using corral::disk::read_machine;
using corral::disk::read_machine_below;
using corral::test::Tree;

namespace {

std::string cpu_file(std::uint32_t cpu, const std::string& name) {
  return "sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/" + name;
}

/// A CPU as a present-day kernel shows it.
void add_cpu(Tree& tree, std::uint32_t cpu, const char* siblings, const char* package, const char* cache) {
  tree.file(cpu_file(cpu, "topology/thread_siblings_list"), siblings);
  tree.file(cpu_file(cpu, "topology/package_cpus_list"), package);
  tree.file(cpu_file(cpu, "cache/index3/shared_cpu_list"), cache);
}

/// Two packages, each with a node and a cache of its own and two cores of two threads: 0,4 1,5 | 2,6 3,7.
void add_server(Tree& tree) {
  const char* const siblings[] = {"0,4", "1,5", "2,6", "3,7"};
  for (std::uint32_t cpu = 0; cpu < 8; ++cpu) {
    const char* const half = cpu % 4 < 2 ? "0-1,4-5" : "2-3,6-7";
    add_cpu(tree, cpu, siblings[cpu % 4], half, half);
    tree.file(cpu_file(cpu, "topology/core_id"), std::to_string(cpu % 2));
  }
  tree.file("sys/devices/system/cpu/online", "0-7").file("sys/devices/system/node/online", "0-1");
  tree.file("sys/devices/system/node/node0/cpulist", "0-1,4-5").file("sys/devices/system/node/node1/cpulist", "2-3,6-7");
}

Machine machine_of(const Tree& tree) {
  auto machine = read_machine_below(tree.path());
  REQUIRE_MESSAGE(machine.has_value(), (machine ? std::string() : machine.error().message));
  return *machine;
}

/// "0,4 1,5": CPUs that have the same label, by the lowest of each group.
std::string groups(const Machine& machine, std::uint32_t LogicalCpu::* label) {
  std::string all;
  CpuSet seen;
  for (const LogicalCpu& first : machine.topology.cpus) {
    if (seen.contains(first.number)) continue;
    CpuSet group;
    for (const LogicalCpu& cpu : machine.topology.cpus) {
      if (cpu.*label == first.*label) group.insert(cpu.number);
    }
    seen = seen.united(group);
    all += (all.empty() ? "" : " ") + group.to_string();
  }
  return all;
}

}  // namespace

TEST_CASE("a server: cores, packages, caches, nodes") {
  Tree tree;
  add_server(tree);
  const Machine machine = machine_of(tree);
  CHECK(machine.allowed.to_string() == "0-7");
  CHECK(machine.online.to_string() == "0-7");
  CHECK(machine.quota == std::nullopt);
  CHECK(groups(machine, &LogicalCpu::core) == "0,4 1,5 2,6 3,7");
  CHECK(groups(machine, &LogicalCpu::package) == "0-1,4-5 2-3,6-7");
  CHECK(groups(machine, &LogicalCpu::cache) == "0-1,4-5 2-3,6-7");
  CHECK(groups(machine, &LogicalCpu::node) == "0-1,4-5 2-3,6-7");
  CHECK(groups(machine, &LogicalCpu::performance) == "0-7");
  CHECK(machine.topology.find(7)->node == 1);
  CHECK(machine.topology_missing.empty());
}

TEST_CASE("the mask is that of the status file, cut to what is online") {
  Tree tree;
  add_server(tree);
  tree.file("proc/self/status", "Name:\tx\nCpus_allowed:\tff\nCpus_allowed_list:\t1-2,5,9\nMems_allowed_list:\t0");
  const Machine machine = machine_of(tree);
  CHECK(machine.allowed.to_string() == "1-2,5");
  CHECK(groups(machine, &LogicalCpu::core) == "1,5 2");
}

TEST_CASE("without a status file the mask is the cpuset's") {
  Tree tree;
  add_server(tree);
  tree.file("proc/self/cgroup", "2:cpuset:/job\n0::/slice");
  tree.file("proc/self/mountinfo", "30 31 0:30 / /dev/cpuset rw - cgroup cgroup rw,cpuset,noprefix");
  tree.file("dev/cpuset/job/cpus", "0-2");
  CHECK(machine_of(tree).allowed.to_string() == "0-2");
  tree.file("proc/self/mountinfo", "33 31 0:38 / /groups rw - cgroup2 cgroup2 rw");
  tree.file("groups/slice/cpuset.cpus.effective", "3-4");
  CHECK(machine_of(tree).allowed.to_string() == "3-4");
}

TEST_CASE("two kinds of core: by Intel's lists, by capacity, by frequency, by ACPI") {
  const auto kinds = [](const Tree& tree) { return groups(machine_of(tree), &LogicalCpu::performance); };
  Tree tree;
  add_server(tree);
  for (std::uint32_t cpu = 0; cpu < 8; ++cpu) {
    tree.file(cpu_file(cpu, "acpi_cppc/highest_perf"), cpu % 4 == 0 ? "60" : "40");
  }
  CHECK(kinds(tree) == "0,4 1-3,5-7");
  for (std::uint32_t cpu = 0; cpu < 8; ++cpu) {
    tree.file(cpu_file(cpu, "cpufreq/cpuinfo_max_freq"), cpu % 4 < 2 ? "3900000" : "5200000");
  }
  CHECK(kinds(tree) == "0-1,4-5 2-3,6-7");
  CHECK(machine_of(tree).topology.find(2)->performance == 1);
  for (std::uint32_t cpu = 0; cpu < 8; ++cpu) tree.file(cpu_file(cpu, "cpu_capacity"), cpu % 4 < 3 ? "1024" : "500");
  CHECK(kinds(tree) == "0-2,4-6 3,7");
  tree.file("sys/devices/cpu_core/cpus", "0,4").file("sys/devices/cpu_atom/cpus", "1-3,5-7");
  CHECK(kinds(tree) == "0,4 1-3,5-7");
  CHECK(machine_of(tree).topology.find(0)->performance == 1);
}

TEST_CASE("siblings with a core_id each are cores: two of them share a front end, not a core") {
  Tree tree;
  for (std::uint32_t cpu = 0; cpu < 4; ++cpu) {
    add_cpu(tree, cpu, cpu < 2 ? "0-1" : "2-3", "0-3", "0-3");
    tree.file(cpu_file(cpu, "topology/core_id"), std::to_string(cpu));
  }
  tree.file("sys/devices/system/cpu/online", "0-3");
  CHECK(groups(machine_of(tree), &LogicalCpu::core) == "0 1 2 3");
}

TEST_CASE("an old kernel writes masks, no list of what is online, and no NUMA") {
  Tree tree;
  for (const std::uint32_t cpu : {0U, 1U, 32U, 33U}) {
    tree.file(cpu_file(cpu, "topology/thread_siblings"), cpu % 2 == 0 ? "00000001,00000001" : "00000002,00000002");
    tree.file(cpu_file(cpu, "topology/core_siblings"), "3,00000003");
  }
  tree.folder("sys/devices/system/cpu/cpu2").folder("sys/devices/system/cpu/cpufreq");
  tree.file("sys/devices/system/cpu/cpu3/online", "0").folder("sys/devices/system/cpu/cpu3/topology");
  const Machine machine = machine_of(tree);
  CHECK(machine.allowed.to_string() == "0-1,32-33");
  CHECK(groups(machine, &LogicalCpu::core) == "0,32 1,33");
  CHECK(groups(machine, &LogicalCpu::package) == "0-1,32-33");
  CHECK(groups(machine, &LogicalCpu::cache) == "0-1,32-33");
  CHECK(groups(machine, &LogicalCpu::node) == "0-1,32-33");
}

TEST_CASE("sparse nodes, a CPU in none, and nodes that claim one CPU twice") {
  Tree tree;
  for (std::uint32_t cpu = 0; cpu < 4; ++cpu) add_cpu(tree, cpu, std::to_string(cpu).c_str(), "0-3", "0-3");
  tree.file("sys/devices/system/cpu/online", "0-3").file("sys/devices/system/node/online", " 3,72");
  tree.file("sys/devices/system/node/node3/cpulist", "1-2").file("sys/devices/system/node/node72/cpulist", "2-3");
  const Machine machine = machine_of(tree);
  CHECK(groups(machine, &LogicalCpu::node) == "0 1-2 3");
  CHECK(machine.topology.find(0)->node == no_node);
  CHECK(machine.topology.find(2)->node == 3);
  CHECK(machine.topology.find(3)->node == 72);
}

TEST_CASE("a NUL after the line break, as Linux 5.15 writes it, does not spoil a list or a mask") {
  using namespace std::string_literals;
  Tree tree;
  add_server(tree);
  tree.file("sys/devices/system/node/online", "0-1\n\0"s).file("sys/devices/system/node/node1/cpulist", "2-3,6-7\n\0"s);
  tree.file(cpu_file(0, "topology/package_cpus_list"), "0-1,4-5\n\0"s).file(cpu_file(0, "topology/thread_siblings_list"), "\0"s);
  tree.file(cpu_file(0, "topology/thread_siblings"), "00000011\n\0"s);
  const Machine machine = machine_of(tree);
  CHECK(groups(machine, &LogicalCpu::core) == "0,4 1,5 2,6 3,7");
  CHECK(groups(machine, &LogicalCpu::package) == "0-1,4-5 2-3,6-7");
  CHECK(groups(machine, &LogicalCpu::node) == "0-1,4-5 2-3,6-7");
}

TEST_CASE("firmware that contradicts itself, and files of nonsense, never fail") {
  Tree tree;
  add_server(tree);
  tree.file(cpu_file(1, "topology/thread_siblings_list"), "0,4");        // Without CPU 1 itself.
  tree.file(cpu_file(2, "topology/thread_siblings_list"), "all of us");  // No list.
  tree.file(cpu_file(3, "topology/package_cpus_list"), "");
  tree.file("sys/devices/system/node/node0/cpulist", "x").file("sys/devices/system/node/online", "0-");
  tree.file(cpu_file(0, "cpu_capacity"), "fast");
  const Machine machine = machine_of(tree);
  CHECK(groups(machine, &LogicalCpu::core) == "0,4 1 2 3,7 5 6");
  CHECK(machine.allowed.size() == 8);
}

TEST_CASE("without sysfs there is a mask and no topology, and the reason is kept") {
  Tree tree;
  tree.file("proc/self/status", "Cpus_allowed_list:\t0-3");
  const Machine machine = machine_of(tree);
  CHECK(machine.allowed.to_string() == "0-3");
  CHECK(machine.online.empty());
  CHECK_FALSE(machine.topology.known());
  CHECK(machine.topology_missing == "/sys/devices/system/cpu cannot be read");
}

TEST_CASE("a tree without any CPU is an error") {
  Tree tree;
  CHECK_FALSE(read_machine_below(tree.path()).has_value());
  CHECK(read_machine_below(tree.path() + "/none").error().message ==
        "cannot open '" + tree.path() + "/none': No such file or directory");
}

TEST_CASE("this machine: the mask is the thread's own, and every CPU of it is known") {
  const Machine machine = read_machine(MachineNeed::topology).value();
  cpu_set_t mask;
  REQUIRE(::sched_getaffinity(0, sizeof mask, &mask) == 0);
  CHECK(machine.allowed.size() == static_cast<std::size_t>(CPU_COUNT(&mask)));
  if (machine.topology.known()) {
    for (const std::uint16_t cpu : machine.allowed) CHECK(machine.topology.find(cpu) != nullptr);
  }
  CHECK(read_machine(MachineNeed::nothing).value().allowed.empty());
  const Machine counted = read_machine(MachineNeed::cpus).value();
  CHECK(counted.allowed == machine.allowed);
  CHECK_FALSE(counted.topology.known());
}

TEST_CASE("this machine: a narrower mask of the first thread is seen by any") {
  const CpuSet all = read_machine(MachineNeed::cpus).value().allowed;
  CpuSet seen;
  std::thread([&] {
    cpu_set_t before;
    cpu_set_t mask;
    CPU_ZERO(&mask);
    CPU_SET(*all.begin(), &mask);
    REQUIRE(::sched_getaffinity(::getpid(), sizeof before, &before) == 0);
    if (::sched_setaffinity(::getpid(), sizeof mask, &mask) == 0) seen = read_machine(MachineNeed::topology).value().allowed;
    ::sched_setaffinity(::getpid(), sizeof before, &before);
  }).join();
  CHECK(seen == CpuSet{*all.begin()});
}
