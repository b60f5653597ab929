// Rolling restarts: one after another, each healthy before the next goes.
#include <doctest/doctest.h>

#include <csignal>

#include "tests/unit/core/driver.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::core::testing;

namespace {

/// Three workers that always come back, healthy after 2 s.
void three(PlannedProgram& planned) {
  resize(planned, 3);
  planned.spec.restart.when = RestartWhen::always;
  planned.spec.restart.healthy_after = 2s;
}

void all_up(Driver& d) {
  d.start({program("a", three)});
  d.up("a/0");
  d.up("a/1");
  d.up("a/2");
}

/// The next life of one that was told to stop.
void next_life(Driver& d, std::string_view worker) {
  d.ends(worker, KilledBy{SIGTERM});
  d.up(worker);
}

const std::string next_goes = "signal a/1#1 TERM; signal a/1#1 CONT";

}  // namespace

TEST_CASE("a rolling restart takes one after another, and each has to become healthy") {
  Driver d;
  all_up(d);
  CHECK(d.command(RestartWorkers{d.ids({"a/0", "a/1", "a/2"}), Rolling{1}}) == "signal a/0#1 TERM; signal a/0#1 CONT");
  CHECK(d.said("roll of 3 begun, by 1, of one"));
  d.ends("a/0", KilledBy{SIGTERM});
  CHECK(d.up("a/0").empty());
  CHECK(d.due() == Duration(2s));
  SUBCASE("all do") {
    CHECK(d.pass(2s) == "signal a/1#1 TERM; signal a/1#1 CONT");
    d.ends("a/1", KilledBy{SIGTERM});
    d.up("a/1");
    CHECK(d.pass(2s) == "signal a/2#1 TERM; signal a/2#1 CONT");
    d.ends("a/2", KilledBy{SIGTERM});
    CHECK(d.up("a/2").empty());
    CHECK(d.pass(2s) == "answer 1: done 3");
    CHECK(d.said("roll ended: answer 0: done 3, left 0"));
  }
  SUBCASE("the first does not: no other is touched") {
    CHECK(d.ends("a/0", ExitedWith{1}) == "drain a/0#2; sweep a/0#2; answer 1: failed 0 by a/0");
    CHECK(d.said("roll ended: answer 0: failed 0 by a/0, left 2"));
    CHECK(d.pass(100ms) == "spawn a/0#3");
    d.up("a/0");
    CHECK(d.pass(1h).empty());
    CHECK(d.state("a/1") == "running");
  }
  SUBCASE("a shutdown ends it") {
    CHECK(d.signal(SIGTERM).starts_with("answer 1: stopping 0; signal a/0#2"));
    CHECK(d.due() != Duration(2s));
  }
}

TEST_CASE("whoever is told something else while a rolling restart is under way is left out of it, and ends it") {
  Driver d;
  all_up(d);
  d.command(RestartWorkers{d.ids({"a/0", "a/1", "a/2"}), Rolling{1}});
  CHECK(d.command(StopWorkers{d.ids({"a/2"})}) == "signal a/2#1 TERM; signal a/2#1 CONT; answer 1: overtaken 0 by a/2");
  d.ends("a/0", KilledBy{SIGTERM});
  d.up("a/0");
  d.pass(1h);
  CHECK(d.state("a/1") == "running");
}

TEST_CASE("a start of those that run changes nothing for a rolling restart; one of those that do not run ends it") {
  Driver d;
  all_up(d);
  d.command(RestartWorkers{d.ids({"a/0", "a/1", "a/2"}), Rolling{1}});
  CHECK(d.command(StartWorkers{d.ids({"a/1", "a/2"})}) == "answer 2: done 2");
  next_life(d, "a/0");
  SUBCASE("of those that run") {
    CHECK(d.command(StartWorkers{d.ids({"a/0", "a/1", "a/2"})}) == "answer 3: done 3");
    CHECK(d.pass(2s) == next_goes);
  }
  SUBCASE("of one that does not") {
    d.ends("a/2", ExitedWith{1});
    CHECK(d.command(StartWorkers{d.ids({"a/2"})}).starts_with("spawn a/2#2"));
    CHECK(d.said("roll ended: answer 0: overtaken 0 by a/2, left 2"));
  }
}

