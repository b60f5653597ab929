#include "tests/simulation/tasks/scenario.hpp"

#include <algorithm>
#include <array>

namespace corral::simulation::tasks {
namespace {

double rate(core::Random& random, double highest) { return chance(random, 0.7) ? 0 : highest * random.fraction(); }

Misdeeds make_misdeeds(core::Random& random, bool greets) {
  Misdeeds misdeeds;
  misdeeds.errors = rate(random, 0.6);
  misdeeds.dies_at_work = rate(random, 0.4);
  misdeeds.dies_after_answer = rate(random, 0.4);
  misdeeds.loses_answers = rate(random, 0.8);
  misdeeds.dies_idle = rate(random, 0.4);
  misdeeds.hangs = rate(random, 0.3);
  misdeeds.out_of_order = rate(random, 0.4);
  misdeeds.poison = rate(random, 0.3);
  misdeeds.never_greets = greets ? rate(random, 0.4) : 0;
  misdeeds.dies_before_hello = greets ? rate(random, 0.4) : 0;
  misdeeds.garbage = rate(random, 0.2);
  misdeeds.duplicates = rate(random, 0.3);
  misdeeds.forged = rate(random, 0.3);
  misdeeds.unasked_cancel = greets ? rate(random, 0.15) : 0;
  misdeeds.resigns = greets ? rate(random, 0.15) : 0;
  misdeeds.progress = greets ? rate(random, 0.7) : 0;
  misdeeds.ignores_recall = rate(random, 1);
  misdeeds.ignores_dismissal = rate(random, 0.7);
  misdeeds.ignores_stop = rate(random, 0.7);
  misdeeds.immortal = rate(random, 0.3);
  misdeeds.slow_reaping = rate(random, 0.8);
  misdeeds.launch_fails = rate(random, 0.6);
  misdeeds.never_again = rate(random, 0.4);
  misdeeds.late_timer = rate(random, 1);
  misdeeds.early_timer = rate(random, 0.2);
  misdeeds.cancels = rate(random, 0.4);
  return misdeeds;
}

core::TaskPolicy make_policy(core::Random& random) {
  core::TaskPolicy policy;
  policy.retries = pick(random, 5);
  policy.retry_errors = chance(random, 0.5) ? 0 : pick(random, 4);
  policy.retry_delay = ticks(random, 10);
  policy.longest_retry_delay = policy.retry_delay + ticks(random, 40);
  if (chance(random, 0.5)) {
    policy.timeout = 1ms + ticks(random, 30);
  }
  policy.greet_within = 1ms + ticks(random, 30);
  policy.leave_within = ticks(random, 30);
  policy.greets = chance(random, 0.7);
  policy.can_give_back = policy.greets && chance(random, 0.8);
  policy.decide_within = 1ms + ticks(random, 20);
  policy.most_queued = 1 + pick(random, chance(random, 0.5) ? 4 : 40);
  policy.widest_window = 1 + pick(random, chance(random, 0.5) ? 4 : 20);
  if (chance(random, 0.25)) {
    policy.max_tasks = 1 + pick(random, chance(random, 0.2) ? 30 : 6);
  }
  if (chance(random, 0.15)) {
    policy.max_age = 5ms + ticks(random, 60);
  }
  if (chance(random, 0.15)) {
    policy.max_memory = 900;
    policy.measure_every = 1ms + ticks(random, 10);
  }
  policy.window_worth = std::array<Duration, 4>{0ms, 1ms, 5ms, 20ms}[pick(random, 4)];
  if (chance(random, 0.4)) {
    policy.order_span = 1 + pick(random, 12);
  }
  return policy;
}

}  // namespace

Scenario make_scenario(std::uint64_t seed) {
  core::Random random(seed ^ 0x7a5c);
  Scenario scenario;
  scenario.seed = seed;
  scenario.policy = make_policy(random);
  scenario.workers = 1 + pick(random, chance(random, 0.1) ? 12 : 4);
  scenario.misdeeds = make_misdeeds(random, scenario.policy.greets);
  scenario.unfit = rate(random, 0.3);
  scenario.marks = scenario.policy.greets && chance(random, 0.7);
  scenario.holds_back = (scenario.policy.greets && !scenario.marks) || chance(random, 0.4) ? 1 : 2 + pick(random, 12);
  scenario.longest_task = std::array<Duration, 4>{10us, 1ms, 5ms, 30ms}[pick(random, 4)];
  // All of it at once, in bursts, or in drops; sometimes nothing at all.
  const std::uint32_t bursts = pick(random, 5);
  const std::uint32_t most = chance(random, 0.5) ? 3 : 20;
  const std::uint32_t apart = chance(random, 0.4) ? 0 : 30;
  Instant at{};
  for (std::uint32_t i = 0; i < bursts; ++i) {
    scenario.input.push_back({at, 1 + pick(random, most)});
    at += ticks(random, apart);
  }
  scenario.input_ends = at + (chance(random, 0.5) ? 0ms : ticks(random, 50));
  if (chance(random, 0.25)) {
    scenario.drain_at = Instant{} + ticks(random, chance(random, 0.5) ? 10 : 100);
  }
  if (chance(random, 0.15)) {
    scenario.abort_at = scenario.drain_at.value_or(Instant{}) + ticks(random, chance(random, 0.5) ? 5 : 60);
  }
  return scenario;
}

}  // namespace corral::simulation::tasks
