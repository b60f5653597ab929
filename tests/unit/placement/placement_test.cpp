// Each rule of placement.hpp on machines small enough to see the answer.
#include "supervisor/core/placement.hpp"

#include <doctest/doctest.h>

#include "machines.hpp"

using namespace corral::core;
using corral::test::allowing;
using corral::test::machine;
using corral::test::placed;
using corral::test::placed_all;
using corral::test::Shape;
using corral::test::text;

namespace {

constexpr AutoWorkers as_many_as_useful{};

std::string separate(const Machine& on, std::uint32_t workers, std::uint32_t each = 1) {
  return text(placed(on, workers, SeparateCores{each}).workers);
}

Machine with_quota(Machine machine, double quota) {
  machine.quota = quota;
  return machine;
}

}  // namespace

TEST_CASE("auto is the allowed CPUs, cut to the quota rounded up, at least one") {
  const Machine eight = machine(Shape{.cores = 4, .threads = 2});
  const auto count = [](const Machine& on, const CoresPolicy& cores) {
    return placed(on, as_many_as_useful, cores).workers.size();
  };
  CHECK(count(eight, DefaultCores{}) == 8);
  CHECK(count(allowing(eight, {1, 2, 7}), DefaultCores{}) == 3);
  CHECK(count(with_quota(eight, 2.5), DefaultCores{}) == 3);
  CHECK(count(with_quota(eight, 2.0), SharedCores{}) == 2);
  CHECK(count(with_quota(eight, 0.1), DefaultCores{}) == 1);
  CHECK(count(with_quota(eight, 64), DefaultCores{}) == 8);
  CHECK(count(eight, SeparateCores{3}) == 2);
  CHECK(count(with_quota(eight, 1.0), SeparateCores{3}) == 1);
  CHECK(count(eight, ListedCores{{0, 1, 5}}) == 3);
  CHECK(count(with_quota(eight, 1.5), ListedCores{{0, 1, 5}}) == 2);
}

TEST_CASE("physical cores come first, SMT siblings last") {
  const Machine on = machine(Shape{.cores = 4, .threads = 2});  // Siblings: 0,4 1,5 2,6 3,7.
  CHECK(separate(on, 4) == "0 1 2 3");
  CHECK(separate(on, 6) == "0 1 2 3 4 5");
  const Machine neighbours = machine("0-1\n2-3\n4-5\n");
  CHECK(separate(neighbours, 5) == "0 2 4 1 3");
  const Machine four_threads = machine("0-3\n4-7\n");
  CHECK(separate(four_threads, 8) == "0 4 1 5 2 6 3 7");
}

TEST_CASE("a core of which only the second thread is allowed is a whole core") {
  const Machine on = allowing(machine(Shape{.cores = 4, .threads = 2}), {4, 1, 5});
  CHECK(separate(on, 3) == "1 4 5");
}

TEST_CASE("performance cores come before efficiency cores, these before the siblings of the former") {
  const Machine hybrid = machine("0-1 k1\n2-3 k1\n4-6 each\n");
  CHECK(separate(hybrid, 7) == "0 2 4 5 6 1 3");
  const Machine efficient_first = machine("0-3 each\n4-5 k1 each\n");
  CHECK(separate(efficient_first, 6) == "4 5 0 1 2 3");
}

TEST_CASE("one NUMA node is filled before the next") {
  const Machine interleaved = machine("0 n0\n1 n1\n2 n0\n3 n1\n");
  CHECK(separate(interleaved, 3) == "0 2 1");
  const Machine sparse = machine("0 n72\n1 n33\n2 n33\n");
  CHECK(separate(sparse, 3) == "1 2 0");
}

TEST_CASE("within a node one package, and within it one cache, is filled before the next") {
  CHECK(separate(machine("0 p1\n1 p0\n2 p1\n3 p0\n"), 4) == "1 3 0 2");
  CHECK(separate(machine("0 c1\n1 c0\n2 c1\n3 c0\n"), 4) == "1 3 0 2");
}

TEST_CASE("more workers than CPUs share evenly, the cores with the best places twice first") {
  const Machine on = machine(Shape{.cores = 2, .threads = 2});
  CHECK(separate(on, 6) == "0 1 2 3 0 1");
  const Machine hybrid = machine("0-1 k1\n2 k0\n");
  CHECK(separate(hybrid, 4) == "0 2 1 0");
  CHECK(separate(machine("0\n"), 3) == "0 0 0");
}

TEST_CASE("a worker of several CPUs gets distinct cores near each other while there are enough") {
  const Machine on = machine(Shape{.nodes = 2, .cores = 6, .threads = 2});
  CHECK(separate(on, 2, 4) == "0-3 6-9");
  CHECK(separate(on, 3, 4) == "0-3 6-9 4-5,10-11");
  const Machine caches = machine(Shape{.nodes = 2, .caches = 2, .cores = 3});
  CHECK(separate(caches, 6, 2) == "0-1 3-4 2,5 6-7 9-10 8,11");
  const Machine packages = machine(
      "0-2 n0 p0 c0 each\n3-5 n0 p1 c1 each\n"
      "6-8 n1 p2 c2 each\n9-11 n1 p3 c3 each\n");
  CHECK(separate(packages, 3, 2) == "0-1 3-4 2,5");
}

