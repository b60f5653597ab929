// How a trial ends that is neither passed nor undone, and what comes of one that was lost.
#include <doctest/doctest.h>

#include "tests/unit/core/trials.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::core::testing;

TEST_CASE("the culprit of a lost trial does not slip through in the next one") {
  Driver d;
  begin_trial_of_one_of_two(d);
  d.up("a/0");
  REQUIRE(d.ends("a/0", ExitedWith{1}).ends_with("restore 1"));
  SUBCASE("the same once more") {
    CHECK(d.try_out({newer("a"), older("b")}) == "restore 2; answer 1: failed 0 by a/0");
    CHECK(d.said("reloaded on trial: kept 2"));
  }
  SUBCASE("with something else") { CHECK(d.try_out({newer("a"), newer("b")}).find("restore 2") != std::string::npos); }
  CHECK(d.said("trial failed by a/0"));
  CHECK(d.restore({older("a"), older("b")}, 1).empty());
  CHECK(d.restore({older("a"), older("b")}, 2).starts_with("spawn a/0#3"));
}

TEST_CASE("the culprit of a lost trial that is not restarted is one all the same, unless the next one is without it") {
  PlannedProgram given_up = newer("a");
  given_up.spec.restart.when = RestartWhen::never;
  Driver d;
  d.start({older("a"), older("b")});
  d.up("a/0");
  d.up("b/0");
  d.try_out({given_up, older("b")});
  d.ends("a/0", KilledBy{SIGTERM});
  d.up("a/0");
  REQUIRE(d.ends("a/0", ExitedWith{1}).ends_with("restore 1"));
  SUBCASE("with it") { CHECK(d.try_out({given_up, newer("b")}).find("restore 2") != std::string::npos); }
  SUBCASE("without it") { CHECK(d.try_out({newer("b")}).find("restore 2") == std::string::npos); }
}

TEST_CASE("what a trial kept from shutting everything down does so when the new configuration stays") {
  for (const bool at_limit : {true, false}) {
    for (const bool insists : {true, false}) {
      CAPTURE(at_limit);
      CAPTURE(insists);
      Driver d;
      d.start({older("a"), older("b")});
      d.up("a/0");
      d.up("b/0");
      PlannedProgram strict = newer("a");
      strict.spec.restart.then = ThenDo::shutdown;
      if (at_limit) {
        strict.spec.restart.limit = RestartLimit{0, 60s};
      } else {
        strict.spec.restart.when = RestartWhen::never;
      }
      d.try_out({strict, older("b")});
      d.ends("a/0", KilledBy{SIGTERM});
      d.up("a/0");
      REQUIRE(d.ends("a/0", ExitedWith{1}).ends_with("restore 1"));
      insists ? d.reload({strict, older("b")}) : d.tell(RestoreFailed{TrialId{1}});
      CHECK(d.said("shutdown by failure of 1"));
      CHECK(d.phase() == Phase::stopping);
    }
  }
}

TEST_CASE("a reload without a trial ends that of the one before, and says so") {
  Driver d;
  begin_trial(d);
  d.up("a/0");
  d.reload({newer()});
  CHECK(d.said("trial ended by a reload"));
}

TEST_CASE("workers that a scaling brings during a trial have to prove themselves too") {
  Driver d;
  begin_trial(d);
  d.up("a/0");
  PlannedProgram two = newer();
  resize(two, 2);
  CHECK(d.rescale({two}) == "spawn a/1#1");
  d.up("a/1");
  d.pass(500ms);
  CHECK(d.ends("a/1", ExitedWith{1}).ends_with("restore 1"));
}
