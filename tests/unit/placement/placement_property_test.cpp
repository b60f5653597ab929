// The rules of placement.hpp on a few thousand random machines. CORRAL_SEED replays one.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "machines.hpp"
#include "supervisor/core/placement.hpp"

using namespace corral::core;
using corral::test::machine;
using corral::test::placed;
using corral::test::placed_all;
using corral::test::Shape;

namespace {

using Random = std::mt19937_64;

std::uint32_t between(Random& random, std::uint32_t low, std::uint32_t high) {
  return low + static_cast<std::uint32_t>(random() % (high - low + 1));
}

/// Packages, nodes, caches, cores with one to four threads, sometimes two kinds, any numbering, some CPUs forbidden.
Machine random_machine(Random& random) {
  Machine made;
  const std::uint32_t packages = between(random, 1, 2), nodes = between(random, 1, 2), caches = between(random, 1, 2);
  const std::uint32_t threads = between(random, 1, 4), kinds = between(random, 1, 2);
  std::uint32_t core = 0;
  for (std::uint32_t cache = 0; cache < packages * nodes * caches; ++cache) {
    for (std::uint32_t left = between(random, 1, 6); left > 0; --left, ++core) {
      const std::uint32_t kind = between(random, 0, kinds - 1);
      for (std::uint32_t thread = kind < kinds - 1 ? threads : 1; thread <= threads; ++thread) {
        made.topology.cpus.push_back({0, core, cache / caches / nodes, cache / caches, cache, kind});
      }
    }
  }
  std::ranges::shuffle(made.topology.cpus, random);
  std::uint16_t number = 0;
  for (LogicalCpu& cpu : made.topology.cpus) {
    cpu.number = number;
    number = static_cast<std::uint16_t>(number + between(random, 1, 3));
    if (between(random, 0, 9) > 0) made.allowed.insert(cpu.number);
  }
  if (made.allowed.empty()) made.allowed.insert(0);
  return made;
}

/// What is allowed of one core, and the workers on it.
struct Core {
  LogicalCpu where;
  std::uint32_t size = 0;
  std::uint32_t workers = 0;
};

struct Tally {
  std::map<std::uint16_t, std::uint32_t> cpus;
  std::map<std::uint32_t, Core> cores;

  Tally(const Machine& on, const std::vector<CpuSet>& workers) {
    for (const std::uint16_t number : on.allowed) {
      cpus[number] = 0;
      Core& core = cores[on.topology.find(number)->core];
      core.where = *on.topology.find(number);
      ++core.size;
    }
    for (const CpuSet& set : workers) {
      for (const std::uint16_t number : set) {
        if (!cpus.contains(number)) FAIL("CPU " << number << " is not allowed");
        ++cpus[number];
        ++cores[on.topology.find(number)->core].workers;
      }
    }
  }
};

/// Rule 2, and with it "nothing overlaps while there is enough".
void check_even(const Tally& tally) {
  std::uint32_t least = ~0U, most = 0;
  for (const auto& [number, load] : tally.cpus) {
    least = std::min(least, load);
    most = std::max(most, load);
  }
  CHECK(most - least <= 1);
}

/// Rule 3: within a round, no core runs two more than another one that has a thread to spare.
void check_physical_first(const Tally& tally) {
  bool ok = true;
  std::uint32_t full_rounds = ~0U;
  for (const auto& [number, load] : tally.cpus) full_rounds = std::min(full_rounds, load);
  for (const auto& [label, busy] : tally.cores) {
    for (const auto& [other_label, idle] : tally.cores) {
      const std::uint32_t busy_now = busy.workers - full_rounds * busy.size;
      const std::uint32_t idle_now = idle.workers - full_rounds * idle.size;
      ok = ok && (busy_now <= idle_now + 1 || idle_now == idle.size);
    }
  }
  CHECK(ok);
}

/// Rule 4, as long as no core has to serve twice: no core is idle that comes before a busy one.
void check_order(const Tally& tally) {
  bool ok = true;
  const auto rank = [](const LogicalCpu& cpu) { return std::pair(~cpu.performance, cpu.node); };
  for (const auto& [label, busy] : tally.cores) {
    for (const auto& [other_label, idle] : tally.cores) {
      ok = ok && (busy.workers == 0 || idle.workers > 0 || rank(busy.where) <= rank(idle.where));
    }
  }
  CHECK(ok);
}

/// Rule 5, as long as no core has to serve twice: as many workers stay within one node and kind as fit into one.
void check_near(const Machine& on, const Tally& tally, const std::vector<CpuSet>& workers, std::uint32_t each) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> places;
  std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>, std::uint32_t> caches;
  for (const auto& [label, core] : tally.cores) {
    ++places[{core.where.performance, core.where.node}];
    ++caches[{core.where.performance, core.where.node, core.where.cache}];
  }
  std::size_t fit = 0, fit_caches = 0;
  for (const auto& [place, cores] : places) fit += cores / each;
  for (const auto& [cache, cores] : caches) fit_caches += cores / each;
  std::size_t near = 0, nearest = 0;
  for (const CpuSet& set : workers) {
    std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
    std::set<std::uint32_t> seen_caches;
    for (const std::uint16_t number : set) {
      const LogicalCpu& cpu = *on.topology.find(number);
      seen.insert({cpu.performance, cpu.node});
      seen_caches.insert(cpu.cache);
    }
    near += seen.size() == 1 ? 1U : 0U;
    nearest += seen.size() == 1 && seen_caches.size() == 1 ? 1U : 0U;
  }
  CHECK(near >= std::min<std::size_t>(fit, workers.size()));
  // With all cores in use, as many as can stay within one cache do.
  if (workers.size() * each > tally.cores.size() - each) CHECK(nearest >= fit_caches);
}

