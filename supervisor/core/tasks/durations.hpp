// How long tasks took, in memory that does not grow: any quantile, two percent beside the truth at most.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "common/base/instant.hpp"

namespace corral::core {

class Durations {
 public:
  /// `times`: so many took that long.
  void add(Duration took, std::uint64_t times = 1) {
    counts_[bucket_of(nanoseconds(took))] += times;
    count_ += times;
    longest_ = std::max(longest_, took);
  }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] Duration longest() const { return longest_; }
  /// 0.5: the median. 0 where there is nothing.
  [[nodiscard]] Duration quantile(double share) const {
    const auto wanted = static_cast<std::uint64_t>(std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_)));
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
      seen += counts_[bucket];
      if (seen >= wanted && counts_[bucket] > 0) {
        return std::min(longest_, Duration(static_cast<Duration::rep>(middle_of(bucket))));
      }
    }
    return longest_;
  }

 private:
  // As many buckets for each power of two: below the first of them, one for each nanosecond.
  static constexpr unsigned bits = 5;
  static constexpr std::size_t in_each = std::size_t{1} << bits;
  static constexpr std::size_t buckets = (64 - bits) * in_each;

  static std::uint64_t nanoseconds(Duration took) {
    return static_cast<std::uint64_t>(std::max<Duration::rep>(std::chrono::nanoseconds(took).count(), 0));
  }
  static std::size_t bucket_of(std::uint64_t value) {
    if (value < in_each) {
      return value;
    }
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - 1 - bits;
    return (shift + 1) * in_each + ((value >> shift) - in_each);
  }
  static std::uint64_t middle_of(std::size_t bucket) {
    if (bucket < in_each) {
      return bucket;
    }
    const std::size_t shift = bucket / in_each - 1;
    const std::uint64_t first = (in_each + bucket % in_each) << shift;
    return first + ((std::uint64_t{1} << shift) - 1) / 2;
  }

  std::array<std::uint64_t, buckets> counts_{};
  std::uint64_t count_ = 0;
  Duration longest_{};
};

}  // namespace corral::core
