#include "tests/simulation/scenario.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <csignal>
#include <string>

namespace corral::simulation {
namespace {

core::RestartPolicy make_policy(core::Random& random) {
  core::RestartPolicy policy;
  policy.when = std::array{core::RestartWhen::always, core::RestartWhen::on_failure, core::RestartWhen::never}[pick(random, 3)];
  if (chance(random, 0.3)) {
    policy.success_codes = {0, 3};
  }
  policy.delay = chance(random, 0.2) ? Duration::zero() : some_time(random, 1ms, 1s);
  policy.factor = std::array{1.0, 1.5, 2.0, 10.0}[pick(random, 4)];
  policy.max_delay = policy.delay + some_time(random, 1ms, 30s);
  policy.jitter = std::array{0.0, 0.1, 1.0}[pick(random, 3)];
  policy.healthy_after = chance(random, 0.1) ? Duration::zero() : some_time(random, 1ms, 10s);
  if (chance(random, 0.7)) {
    policy.limit = core::RestartLimit{pick(random, 6), some_time(random, 10ms, 60s)};
  } else {
    policy.limit.reset();
  }
  policy.then = chance(random, 0.2) ? core::ThenDo::shutdown : core::ThenDo::fail;
  return policy;
}

core::PlannedProgram make_program(core::Random& random, const std::string& name) {
  core::PlannedProgram program;
  program.spec.name = name;
  program.spec.launch.command = {name};
  program.spec.restart = make_policy(random);
  program.spec.stop.signal = std::array{SIGTERM, SIGINT, SIGKILL, SIGCONT}[std::min(pick(random, 8), 3U)];
  program.spec.stop.grace = chance(random, 0.15) ? Duration::zero() : some_time(random, 1ms, 10s);
  program.spec.start_timeout = some_time(random, 10ms, 10s);
  program.placements.resize(1 + pick(random, 4));
  return program;
}

/// Zero for most faults of most seeds.
double rate(core::Random& random, double highest) { return chance(random, 0.6) ? 0 : highest * random.fraction(); }

Faults make_faults(core::Random& random) {
  Faults faults;
  faults.spawn_fails = rate(random, 0.6);
  faults.exec_fails = rate(random, 0.6);
  faults.exec_hangs = rate(random, 0.3);
  faults.crashes = chance(random, 0.5) ? random.fraction() : 0.2;
  faults.lives_for_ever = chance(random, 0.5) ? random.fraction() : 0.3;
  faults.ignores_stop = rate(random, 0.8);
  faults.slow_stop = rate(random, 1);
  faults.unkillable = rate(random, 0.3);
  faults.slow_reaping = rate(random, 0.8);
  faults.output_held = rate(random, 0.6);
  faults.closes_output = rate(random, 0.6);
  faults.leaves_descendants = rate(random, 0.8);
  faults.immortal_descendants = rate(random, 0.2);
  faults.late_timer = rate(random, 1);
  faults.stale_events = rate(random, 0.5);
  return faults;
}

/// Often in the first moments, when much happens, and as often at any time of a minute.
Instant some_moment(core::Random& random) {
  const bool early = chance(random, 0.5);
  return Instant{} + (early ? some_time(random, 1us, 20s) : Duration(static_cast<Duration::rep>(60e9 * random.fraction())));
}

/// The same signal again and again, within a moment or over some seconds.
void add_storm(std::vector<Interference>& list, core::Random& random) {
  Instant at = some_moment(random);
  for (std::uint32_t left = 2 + pick(random, 20); left > 0; --left) {
    list.push_back({at, Interference::Kind::signal, SIGUSR1});
    at += some_time(random, 1us, 1s);
  }
}

std::vector<Interference> make_interferences(core::Random& random) {
  using Kind = Interference::Kind;
  constexpr std::array signals{SIGUSR1, SIGUSR2, SIGHUP, SIGHUP, SIGWINCH, SIGTERM, SIGINT, SIGQUIT};
  std::vector<Interference> list;
  const std::uint32_t count = pick(random, 5);
  for (std::uint32_t i = 0; i < count; ++i) {
    const Instant at = some_moment(random);
    if (chance(random, 0.3)) {
      list.push_back({at, Kind::reload, 0});
    } else if (chance(random, 0.05)) {
      list.push_back({at, Kind::hangup, SIGHUP});
    } else {
      list.push_back({at, Kind::signal, signals[pick(random, signals.size())]});
    }
  }
  // Every run ends in a stop, most with patience, some with a second signal right behind the first.
  const Instant end = some_moment(random);
  list.push_back({end, Kind::signal, chance(random, 0.5) ? SIGTERM : SIGINT});
  if (chance(random, 0.3)) {
    list.push_back({end + some_time(random, 1us, 5s), Kind::signal, SIGTERM});
  }
  if (chance(random, 0.2)) {
    add_storm(list, random);
  }
  std::ranges::stable_sort(list, {}, &Interference::at);
  return list;
}

}  // namespace

bool chance(core::Random& random, double probability) { return random.fraction() < probability; }

std::uint32_t pick(core::Random& random, std::uint32_t below) { return static_cast<std::uint32_t>(random.next() % below); }

Duration some_time(core::Random& random, Duration from, Duration to) {
  const double low = std::log2(static_cast<double>(from.count()));
  const double high = std::log2(static_cast<double>(to.count()));
  return Duration(static_cast<Duration::rep>(std::exp2(low + (high - low) * random.fraction())));
}

Scenario make_scenario(std::uint64_t seed) {
  core::Random random(seed);
  Scenario scenario;
  scenario.seed = seed;
  scenario.transparent = chance(random, 0.1);
  scenario.transparent_grace = scenario.transparent && chance(random, 0.5);
  scenario.terminal = scenario.transparent && chance(random, 0.7);
  scenario.launches_at_once = 1 + pick(random, 3);
  const std::uint32_t programs = scenario.transparent ? 1 : 1 + pick(random, 3);
  for (std::uint32_t i = 0; i < programs; ++i) {
    core::PlannedProgram program = make_program(random, std::string(1, static_cast<char>('a' + i)));
    program.id = ProgramId{i};
    if (scenario.transparent) {
      program.placements.resize(1);
    }
    scenario.plan.programs.push_back(std::move(program));
  }
  scenario.plan.stay = !scenario.transparent && chance(random, 0.2);
  scenario.faults = make_faults(random);
  if (scenario.transparent && !scenario.transparent_grace) {
    scenario.faults.unkillable = 0;  // Without a grace nobody promises that it ends.
  }
  scenario.interferences = make_interferences(random);
  // Last, so that the other scenarios stay what they were.
  scenario.tasks = !scenario.transparent && chance(random, 0.3);
  if (scenario.tasks && chance(random, 0.4)) {
    scenario.tasks_end_at = some_moment(random);
  }
  return scenario;
}

core::Plan change_plan(const core::Plan& plan, core::Random& random) {
  core::Plan changed;
  changed.stay = chance(random, 0.2);
  for (const char letter : {'a', 'b', 'c', 'd'}) {
    const std::string name(1, letter);
    const auto old = std::ranges::find_if(plan.programs, [&](const auto& program) { return program.spec.name == name; });
    if (old == plan.programs.end()) {
      if (chance(random, 0.3)) {
        changed.programs.push_back(make_program(random, name));
      }
    } else if (chance(random, 0.75)) {
      core::PlannedProgram program = *old;
      if (chance(random, 0.3)) {
        program.spec.restart = make_policy(random);
      }
      if (chance(random, 0.3)) {
        program.spec.launch.command.push_back("changed");
      }
      if (chance(random, 0.2)) {
        program.placements.resize(1 + pick(random, 4));
      }
      changed.programs.push_back(std::move(program));
    }
  }
  core::Random for_logs = random;  // A copy, so that the other scenarios stay what they were.
  for (core::PlannedProgram& program : changed.programs) {
    program.spec.log.to = chance(for_logs, 0.1)   ? core::LogTo::nothing
                          : chance(for_logs, 0.2) ? core::LogTo::file
                                                  : program.spec.log.to;
  }
  if (changed.programs.empty()) {
    changed.programs.push_back(plan.programs.front());
  }
  return changed;
}

}  // namespace corral::simulation