TEST_CASE("one of several programs does not say whose it is") {
  Driver d;
  d.start({program("a"), program("b")});
  d.command(RestartWorkers{d.ids({"a/0", "b/0"}), Rolling{1}});
  CHECK(d.said("roll of 2 begun, by 1"));
  CHECK_FALSE(d.said("of one"));
}

TEST_CASE("two at once") {
  Driver d;
  all_up(d);
  CHECK(d.command(RestartWorkers{d.ids({"a/0", "a/1", "a/2"}), Rolling{2}}) ==
        "signal a/0#1 TERM; signal a/0#1 CONT; signal a/1#1 TERM; signal a/1#1 CONT");
  d.ends("a/1", KilledBy{SIGTERM});
  CHECK(d.up("a/1").empty());
  CHECK(d.pass(2s) == "signal a/2#1 TERM; signal a/2#1 CONT");
}

TEST_CASE("a pause comes on top of becoming healthy") {
  Driver d;
  all_up(d);
  d.command(RestartWorkers{d.ids({"a/0", "a/1"}), Rolling{1, 3s}});
  next_life(d, "a/0");
  CHECK(d.pass(4900ms).empty());
  SUBCASE("the next goes when it is over") { CHECK(d.pass(100ms) == next_goes); }
  SUBCASE("who does not live through it ends it") {
    CHECK(d.ends("a/0", ExitedWith{1}).find("answer 1: failed 0 by a/0") != std::string::npos);
  }
}

TEST_CASE("who has shown that it works is healthy before its time") {
  Driver d;
  all_up(d);
  d.command(RestartWorkers{d.ids({"a/0", "a/1"}), Rolling{1}});
  next_life(d, "a/0");
  CHECK(d.tell(WorkerJudged{d.life("a/0"), WorkerJudged::As::proven}) == next_goes);
}

TEST_CASE("one that was healthy already and fails while others are to go ends it") {
  Driver d;
  all_up(d);
  d.command(RestartWorkers{d.ids({"a/0", "a/1", "a/2"}), Rolling{1}});
  next_life(d, "a/0");
  CHECK(d.pass(2s) == next_goes);
  next_life(d, "a/1");
  d.pass(1s);
  SUBCASE("by a crash") {
    CHECK(d.ends("a/0", KilledBy{SIGSEGV}) == "drain a/0#2; sweep a/0#2; spawn a/0#3; answer 1: failed 1 by a/0");
    d.pass(1h);
    CHECK(d.state("a/2") == "running");
    CHECK(d.worker("a/2").incarnation == Incarnation{1});
  }
  SUBCASE("not by an end that its policy calls a success, or that somebody asked for") {
    SUBCASE("a restart") {
      d.command(RestartWorkers{d.ids({"a/0"}), {}});
      next_life(d, "a/0");
      CHECK(d.ends("a/0", ExitedWith{1}).find("answer 1") == std::string::npos);
    }
    SUBCASE("success") { CHECK(d.ends("a/0", ExitedWith{0}) == "drain a/0#2; sweep a/0#2; spawn a/0#3"); }
    SUBCASE("a stop") {
      d.command(StopWorkers{d.ids({"a/0"})});
      CHECK(d.ends("a/0", KilledBy{SIGTERM}).find("answer 1") == std::string::npos);
    }
    CHECK(d.pass(1s).find("signal a/2#1 TERM") != std::string::npos);
  }
  SUBCASE("also when the last is about to become healthy: it is not said that all went well") {
    CHECK(d.pass(1s) == "signal a/2#1 TERM; signal a/2#1 CONT");
    next_life(d, "a/2");
    d.pass(1s);
    CHECK(d.ends("a/0", KilledBy{SIGSEGV}) == "drain a/0#2; sweep a/0#2; spawn a/0#3; answer 1: failed 2 by a/0");
  }
}

TEST_CASE("one of a rolling restart that ends well soon has run, also while its last output is read") {
  Driver d;
  d.start({program("a", [](auto& p) { p.spec.restart.when = RestartWhen::on_failure; })});
  d.up("a/0");
  d.command(RestartWorkers{d.ids({"a/0"}), Rolling{1}});
  d.ends("a/0", KilledBy{SIGTERM});
  d.up("a/0");
  CHECK(d.exits("a/0", ExitedWith{0}) == "drain a/0#2; sweep a/0#2");
  d.output_closes("a/0");
  CHECK(d.is_swept("a/0").find("answer 1: done 1") != std::string::npos);
}
