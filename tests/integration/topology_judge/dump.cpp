// What corral reads from a tree and how it would place workers there, as JSON: for judge.py to compare.
//
//   topology_dump ROOT [WORKERS[xCPUS]…]
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>

#include "supervisor/core/placement.hpp"
#include "supervisor/shell/disk/topology_reader.hpp"

using namespace corral;

namespace {

std::string numbers(const core::CpuSet& cpus) {
  std::string text;
  for (const std::uint16_t cpu : cpus) text += (text.empty() ? "" : ",") + std::to_string(cpu);
  return '[' + text + ']';
}

std::string described(const core::Topology& topology) {
  std::string text;
  for (const core::LogicalCpu& cpu : topology.cpus) {
    text += text.empty() ? "" : ",\n";
    text += "{\"cpu\":" + std::to_string(cpu.number) + ",\"core\":" + std::to_string(cpu.core);
    text += ",\"package\":" + std::to_string(cpu.package) + ",\"cache\":" + std::to_string(cpu.cache);
    text += ",\"node\":" + (cpu.node == core::no_node ? "-1" : std::to_string(cpu.node));
    text += ",\"performance\":" + std::to_string(cpu.performance) + '}';
  }
  return '[' + text + ']';
}

/// `asked` is WORKERS or WORKERSxCPUS.
std::string planned(const core::Machine& machine, std::string_view asked) {
  std::uint32_t workers = 0;
  core::SeparateCores cores;
  const std::size_t cross = asked.find('x');
  std::from_chars(asked.data(), asked.data() + asked.size(), workers);
  if (cross != std::string_view::npos) {
    std::from_chars(asked.data() + cross + 1, asked.data() + asked.size(), cores.per_worker);
  }
  const core::PlacementRequest request{workers, cores, {}};
  const auto plan = core::plan_placement(machine, std::span(&request, 1));
  std::string sets;
  if (plan) {
    for (const core::CpuSet& cpus : plan->programs.front().workers) sets += (sets.empty() ? "" : ",") + numbers(cpus);
  }
  return '"' + std::string(asked) + "\":[" + sets + ']';
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const Result<core::Machine> machine = disk::read_machine_below(argv[1]);
  if (!machine) {
    std::fputs((machine.error().message + '\n').c_str(), stderr);
    return 1;
  }
  std::string plans;
  for (int i = 2; i < argc; ++i) plans += (plans.empty() ? "" : ",\n") + planned(*machine, argv[i]);
  const std::string text = "{\"allowed\":" + numbers(machine->allowed) + ",\n\"online\":" + numbers(machine->online) +
                           ",\n\"cpus\":" + described(machine->topology) + ",\n\"plans\":{" + plans + "}}\n";
  return std::fputs(text.c_str(), stdout) < 0 ? 1 : 0;
}
