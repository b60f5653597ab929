// Commands: what they do, and when they are answered.
#include <doctest/doctest.h>

#include <csignal>

#include "tests/unit/core/driver.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::core::testing;

namespace {

void two(PlannedProgram& planned) { resize(planned, 2); }
void three(PlannedProgram& planned) { resize(planned, 3); }
void one_of_a_kind(PlannedProgram& planned) { planned.spec.launch.command = {"x", "{index}/{workers}"}; }

}  // namespace

TEST_CASE("a stop is answered when the process is gone, and the worker stays down") {
  Driver d;
  d.start({program("a", two)});
  d.up("a/0");
  d.up("a/1");
  CHECK(d.command(StopWorkers{d.ids({"a/0"})}) == "signal a/0#1 TERM; signal a/0#1 CONT");
  CHECK(d.ends("a/0", KilledBy{SIGTERM}) == "drain a/0#1; sweep a/0#1; answer 1: done 1");
  CHECK(d.state("a/0") == "stopped");
  CHECK(d.state("a/1") == "running");
  SUBCASE("through a reload that changes it") {
    CHECK(d.reload({program("a", [](auto& p) {
      two(p);
      p.spec.launch.command = {"other"};
    })}) == "signal a/1#1 TERM; signal a/1#1 CONT");
    CHECK(d.state("a/0") == "stopped");
  }
  SUBCASE("and keeps the supervisor from finishing") {
    CHECK(d.ends("a/1", ExitedWith{0}) == "drain a/1#1; sweep a/1#1");
    CHECK(d.phase() == Phase::running);
    CHECK(d.command(StartWorkers{d.ids({"a/0"})}) == "spawn a/0#2");
    d.up("a/0");
    d.ends("a/0", ExitedWith{0});
    CHECK(d.phase() == Phase::sweeping);
  }
  SUBCASE("until it is asked for again") {
    CHECK(d.command(StartWorkers{d.ids({"a/0"})}) == "spawn a/0#2");
    CHECK(d.up("a/0") == "answer 2: done 1");
  }
  SUBCASE("but does not keep it from stopping") {
    d.signal(SIGTERM);
    d.ends("a/1", KilledBy{SIGTERM});
    CHECK(d.phase() == Phase::sweeping);
  }
}

TEST_CASE("who has finished by himself is not held by a stop") {
  Driver d;
  d.start({program("a"), program("b")});
  d.up("a/0");
  d.up("b/0");
  d.ends("a/0", ExitedWith{0});
  CHECK(d.command(StopWorkers{d.ids({"a/0"})}) == "answer 1: done 1");
  CHECK(d.state("a/0") == "exited");
  d.ends("b/0", ExitedWith{0});
  CHECK(d.phase() == Phase::sweeping);
}

TEST_CASE("who ends while he is being stopped is not held") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  d.exits("a/0", ExitedWith{0});
  CHECK(d.command(StopWorkers{d.ids({"a/0"})}).empty());
  d.output_closes("a/0");
  CHECK(d.is_swept("a/0").ends_with("answer 1: done 1; sweep all"));
  CHECK(d.state("a/0") == "exited");
}

TEST_CASE("a worker in backoff is stopped at once, and started at once") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  d.ends("a/0", ExitedWith{1});
  REQUIRE(d.state("a/0") == "backoff");
  SUBCASE("stop") {
    CHECK(d.command(StopWorkers{d.ids({"a/0"})}) == "answer 1: done 1");
    CHECK(d.state("a/0") == "stopped");
    CHECK_FALSE(d.due());
  }
  SUBCASE("start") {
    CHECK(d.command(StartWorkers{d.ids({"a/0"})}) == "spawn a/0#2");
    CHECK(d.up("a/0") == "answer 1: done 1");
  }
}

TEST_CASE("a start of what runs is true at once; of what starts, when it runs") {
  Driver d;
  d.start({program("a")});
  CHECK(d.command(StartWorkers{d.ids({"a/0"})}).empty());
  CHECK(d.up("a/0") == "answer 1: done 1");
  CHECK(d.command(StartWorkers{d.ids({"a/0"})}) == "answer 2: done 1");
}

TEST_CASE("a start during a stop begins the next life when this one is over") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  d.command(StopWorkers{d.ids({"a/0"})});
  CHECK(d.command(StartWorkers{d.ids({"a/0"})}) == "answer 1: overtaken 0 by a/0");
  CHECK(d.ends("a/0", KilledBy{SIGTERM}) == "drain a/0#1; sweep a/0#1; spawn a/0#2");
  CHECK(d.up("a/0") == "answer 2: done 1");
}

TEST_CASE("a restart is answered when the next process runs") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  CHECK(d.command(RestartWorkers{d.ids({"a/0"}), {}}) == "signal a/0#1 TERM; signal a/0#1 CONT");
  CHECK(d.ends("a/0", KilledBy{SIGTERM}) == "drain a/0#1; sweep a/0#1; spawn a/0#2");
  CHECK(d.said("restarted"));
  SUBCASE("well") { CHECK(d.up("a/0") == "answer 1: done 1"); }
  SUBCASE("not at all") { CHECK(d.launch_fails("a/0") == "answer 1: failed 0 by a/0"); }
  SUBCASE("or everything stops") { CHECK(d.signal(SIGTERM).find("answer 1: stopping 0") != std::string::npos); }
  SUBCASE("or somebody stops it") {
    CHECK(d.command(StopWorkers{d.ids({"a/0"})}).find("answer 1: overtaken 0 by a/0") != std::string::npos);
  }
}