TEST_CASE("when cores do not suffice, a worker's siblings are its own") {
  const Machine on = machine(Shape{.cores = 4, .threads = 2});
  CHECK(separate(on, 4, 2) == "0,4 1,5 2,6 3,7");
  // Three workers of two: no core is left idle, and nobody shares one.
  CHECK(separate(on, 3, 2) == "0,4 1,5 2-3");
  CHECK(separate(on, 2, 2) == "0-1 2-3");
}

TEST_CASE("workers of several CPUs beyond the machine share evenly") {
  const Machine on = machine("0\n1\n2\n");
  CHECK(separate(on, 3, 2) == "0-1 0,2 1-2");
  CHECK(separate(on, 2, 3) == "0-2 0-2");
}

TEST_CASE("a second program goes on where the first one ended") {
  const Machine on = machine(Shape{.cores = 4});
  const std::vector<PlacementRequest> requests = {{2U, DefaultCores{}, {}}, {2U, DefaultCores{}, {}}, {3U, SeparateCores{1}, {}}};
  const auto plan = placed_all(on, requests);
  CHECK(text(plan[0].workers) == "0 1");
  CHECK(text(plan[1].workers) == "2 3");
  CHECK(text(plan[2].workers) == "0 1 2");
  CHECK(plan[2].sentence == "3 workers, each on a core of its own; 3 CPUs shared with other programs");
}

TEST_CASE("a core that another program uses comes after an idle one") {
  const Machine on = machine(Shape{.cores = 4, .threads = 2});
  const std::vector<PlacementRequest> requests = {{2U, ListedCores{{4, 5}}, {}}, {2U, DefaultCores{}, {}}};
  CHECK(text(placed_all(on, requests)[1].workers) == "2 3");
}

TEST_CASE("programs that run already stay where they are") {
  const Machine on = machine(Shape{.cores = 4});
  const std::vector<CpuSet> now = {{0}, {1}};
  const std::vector<PlacementRequest> requests = {{2U, DefaultCores{}, {}}, {2U, DefaultCores{}, now}};
  const auto plan = placed_all(on, requests);
  CHECK(text(plan[0].workers) == "2 3");
  CHECK(text(plan[1].workers) == "0 1");

  // Not where a CPU has gone, nor with another number of workers or of CPUs each.
  CHECK(text(placed_all(allowing(on, {0, 2, 3}), requests)[1].workers) == "3 0");
  const std::vector<PlacementRequest> more = {{3U, DefaultCores{}, now}};
  CHECK(text(placed_all(on, more)[0].workers) == "0 1 2");
  const std::vector<PlacementRequest> wider = {{2U, SeparateCores{2}, now}};
  CHECK(text(placed_all(on, wider)[0].workers) == "0-1 2-3");
}

TEST_CASE("an explicit list is used as separate cores, from this list alone") {
  const Machine on = machine(Shape{.cores = 4, .threads = 2});
  CHECK(text(placed(on, 2U, ListedCores{{1, 2, 5}}).workers) == "1 2");
  CHECK(text(placed(on, 3U, ListedCores{{1, 2, 5}}).workers) == "1 2 5");
  CHECK(text(placed(on, 4U, ListedCores{{1, 5}}).workers) == "1 5 1 5");
  CHECK(text(placed(on, 1U, ListedCores{{3}}).workers) == "3");
  CHECK(text(placed(on, 1U, ListedCores{{1, 2, 5}}).workers) == "1-2,5");
}

TEST_CASE("nothing is pinned that nobody asked for, and the reason says so") {
  const Machine on = machine(Shape{.cores = 4});
  const auto one = placed(on, 1U, DefaultCores{});
  CHECK(text(one.workers) == "-");
  CHECK(one.reason == PlacementReason::one_worker);
  CHECK(one.sentence == "one worker, not pinned: the kernel places it");
  CHECK(placed(with_quota(on, 0.5), AutoWorkers{}, DefaultCores{}).sentence ==
        "one worker, not pinned: the kernel places it; the CPU quota allows 0.5 of 4 CPUs");
  const auto shared = placed(on, 3U, SharedCores{});
  CHECK(text(shared.workers) == "- - -");
  CHECK(shared.reason == PlacementReason::shared_by_choice);
  CHECK(shared.sentence == "3 workers, not pinned as the configuration says \"shared\"");
  CHECK(placed(on, 1U, SeparateCores{1}).reason == PlacementReason::pinned);
}

