#include "supervisor/core/topology.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace corral::core;

TEST_CASE("a quota counts in whole CPUs, rounded up, and never cuts to nothing") {
  CHECK(usable_cpus(8, std::nullopt) == 8);
  CHECK(usable_cpus(8, 2.0) == 2);
  CHECK(usable_cpus(8, 2.01) == 3);
  CHECK(usable_cpus(8, 2.00001) == 2);
  CHECK(usable_cpus(8, 1e-9) == 1);
  CHECK(usable_cpus(8, 1e300) == 8);
  CHECK(usable_cpus(0, std::nullopt) == 1);
}

TEST_CASE("speeds within a tenth of the slowest of a kind are one kind") {
  using Speeds = std::vector<std::uint64_t>;
  using Kinds = std::vector<std::uint32_t>;
  CHECK(performance_kinds(Speeds{}).empty());
  CHECK(performance_kinds(Speeds{1024, 1024}) == Kinds{0, 0});
  CHECK(performance_kinds(Speeds{3900, 5000, 5200, 3900}) == Kinds{0, 1, 1, 0});
  CHECK(performance_kinds(Speeds{718, 731, 997, 1017, 1024}) == Kinds{0, 0, 1, 1, 1});
  CHECK(performance_kinds(Speeds{1024, 250, 600}) == Kinds{2, 0, 1});
  CHECK(performance_kinds(Speeds{100, 110, 111}) == Kinds{0, 0, 1});
  CHECK(performance_kinds(Speeds{std::numeric_limits<std::uint64_t>::max(), 1}) == Kinds{1, 0});
}

TEST_CASE("a CPU is found by its number") {
  const Topology topology{{{.number = 3}, {.number = 7, .core = 1}}};
  REQUIRE(topology.find(7) != nullptr);
  CHECK(topology.find(7)->core == 1);
  CHECK(topology.find(4) == nullptr);
  CHECK(topology.find(9) == nullptr);
  CHECK_FALSE(Topology{}.known());
}
