// Quantiles in bounded memory.
#include "supervisor/core/tasks/durations.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

using namespace corral;
using namespace corral::core;
using namespace std::chrono_literals;

TEST_CASE("nothing has no median") {
  const Durations none;
  CHECK(none.count() == 0);
  CHECK(none.quantile(0.5) == Duration{});
}

TEST_CASE("every quantile is two percent beside the truth at most, whatever the scale") {
  std::mt19937_64 random(1);
  for (const double scale : {2.0, 7.0, 12.0, 16.0}) {
    std::vector<Duration> all;
    Durations durations;
    std::lognormal_distribution<double> spread(scale, 1.5);
    for (int i = 0; i < 5000; ++i) {
      all.emplace_back(static_cast<Duration::rep>(spread(random)));
      durations.add(all.back());
    }
    std::ranges::sort(all);
    for (const double share : {0.0, 0.01, 0.5, 0.95, 0.999, 1.0}) {
      const auto rank = std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(share * 5000)));
      const auto truth = static_cast<double>(all[rank - 1].count());
      CHECK(std::abs(static_cast<double>(durations.quantile(share).count()) - truth) <= 0.02 * truth + 1);
    }
    CHECK(durations.longest() == all.back());
  }
}

TEST_CASE("the shortest and the longest have their places too") {
  Durations durations;
  durations.add(-1ns);
  CHECK(durations.quantile(1) == 0ns);
  durations.add(Duration::max());
  CHECK(durations.quantile(1) > Duration::max() / 2);
  CHECK(durations.longest() == Duration::max());
}
