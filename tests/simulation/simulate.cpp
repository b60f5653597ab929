// simulate --seeds N [--from S]: N scenarios from seed S on. simulate --seed S --verbose: one of them in words.
// With --tasks: of the dispatcher, instead of the supervisor. With --commands: of workers that are commanded.
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>

#include "tests/simulation/commands.hpp"
#include "tests/simulation/hooks.hpp"
#include "tests/simulation/run.hpp"
#include "tests/simulation/tasks/run.hpp"
#include "tests/simulation/violation.hpp"

namespace {

namespace simulation = corral::simulation;

enum class Subject { supervisor, tasks, commands };

struct Totals {
  std::uint64_t steps = 0;
  std::uint64_t things = 0;  ///< Launches, or tasks.
};

/// Plays one seed, and gives the hash of its run.
std::uint64_t play(std::uint64_t seed, Subject subject, std::ostream* log, Totals& totals) {
  if (subject == Subject::commands) {
    const auto outcome = simulation::commands::run(seed, log);
    totals.steps += outcome.steps;
    return outcome.trace;
  }
  if (subject == Subject::tasks) {
    const auto outcome = simulation::tasks::run(simulation::tasks::make_scenario(seed), log);
    totals.steps += outcome.steps;
    totals.things += outcome.tasks;
    return outcome.trace;
  }
  simulation::run_hooks(seed);
  const auto outcome = simulation::run(simulation::make_scenario(seed), log);
  totals.steps += outcome.steps;
  totals.things += outcome.spawns;
  return outcome.trace;
}

/// Seed and the command that shows it again; true when every invariant held.
bool survives(std::uint64_t seed, Subject subject, bool verbose, Totals& totals) {
  try {
    Totals again;
    const std::uint64_t trace = play(seed, subject, verbose ? &std::cout : nullptr, totals);
    if (seed % 1000 == 0 && play(seed, subject, nullptr, again) != trace) {
      throw simulation::Violation("the same seed gives the same run");
    }
    return true;
  } catch (const simulation::Violation& violation) {
    std::cout << "seed " << seed << ": broken: " << violation.what() << "\n"
              << "  see it: ./dev simulate "
              << (subject == Subject::tasks      ? "--tasks "
                  : subject == Subject::commands ? "--commands "
                                                 : "")
              << "--seed " << seed << " --verbose\n";
    return false;
  }
}

std::uint64_t number_after(int argc, char** argv, const char* name, std::uint64_t otherwise) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], name) == 0) {
      return std::strtoull(argv[i + 1], nullptr, 10);
    }
  }
  return otherwise;
}

bool has(int argc, char** argv, const char* name) {
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], name) == 0) {
      return true;
    }
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (has(argc, argv, "--help")) {
    std::cout << "simulate [--tasks | --commands] [--seeds N] [--from S] [--keep-going]   run N scenarios (100000)\n"
                 "simulate [--tasks | --commands] --seed S [--verbose]                    run one, told in words\n"
                 "--tasks: of who is given which task, instead of who is started and stopped\n"
                 "--commands: of workers that somebody tells to start, stop, restart, and how many they are\n";
    return 0;
  }
  const bool one = has(argc, argv, "--seed");
  const std::uint64_t first = one ? number_after(argc, argv, "--seed", 0) : number_after(argc, argv, "--from", 1);
  const std::uint64_t count = one ? 1 : number_after(argc, argv, "--seeds", 100'000);
  const bool keep_going = has(argc, argv, "--keep-going");
  const bool tasks = has(argc, argv, "--tasks");
  const Subject subject = tasks ? Subject::tasks : has(argc, argv, "--commands") ? Subject::commands : Subject::supervisor;
  Totals totals;
  std::uint64_t broken = 0;
  const auto begun = std::chrono::steady_clock::now();
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    if (!survives(seed, subject, has(argc, argv, "--verbose"), totals)) {
      ++broken;
      if (!keep_going) {
        return 1;
      }
    }
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  std::cout << count << " schedules, " << totals.steps << " steps, " << totals.things << (tasks ? " tasks, " : " launches, ")
            << broken << " broken; " << static_cast<std::uint64_t>(static_cast<double>(count) / took.count())
            << " schedules a second\n";
  return broken == 0 ? 0 : 1;
}