void check_rules(const Machine& on, std::uint32_t workers, std::uint32_t each) {
  CAPTURE(workers);
  CAPTURE(each);
  const auto plan = placed(on, workers, SeparateCores{each});
  REQUIRE(plan.workers.size() == workers);
  for (const CpuSet& set : plan.workers) CHECK(set.size() == each);
  const Tally tally(on, plan.workers);
  check_even(tally);
  check_physical_first(tally);
  if (std::size_t{workers} * each <= tally.cores.size()) {
    if (each == 1) check_order(tally);
    check_near(on, tally, plan.workers, each);
  }
  CHECK(placed(on, workers, SeparateCores{each}) == plan);
}

std::vector<std::uint64_t> seeds() {
  const char* const asked = std::getenv("CORRAL_SEED");
  if (asked != nullptr) return {std::strtoull(asked, nullptr, 10)};
  std::vector<std::uint64_t> all;
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) all.push_back(seed);
  return all;
}

}  // namespace

TEST_CASE("the rules hold on random machines") {
  for (const std::uint64_t seed : seeds()) {
    INFO("replay with CORRAL_SEED=" << seed);
    Random random(seed);
    const Machine on = random_machine(random);
    const auto cpus = static_cast<std::uint32_t>(on.allowed.size());
    for (const std::uint32_t workers : {1U, 2U, std::max(cpus / 2, 1U), cpus, 2 * cpus, between(random, 1, 3 * cpus)}) {
      check_rules(on, workers, 1);
      check_rules(on, workers, between(random, 1, cpus));
      check_rules(on, workers, std::min(cpus, between(random, 2, 4)));
    }
  }
}

TEST_CASE("several programs together share as evenly as one, and none overlaps while there is enough") {
  for (const std::uint64_t seed : seeds()) {
    INFO("replay with CORRAL_SEED=" << seed);
    Random random(seed);
    const Machine on = random_machine(random);
    const auto cpus = static_cast<std::uint32_t>(on.allowed.size());
    std::vector<PlacementRequest> requests;
    for (std::uint32_t left = between(random, 1, 5); left > 0; --left) {
      requests.push_back({between(random, 1, cpus), SeparateCores{between(random, 1, std::min(cpus, 3U))}, {}});
    }
    std::vector<CpuSet> all;
    for (const ProgramPlacement& program : placed_all(on, requests)) {
      all.insert(all.end(), program.workers.begin(), program.workers.end());
    }
    const Tally tally(on, all);
    check_even(tally);
    check_physical_first(tally);
  }
}

TEST_CASE("a program that runs is never moved by one that comes") {
  for (const std::uint64_t seed : seeds()) {
    INFO("replay with CORRAL_SEED=" << seed);
    Random random(seed);
    const Machine on = random_machine(random);
    const auto cpus = static_cast<std::uint32_t>(on.allowed.size());
    const CoresPolicy cores = SeparateCores{between(random, 1, std::min(cpus, 2U))};
    const std::uint32_t workers = between(random, 1, cpus);
    const std::vector<CpuSet> now = placed(on, workers, cores).workers;
    const std::vector<PlacementRequest> requests = {{between(random, 1, cpus), SeparateCores{1}, {}}, {workers, cores, now}};
    CHECK(placed_all(on, requests)[1].workers == now);
  }
}

TEST_CASE("the largest machine can be planned for") {
  const Machine on = machine(Shape{.packages = 4, .nodes = 8, .caches = 4, .cores = 32, .threads = 2});
  REQUIRE(on.allowed.size() == 8192);
  for (const std::uint32_t each : {1U, 2U, 3U}) {
    CHECK(placed(on, 10'000U, SeparateCores{each}).workers.size() == 10'000);
  }
}
