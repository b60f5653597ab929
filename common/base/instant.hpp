// Time as the supervisor knows it: a monotonic instant and a duration, both in nanoseconds.
//
// MonotonicClock has no now(): code that only decides cannot read a clock. The shell stamps each event with the
// instant of CLOCK_MONOTONIC (which stands still while a machine is suspended, so that nothing times out in its sleep);
// the simulator stamps it with whatever it likes. The wall clock never drives a decision.
#pragma once

#include <chrono>
#include <cstdint>

namespace corral {

using Duration = std::chrono::nanoseconds;

struct MonotonicClock {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<MonotonicClock, Duration>;
  static constexpr bool is_steady = true;
};

using Instant = MonotonicClock::time_point;

/// The end of time: nothing is ever due then.
inline constexpr Instant never = Instant::max();

/// `from + wait` without overflow: beyond the end of time it is `never`. `wait` is not negative.
[[nodiscard]] constexpr Instant after(Instant from, Duration wait) { return from > never - wait ? never : from + wait; }

/// For people and for JSON: 1.5 for 1,500 ms.
[[nodiscard]] constexpr double in_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace corral
