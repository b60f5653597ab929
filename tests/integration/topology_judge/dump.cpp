// What corral reads from a tree and how it would place workers there, as JSON: for judge.py to compare.
//
//   topology_dump ROOT [WORKERS[xCPUS]…]
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "supervisor/core/placement.hpp"
#include "supervisor/shell/disk/topology_reader.hpp"

using namespace corral;

namespace {

std::string numbers(const core::CpuSet& cpus) { return fmt::format("[{}]", fmt::join(cpus, ",")); }

void print_cpus(const core::Machine& machine) {
  const char* separator = "";
  for (const core::LogicalCpu& cpu : machine.topology.cpus) {
    fmt::print(R"({}{{"cpu":{},"core":{},"package":{},"node":{},"cache":{},"performance":{}}})", separator, cpu.number,
               cpu.core, cpu.package, cpu.node == core::no_node ? -1 : static_cast<std::int64_t>(cpu.node), cpu.cache,
               cpu.performance);
    separator = ",\n";
  }
}

void print_plan(const core::Machine& machine, std::string_view asked) {
  std::uint32_t workers = 0;
  core::SeparateCores cores;
  const std::size_t cross = asked.find('x');
  std::from_chars(asked.data(), asked.data() + asked.size(), workers);
  if (cross != std::string_view::npos) {
    std::from_chars(asked.data() + cross + 1, asked.data() + asked.size(), cores.per_worker);
  }
  const core::PlacementRequest request{workers, cores, {}};
  const auto plan = core::plan_placement(machine, std::span(&request, 1));
  std::vector<std::string> sets;
  if (plan) {
    for (const core::CpuSet& cpus : plan->programs.front().workers) sets.push_back(numbers(cpus));
  }
  fmt::print(R"("{}":[{}])", asked, fmt::join(sets, ","));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const Result<core::Machine> machine = disk::read_machine_below(argv[1]);
  if (!machine) {
    fmt::print(stderr, "{}\n", machine.error().message);
    return 1;
  }
  fmt::print("{{\"allowed\":{},\n\"online\":{},\n\"cpus\":[", numbers(machine->allowed), numbers(machine->online));
  print_cpus(*machine);
  fmt::print("],\n\"plans\":{{");
  for (int i = 2; i < argc; ++i) {
    fmt::print("{}", i > 2 ? ",\n" : "");
    print_plan(*machine, argv[i]);
  }
  fmt::print("}}}}\n");
  return 0;
}
