#include "tests/simulation/commands.hpp"

#include <algorithm>
#include <string>

#include "tests/simulation/scenario.hpp"
#include "tests/simulation/violation.hpp"
#include "tests/simulation/world.hpp"

namespace corral::simulation::commands {
namespace {

constexpr std::uint32_t longest_walk = 60;
constexpr std::uint32_t most_choices = 32;

PlannedProgram make_program(std::uint32_t number, std::uint32_t workers, Random& random) {
  PlannedProgram planned;
  planned.id = ProgramId{number};
  planned.spec.name = std::string(1, static_cast<char>('a' + number));
  planned.spec.launch.command = {"x"};
  planned.spec.launch.workers = workers;
  planned.placements.resize(workers);
  planned.spec.restart.when = static_cast<RestartWhen>(pick(random, 3));
  planned.spec.restart.then = pick(random, 4) == 0 ? ThenDo::shutdown : ThenDo::fail;
  planned.spec.restart.jitter = 0;
  planned.spec.restart.delay = pick(random, 4) == 0 ? Duration(0) : planned.spec.restart.delay;
  planned.spec.restart.healthy_after = pick(random, 2) == 0 ? Duration(0) : Duration(1s);
  planned.spec.restart.limit = pick(random, 2) == 0 ? std::nullopt : std::optional(RestartLimit{pick(random, 3), 60s});
  return planned;
}

/// The first with one worker more or less, or elsewhere.
std::vector<Plan> make_plans(Random& random) {
  Plan first;
  const std::uint32_t programs = 1 + pick(random, 2);
  for (std::uint32_t number = 0; number < programs; ++number) {
    first.programs.push_back(make_program(number, 1 + pick(random, 3), random));
  }
  std::vector<Plan> plans{first};
  for (std::uint32_t other = pick(random, 3); other > 0; --other) {
    Plan& plan = plans.emplace_back(first);
    PlannedProgram& changed = plan.programs.front();
    const std::uint32_t workers = 1 + pick(random, 3);
    changed.spec.launch.workers = workers;
    changed.placements.resize(workers);
    if (pick(random, 4) == 0) {
      changed.spec.launch.command = {"y"};
    }
    if (pick(random, 3) == 0) {
      changed.placements.front() = CpuSet{1};
    }
  }
  return plans;
}

/// "  0/0 running down".
std::string describe(const Snapshot& seen) {
  std::string text;
  for (const ProgramSnapshot& program : seen.programs) {
    for (const WorkerSnapshot& worker : program.workers) {
      text += "  " + std::to_string(number(program.id)) + "/" + std::to_string(worker.index) + " " +
              std::string(name(kind(worker.state))) + (worker.wanted_up ? "" : " down");
    }
  }
  return text;
}

void describe(const std::vector<Plan>& plans, std::ostream& log) {
  for (std::size_t i = 0; i < plans.size(); ++i) {
    log << "plan " << i << ':';
    for (const PlannedProgram& planned : plans[i].programs) {
      log << ' ' << planned.spec.launch.command.front() << " × " << planned.workers() << " on "
          << planned.placements.front().to_string();
    }
    log << '\n';
  }
}

}  // namespace

Outcome run(std::uint64_t seed, std::ostream* log) {
  Random random(seed);
  Options options;
  options.launches_at_once = 1 + pick(random, 3);
  Outcome outcome;
  std::string told;
  try {
    std::vector<Plan> plans = make_plans(random);
    if (log != nullptr) {
      describe(plans, *log);
    }
    World world(options, std::move(plans), true);
    const std::uint32_t length = 1 + pick(random, longest_walk);
    for (std::uint32_t step = 0; step < length && !world.over(); ++step) {
      // Fewer and fewer, until there is one of that number: what comes first is what a kernel does.
      for (std::uint32_t below = most_choices; !world.happen(pick(random, below), told); below = std::max(1U, below / 2)) {
      }
      ++outcome.steps;
      outcome.trace = (outcome.trace ^ std::hash<std::string>{}(told)) * 0x100000001b3ULL;
      if (log != nullptr) {
        *log << told << describe(world.snapshot()) << '\n';
      }
    }
    told = "rest";
    world.rest();
    if (!world.over()) {
      world.stop();
    }
  } catch (const std::logic_error& broken) {
    throw Violation(std::string(broken.what()) + ", after: " + told);
  }
  return outcome;
}

}  // namespace corral::simulation::commands
