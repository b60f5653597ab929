// The arithmetic of restarts: how long to wait, when a program has failed. Pure.
#pragma once

#include <cstdint>
#include <deque>

#include "common/base/exit_status.hpp"
#include "common/base/instant.hpp"
#include "supervisor/core/spec.hpp"

namespace corral::core {

/// splitmix64: one word of state, the same numbers for the same seed on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  /// Uniform in [0, 1).
  double fraction();

 private:
  std::uint64_t state_;
};

/// The policy wants another life after this end (whether it may have one is the limit's business).
[[nodiscard]] bool wants_restart(const RestartPolicy& policy, const ExitStatus& status);

/// Exit codes of success_codes; a death by signal never.
[[nodiscard]] bool is_success(const RestartPolicy& policy, const ExitStatus& status);

/// The delay before jitter after the n-th unhealthy exit in a row; 0 for n = 0: the restart after a healthy life is
/// immediate. Never falls as n grows, never exceeds max_delay.
[[nodiscard]] Duration base_delay(const RestartPolicy& policy, std::uint32_t unhealthy_in_a_row);

/// Even with throttling off a launch that failed is not tried again at once: what it lacked (memory, descriptors, processes)
/// is lacking for everybody, and asking in a tight loop makes it worse.
inline constexpr Duration least_delay_after_failed_launch = std::chrono::milliseconds(10);

/// base_delay ± jitter: uniform in [base × (1 − jitter), base × (1 + jitter)].
[[nodiscard]] Duration jittered(const RestartPolicy& policy, Duration base, Random& random);

/// The unhealthy exits of one program in a sliding window. Holds at most limit.restarts + 1 instants.
class ExitWindow {
 public:
  /// Notes one at `now`; true when the limit is exceeded by it.
  [[nodiscard]] bool note(Instant now, const RestartLimit& limit);
  [[nodiscard]] std::uint32_t count() const { return static_cast<std::uint32_t>(exits_.size()); }
  void clear() { exits_.clear(); }
  /// Those that still count, and when the oldest of them no longer does.
  struct Use {
    std::uint32_t exits = 0;
    Instant forgets_at = never;
  };
  [[nodiscard]] Use use(Instant now, const RestartLimit& limit) const;

 private:
  std::deque<Instant> exits_;
};

}  // namespace corral::core
