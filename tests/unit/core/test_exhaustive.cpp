// Every sequence of events up to a length, on one and two workers, as far as a kernel could produce it. After each event
// the invariants hold, and from each end a stop comes to its end: nothing that can happen in a few steps leads into a
// place from which there is no way out.
#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

#include "tests/simulation/world.hpp"
#include "tests/unit/core/driver.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::core::testing;
using corral::simulation::World;

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr int shorter = 2;  // Sanitizers cost a factor of ten, each event one of three.
#else
constexpr int shorter = 0;
#endif

struct Walk {
  std::uint64_t sequences = 0;
  std::string path;

  void explore(const World& world, int length) {
    for (std::size_t choice = 0;; ++choice) {
      World next = world;
      std::string told;
      const std::size_t mark = path.size();
      try {
        if (!next.happen(choice, told)) {
          break;
        }
        path += (path.empty() ? "" : ", ") + told;
        ++sequences;
        if (!next.over() && length > 1) {
          explore(next, length - 1);
        } else if (!next.over()) {
          next.stop();
        }
      } catch (const std::logic_error& broken) {
        FAIL("after: ", path, ", ", told, ": broken: ", std::string(broken.what()));
      }
      path.resize(mark);
    }
  }
};

Plan plan_of(std::vector<PlannedProgram> programs) {
  Plan plan{std::move(programs), false};
  for (PlannedProgram& planned : plan.programs) {
    planned.id = ProgramId{planned.spec.name == "a" ? 0U : 1U};
  }
  return plan;
}

void explore(const Options& options, const std::vector<Plan>& plans, int length, bool commanded = false) {
  Walk walk;
  walk.explore(World(options, plans, commanded), length - shorter);
  MESSAGE(walk.sequences, " sequences");
  CHECK(walk.sequences > 1000);
}

}  // namespace

TEST_CASE("every sequence on one worker") {
  explore({}, {plan_of({program("a", [](auto& p) { p.spec.restart.limit = RestartLimit{2, 60s}; })})}, 10);
}

TEST_CASE("every sequence on two workers that are launched one after the other") {
  Options options;
  options.launches_at_once = 1;
  explore(options,
          {plan_of({program("a",
                            [](auto& p) {
                              resize(p, 2);
                              p.spec.restart.limit = RestartLimit{1, 60s};
                              p.spec.restart.delay = 0s;
                            })})},
          8);
}

TEST_CASE("every sequence with reloads that change, scale, remove and bring back") {
  const Plan first = plan_of({program("a"), program("b")});
  const Plan changed = plan_of({program("a", [](auto& p) {
    p.spec.launch.command = {"other"};
    resize(p, 2);
  })});
  const Plan without = plan_of({program("b")});
  Options options;
  options.launches_at_once = 2;
  explore(options, {first, changed, without}, 6);
}

TEST_CASE("every sequence on one worker that is commanded") {
  explore({}, {plan_of({program("a", [](auto& p) { p.spec.restart.limit = RestartLimit{1, 60s}; })})}, 6, true);
}

TEST_CASE("every sequence on two workers that are commanded and scaled") {
  const Plan one = plan_of({program("a")});
  const Plan two = plan_of({program("a", [](auto& p) { resize(p, 2); })});
  Options options;
  options.launches_at_once = 2;
  explore(options, {two, one}, 5, true);
}

TEST_CASE("every sequence on one fed worker") {
  Options options;
  options.tasks = true;
  explore(options,
          {plan_of({program("a",
                            [](auto& p) {
                              p.spec.restart.when = RestartWhen::always;
                              p.spec.restart.limit = RestartLimit{1, 60s};
                              p.spec.restart.then = ThenDo::shutdown;
                            })})},
          7);
}

TEST_CASE("every sequence on one transparent worker with a grace") {
  Options options;
  options.transparent = Transparent{{}, true};
  explore(options, {plan_of({program("a", [](auto& p) { p.spec.restart.when = RestartWhen::always; })})}, 9);
}