TEST_CASE("under a quota smaller than the mask only who insists is pinned") {
  const Machine on = with_quota(machine(Shape{.cores = 4}), 3.5);
  const auto by_default = placed(on, 4U, DefaultCores{});
  CHECK(by_default.reason == PlacementReason::quota_below_mask);
  CHECK(text(by_default.workers) == "- - - -");
  CHECK(by_default.sentence.starts_with("4 workers, not pinned: the CPU quota allows 3.5 of 4 CPUs, and pinning"));
  CHECK(text(placed(on, 2U, SeparateCores{1}).workers) == "0 1");
  CHECK(text(placed(on, 2U, SeparateCores{2}).workers) == "0-1 2-3");
  CHECK(text(placed(on, 2U, ListedCores{{2, 3}}).workers) == "2 3");
  CHECK(placed(with_quota(on, 4.0), 4U, DefaultCores{}).reason == PlacementReason::pinned);
  CHECK(placed(with_quota(on, 3.9999), 4U, DefaultCores{}).reason == PlacementReason::pinned);
}

TEST_CASE("without a topology every CPU is a core, and the plan says so") {
  Machine blind;
  blind.allowed = {0, 1, 2, 3};
  blind.topology_missing = "no /sys";
  const auto plan = placed(blind, 4U, DefaultCores{});
  CHECK(text(plan.workers) == "0 1 2 3");
  CHECK(plan.reason == PlacementReason::pinned_blindly);
  CHECK(plan.sentence == "4 workers, each on a core of its own; which CPUs share a core is not known: no /sys");
}

TEST_CASE("sentences say how the CPUs are used") {
  const Machine on = machine(Shape{.cores = 4, .threads = 2});
  const auto sentence = [&](std::uint32_t workers, std::uint32_t each) {
    return placed(on, workers, SeparateCores{each}).sentence;
  };
  CHECK(sentence(1, 1) == "1 worker on a core of its own");
  CHECK(sentence(4, 1) == "4 workers, each on a core of its own");
  CHECK(sentence(8, 1) == "8 workers, each on a CPU of its own; the 8 CPUs are threads of 4 cores");
  CHECK(sentence(12, 1) == "12 workers on 8 CPUs: up to 2 share one; the 8 CPUs are threads of 4 cores");
  CHECK(sentence(2, 2) == "2 workers, each on 2 cores of its own");
  CHECK(sentence(4, 2) == "4 workers, each on 2 CPUs of its own; the 8 CPUs are threads of 4 cores");
  CHECK(sentence(5, 2) == "5 workers of 2 CPUs each on 8 CPUs: up to 2 share one; the 8 CPUs are threads of 4 cores");
}

TEST_CASE("what cannot be met is refused, all of it at once, with what there is") {
  Machine on = machine(Shape{.cores = 4});
  on.allowed = {0, 1};
  const std::vector<PlacementRequest> requests = {
      {2U, DefaultCores{}, {}}, {2U, ListedCores{{0, 3, 9}}, {}}, {1U, SeparateCores{3}, {}},
      {1U, ListedCores{}, {}},  {1U, SeparateCores{0}, {}},
  };
  const auto plan = plan_placement(on, requests);
  REQUIRE_FALSE(plan.has_value());
  const auto& errors = plan.error();
  REQUIRE(errors.size() == 4);
  CHECK(errors[0].program == 1);
  CHECK(errors[0].fault == PlacementFault::cpu_not_usable);
  CHECK(errors[0].cpus == CpuSet{3, 9});
  CHECK(errors[0].sentence ==
        "CPU 9 is offline or not there, CPU 3 is outside the affinity mask or cpuset of this process; "
        "2 CPUs may be used: 0-1");
  CHECK(errors[1].program == 2);
  CHECK(errors[1].fault == PlacementFault::too_many_cores);
  CHECK(errors[1].sentence == "each worker is to have 3 CPUs of its own, but only 2 CPUs may be used: 0-1");
  CHECK(errors[2].program == 3);
  CHECK(errors[2].fault == PlacementFault::empty_list);
  CHECK(errors[3].program == 4);
  CHECK(errors[3].fault == PlacementFault::no_cores_each);
}

TEST_CASE("no more of the machine is read than a plan depends on") {
  const auto need = [](std::vector<PlacementRequest> requests) { return needed_of_machine(requests); };
  CHECK(need({}) == MachineNeed::nothing);
  CHECK(need({{1U, DefaultCores{}, {}}, {1U, SharedCores{}, {}}}) == MachineNeed::nothing);
  CHECK(need({{1U, DefaultCores{}, {}}, {5U, SharedCores{}, {}}}) == MachineNeed::cpus);
  CHECK(need({{1U, DefaultCores{}, {}}, {AutoWorkers{}, SharedCores{}, {}}}) == MachineNeed::cpus);
  CHECK(need({{AutoWorkers{}, SharedCores{}, {}}, {2U, DefaultCores{}, {}}}) == MachineNeed::topology);
  CHECK(need({{1U, SeparateCores{1}, {}}}) == MachineNeed::topology);
  CHECK(need({{1U, ListedCores{{0}}, {}}}) == MachineNeed::topology);
  CHECK(need({{AutoWorkers{}, DefaultCores{}, {}}}) == MachineNeed::topology);

  // And a plan whose workers are not bound to cores is made of an empty machine.
  const std::vector<PlacementRequest> requests = {{1U, DefaultCores{}, {}}, {5U, SharedCores{}, {}}};
  CHECK(text(placed_all(Machine{}, requests)[1].workers) == "- - - - -");
}
