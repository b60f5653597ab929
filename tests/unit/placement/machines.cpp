#include "machines.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

namespace corral::test {

using core::CpuSet;
using core::LogicalCpu;

core::Machine machine(std::string_view table) {
  core::Machine made;
  std::uint32_t core = 0;
  std::istringstream lines{std::string(table)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    if (!(words >> word)) continue;
    const CpuSet cpus = CpuSet::parse(word).value();
    LogicalCpu where;
    bool each = false;
    while (words >> word) {
      if (word == "each") {
        each = true;
        continue;
      }
      const auto value = static_cast<std::uint32_t>(std::stoul(word.substr(1)));
      switch (word[0]) {
        case 'n': where.node = value; break;
        case 'p': where.package = value; break;
        case 'c': where.cache = value; break;
        case 'k': where.performance = value; break;
        default: FAIL("a machine table has the word " << word);
      }
    }
    for (const std::uint16_t cpu : cpus) {
      where.number = cpu;
      where.core = core;
      made.topology.cpus.push_back(where);
      if (each) ++core;
    }
    if (!each) ++core;
    made.allowed = made.allowed.united(cpus);
  }
  std::ranges::sort(made.topology.cpus, {}, &LogicalCpu::number);
  made.online = made.allowed;
  return made;
}

core::Machine machine(Shape shape) {
  core::Machine made;
  const std::uint32_t cores = shape.packages * shape.nodes * shape.caches * shape.cores;
  std::vector<std::uint16_t> numbers;
  for (std::uint32_t thread = 0; thread < shape.threads; ++thread) {
    for (std::uint32_t core = 0; core < cores; ++core) {
      const auto number = static_cast<std::uint16_t>(thread * cores + core);
      const std::uint32_t cache = core / shape.cores;
      const std::uint32_t node = cache / shape.caches;
      made.topology.cpus.push_back({number, core, node / shape.nodes, node, cache, 0});
      numbers.push_back(number);
    }
  }
  made.allowed = CpuSet(std::move(numbers));
  made.online = made.allowed;
  return made;
}

core::Machine allowing(core::Machine machine, CpuSet allowed) {
  machine.allowed = std::move(allowed);
  return machine;
}

std::vector<core::ProgramPlacement> placed_all(const core::Machine& machine, std::span<const core::PlacementRequest> requests) {
  auto plan = core::plan_placement(machine, requests);
  REQUIRE_MESSAGE(plan.has_value(), (plan ? std::string() : plan.error().front().sentence));
  REQUIRE(plan->programs.size() == requests.size());
  return plan->programs;
}

core::ProgramPlacement placed(const core::Machine& machine, core::WorkerCount workers, core::CoresPolicy cores) {
  const core::PlacementRequest request{workers, std::move(cores), {}};
  return placed_all(machine, std::span(&request, 1)).front();
}

std::string text(const std::vector<CpuSet>& workers) {
  std::string all;
  for (const CpuSet& cpus : workers) {
    if (!all.empty()) all += ' ';
    all += cpus.empty() ? "-" : cpus.to_string();
  }
  return all;
}

}  // namespace corral::test
