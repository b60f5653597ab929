#include "supervisor/core/restart.hpp"

#include <algorithm>
#include <cmath>

namespace corral::core {

std::uint64_t Random::next() {
  state_ += 0x9e3779b97f4a7c15ULL;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31U);
}

double Random::fraction() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }

bool is_success(const RestartPolicy& policy, const ExitStatus& status) {
  const ExitedWith* exited = status.exited();
  return exited != nullptr && std::ranges::binary_search(policy.success_codes, exited->code);
}

bool wants_restart(const RestartPolicy& policy, const ExitStatus& status) {
  switch (policy.when) {
    case RestartWhen::always: return true;
    case RestartWhen::on_failure: return !is_success(policy, status);
    case RestartWhen::never: return false;
  }
  return false;
}

Duration base_delay(const RestartPolicy& policy, std::uint32_t unhealthy_in_a_row) {
  if (unhealthy_in_a_row == 0 || policy.delay == Duration::zero()) {
    return Duration::zero();
  }
  const auto cap = static_cast<double>(policy.max_delay.count());
  const double wanted =
      static_cast<double>(policy.delay.count()) * std::pow(policy.factor, static_cast<double>(unhealthy_in_a_row - 1));
  // pow may well be infinite after a long night; min takes care of that too.
  return Duration(static_cast<Duration::rep>(std::min(wanted, cap)));
}

Duration jittered(const RestartPolicy& policy, Duration base, Random& random) {
  if (policy.jitter == 0 || base == Duration::zero()) {
    return base;
  }
  const double share = 1 + policy.jitter * (2 * random.fraction() - 1);
  return Duration(static_cast<Duration::rep>(static_cast<double>(base.count()) * share));
}

bool ExitWindow::note(Instant now, const RestartLimit& limit) {
  exits_.push_back(now);
  while (!exits_.empty() && now - exits_.front() >= limit.within) {
    exits_.pop_front();
  }
  if (exits_.size() > limit.restarts + std::size_t{1}) {
    exits_.pop_front();
  }
  return exits_.size() > limit.restarts;
}

ExitWindow::Use ExitWindow::use(Instant now, const RestartLimit& limit) const {
  Use use;
  for (const Instant exit : exits_) {
    if (now - exit < limit.within) {
      ++use.exits;
      use.forgets_at = std::min(use.forgets_at, after(exit, limit.within));
    }
  }
  return use;
}

}  // namespace corral::core
