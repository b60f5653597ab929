// simulate --seeds N [--from S]: N scenarios from seed S on. simulate --seed S --verbose: one of them in words.
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>

#include "tests/simulation/checker.hpp"
#include "tests/simulation/run.hpp"

namespace {

using corral::simulation::make_scenario;
using corral::simulation::Outcome;
using corral::simulation::run;
using corral::simulation::Violation;

/// Seed and the command that shows it again; true when every invariant held.
bool survives(std::uint64_t seed, std::uint64_t& steps, std::uint64_t& spawns, bool verbose) {
  try {
    const auto scenario = make_scenario(seed);
    const Outcome outcome = run(scenario, verbose ? &std::cout : nullptr);
    steps += outcome.steps;
    spawns += outcome.spawns;
    if (seed % 1000 == 0 && run(scenario).trace != outcome.trace) {
      throw Violation("the same seed gives the same run");
    }
    return true;
  } catch (const Violation& violation) {
    std::cout << "seed " << seed << ": broken: " << violation.what() << "\n"
              << "  see it: ./dev simulate --seed " << seed << " --verbose\n";
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
    std::cout << "simulate [--seeds N] [--from S] [--keep-going]   run N scenarios (100000)\n"
                 "simulate --seed S [--verbose]                    run one, told in words\n";
    return 0;
  }
  const bool one = has(argc, argv, "--seed");
  const std::uint64_t first = one ? number_after(argc, argv, "--seed", 0) : number_after(argc, argv, "--from", 1);
  const std::uint64_t count = one ? 1 : number_after(argc, argv, "--seeds", 100'000);
  const bool keep_going = has(argc, argv, "--keep-going");
  std::uint64_t steps = 0;
  std::uint64_t spawns = 0;
  std::uint64_t broken = 0;
  const auto begun = std::chrono::steady_clock::now();
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    if (!survives(seed, steps, spawns, has(argc, argv, "--verbose"))) {
      ++broken;
      if (!keep_going) {
        return 1;
      }
    }
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  std::cout << count << " schedules, " << steps << " steps, " << spawns << " launches, " << broken << " broken; "
            << static_cast<std::uint64_t>(static_cast<double>(count) / took.count()) << " schedules a second\n";
  return broken == 0 ? 0 : 1;
}
