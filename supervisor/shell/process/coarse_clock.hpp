// The monotonic clock, a tick behind but without a system call: enough to tell a young process from an old one.
#pragma once

#include <ctime>

#include "common/base/instant.hpp"

namespace corral::process {

[[nodiscard]] inline Instant coarse_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return Instant(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

}  // namespace corral::process