TEST_CASE("a failed program is started again by hand, its past forgotten") {
  Driver d;
  d.start({program("a", [](auto& p) { p.spec.restart.limit = RestartLimit{0, 60s}; }), program("b")});
  d.up("b/0");
  d.up("a/0");
  d.ends("a/0", ExitedWith{1});
  REQUIRE(d.state("a/0") == "failed");
  CHECK(d.command(StartWorkers{d.ids({"a/0"})}) == "spawn a/0#2");
  CHECK(d.up("a/0") == "answer 1: done 1");
}

TEST_CASE("a signal goes to the processes that there are") {
  Driver d;
  d.start({program("a", two), program("b")});
  d.up("a/0");
  d.up("b/0");
  d.ends("b/0", ExitedWith{0});
  CHECK(d.command(SignalWorkers{d.ids({"a/0", "b/0"}), SIGUSR1}) == "signal a/0#1 USR1; answer 1: done 1");
}

TEST_CASE("a shutdown is a stop with another cause") {
  Driver d;
  d.start({program("a")}, true);
  d.up("a/0");
  CHECK(d.command(ShutDown{}) == "signal a/0#1 TERM; signal a/0#1 CONT; answer 1: done 1");
  CHECK(d.command(StartWorkers{d.ids({"a/0"})}) == "answer 2: stopping 0");
  CHECK(d.command(ShutDown{}) == "answer 3: done 1");
  d.ends("a/0", KilledBy{SIGTERM});
  CHECK(d.all_swept() == "exit 0");
}

TEST_CASE("more workers: those that there are go on") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  CHECK(d.rescale({program("a", three)}) == "spawn a/1#1; spawn a/2#1");
  CHECK(d.said("kept 1, replaced 0, started 2, stopped 0"));
  d.up("a/1");
  CHECK(d.up("a/2") == "answer 1: done 2");
  SUBCASE("and fewer: the last ones go") {
    CHECK(d.rescale({program("a")}) == "signal a/1#1 TERM; signal a/1#1 CONT; signal a/2#1 TERM; signal a/2#1 CONT");
    d.ends("a/2", KilledBy{SIGTERM});
    CHECK(d.ends("a/1", KilledBy{SIGTERM}) == "drain a/1#1; sweep a/1#1; answer 2: done 2");
    CHECK_THROWS(d.state("a/1"));
  }
  SUBCASE("and more again before the last have gone") {
    d.rescale({program("a")});
    CHECK(d.rescale({program("a", two)}).empty());
    CHECK(d.ends("a/2", KilledBy{SIGTERM}) == "drain a/2#1; sweep a/2#1; answer 2: overtaken 1 by a/1");
    CHECK(d.ends("a/1", KilledBy{SIGTERM}) == "drain a/1#1; sweep a/1#1; spawn a/1#2");
    CHECK(d.up("a/1") == "answer 3: done 2");
  }
}

TEST_CASE("what is told of a scaling is told of that program") {
  Driver d;
  d.start({program("a"), program("b", two)});
  d.rescale({program("a", three), program("b", two)});
  CHECK(d.said("scaled to 3: kept 1, replaced 0, started 2, stopped 0"));
}

TEST_CASE("workers that make something of their number are all replaced") {
  Driver d;
  d.start({program("a", one_of_a_kind)});
  d.up("a/0");
  CHECK(d.rescale({program("a", [](auto& p) {
    one_of_a_kind(p);
    two(p);
  })}) == "signal a/0#1 TERM; signal a/0#1 CONT; spawn a/1#1");
}

TEST_CASE("a reload is answered when all that it touches is where it belongs") {
  Driver d;
  d.start({program("a"), program("b"), program("c")});
  d.up("a/0");
  d.up("b/0");
  d.up("c/0");
  d.reload_and_wait({program("a", [](auto& p) { p.spec.launch.command = {"other"}; }), program("b"), program("d")});
  d.ends("c/0", KilledBy{SIGTERM});
  d.up("d/0");
  d.ends("a/0", KilledBy{SIGTERM});
  CHECK(d.up("a/0") == "answer 1: done 3");
  CHECK(d.reload_and_wait({program("a", [](auto& p) { p.spec.launch.command = {"other"}; }), program("b"), program("d")}) ==
        "answer 2: done 0");
}

TEST_CASE("too many commands under way are refused") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  for (std::size_t i = 0; i < most_commands; ++i) {
    d.command(StopWorkers{d.ids({"a/0"})});
  }
  CHECK(d.command(StopWorkers{d.ids({"a/0"})}) == "answer 65: busy");
}

TEST_CASE("while everything stops a stop is waited for, and whoever cleans up may be told something") {
  Driver d;
  d.start({program("a", two)});
  d.up("a/0");
  d.up("a/1");
  d.signal(SIGTERM);
  CHECK(d.command(StopWorkers{d.ids({"a/0"})}).empty());
  CHECK(d.command(SignalWorkers{d.ids({"a/1"}), SIGUSR1}) == "signal a/1#1 USR1; answer 2: done 1");
  CHECK(d.ends("a/0", KilledBy{SIGTERM}).ends_with("answer 1: done 1"));
  CHECK(d.command(StopWorkers{d.ids({"a/0"})}) == "answer 3: done 1");
  CHECK(d.command(RestartWorkers{d.ids({"a/0"}), {}}) == "answer 4: stopping 0");
  CHECK(d.ends("a/1", KilledBy{SIGTERM}).ends_with("sweep all"));
  CHECK(d.command(StopWorkers{d.ids({"a/0", "a/1"})}) == "answer 5: done 2");
}
