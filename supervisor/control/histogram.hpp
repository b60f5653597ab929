// How often something took how long: a few counters, whatever the number of observations.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "common/base/instant.hpp"

namespace corral::control {

class Histogram {
 public:
  /// Upper ends of the buckets, ascending; what is longer than the last one is counted beyond them. From the time that a
  /// worker is replaced in to the longest delay of a usual restart policy.
  static constexpr std::array<Duration, 17> ends = [] {
    using namespace std::chrono_literals;
    return std::array<Duration, 17>{100us, 250us, 500us, 1ms, 2500us, 5ms, 10ms, 25ms, 50ms,
                                    100ms, 250ms, 500ms, 1s,  2500ms, 10s, 30s,  60s};
  }();

  /// What is negative counts as nothing: two clock readings that crossed.
  void observe(Duration took) {
    took = std::max(took, Duration::zero());
    const auto bucket = std::ranges::lower_bound(ends, took);
    ++counts_[static_cast<std::size_t>(bucket - ends.begin())];
    sum_ += took;
  }

  /// Observations in each bucket alone, not summed up; the last one is of those beyond all ends.
  [[nodiscard]] const std::array<std::uint64_t, ends.size() + 1>& counts() const { return counts_; }
  [[nodiscard]] Duration sum() const { return sum_; }

 private:
  std::array<std::uint64_t, ends.size() + 1> counts_{};
  Duration sum_{};
};

}  // namespace corral::control
