// What the kernel, or somebody else, does not let go of.
#include <doctest/doctest.h>

#include <cerrno>
#include <csignal>

#include "tests/unit/core/driver.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::core::testing;

namespace {

/// A launch that hangs, and a process that SIGKILL does not end.
void make_unkillable(Driver& d) {
  d.spawned("a/0");
  d.pass(5s);   // start_timeout: SIGKILL
  d.pass(10s);  // patience
}

PlannedProgram impatient(std::uint32_t workers = 1) {
  return program("a", [&](auto& p) {
    resize(p, workers);
    p.spec.start_timeout = 5s;
  });
}

}  // namespace

TEST_CASE("output that a survivor holds open is waited for a moment only") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  d.exits("a/0", ExitedWith{1});
  d.is_swept("a/0");
  CHECK(d.due() == Duration(250ms));
  CHECK(d.pass(250ms) == "abandon a/0#1");
  CHECK(d.said("a/0#1 output held"));
  CHECK(d.said("restart 1 in 100 ms"));
  CHECK(d.state("a/0") == "backoff");
}

TEST_CASE("a worker that closed its output long ago is not drained") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  CHECK(d.output_closes("a/0").empty());
  CHECK(d.state("a/0") == "running");
  CHECK(d.exits("a/0", ExitedWith{1}) == "sweep a/0#1");
  d.is_swept("a/0");
  CHECK(d.state("a/0") == "backoff");
}

TEST_CASE("no life begins before the descendants of the last one are gone") {
  Driver d;
  d.start({program("a", [](auto& p) { p.spec.restart.delay = 0s; })});
  d.up("a/0");
  d.exits("a/0", ExitedWith{1});
  d.output_closes("a/0");
  CHECK(d.pass(100ms) == "sweep a/0#1");
  CHECK(d.pass(100ms) == "sweep a/0#1");
  CHECK(d.is_swept("a/0") == "spawn a/0#2");
}

TEST_CASE("descendants that cannot be killed end the slot, not the supervisor") {
  Driver d;
  d.start({program("a"), program("b")});
  d.up("a/0");
  d.up("b/0");
  d.exits("a/0", ExitedWith{1});
  // Its output ends with the sweep, since another life would follow: nobody holds it meanwhile.
  CHECK_FALSE(d.pass(300ms).contains("abandon"));
  CHECK(d.pass(10s).ends_with("sweep a/0#1; abandon a/0#1"));
  CHECK(d.said("survivors"));
  CHECK(d.state("a/0") == "failed");
  CHECK(d.state("b/0") == "running");
  CHECK_FALSE(d.due());
  SUBCASE("gone after all: the slot is used again") {
    CHECK(d.is_swept("a/0") == "spawn a/0#2");
    CHECK(d.is_swept("a/0#1").empty());
  }
  SUBCASE("for ever: the exit status says so") {
    d.signal(SIGTERM);
    d.ends("b/0", ExitedWith{0});
    d.all_swept();
    CHECK(d.exit_status() == 3);
  }
}

TEST_CASE("a process that SIGKILL does not end keeps its slot") {
  Driver d;
  d.start({impatient(), program("b")});
  d.up("b/0");
  make_unkillable(d);
  CHECK(d.said("a/0#1 unkillable"));
  CHECK(d.state("a/0") == "failed");
  CHECK(d.worker("a/0").pid == 4000);
  SUBCASE("gone after all: swept, then used again") {
    CHECK(d.exits("a/0", KilledBy{SIGKILL}) == "sweep a/0#1");
    CHECK(d.said("gone at last"));
    CHECK(d.state("a/0") == "failed");
    CHECK(d.is_swept("a/0") == "spawn a/0#2");
  }
  SUBCASE("a reload does not use it either") {
    CHECK(d.reload({program("a"), program("b")}).empty());
    CHECK(d.reload({program("a", [](auto& p) { p.spec.launch.command = {"other"}; }), program("b")}).empty());
    CHECK(d.state("a/0") == "failed");
    d.exits("a/0", KilledBy{SIGKILL});
    CHECK(d.is_swept("a/0") == "spawn a/0#2");
  }
  SUBCASE("its program leaves the configuration only with it") {
    CHECK(d.reload({program("b")}).empty());
    d.exits("a/0", KilledBy{SIGKILL});
    CHECK(d.is_swept("a/0") == "forget 0");
  }
  SUBCASE("a stop does not wait for it, and reports it") {
    d.signal(SIGTERM);
    CHECK(d.ends("b/0", ExitedWith{0}).ends_with("sweep all"));
    CHECK(d.pass(10s).ends_with("exit 3"));
    CHECK(d.said("left behind"));
  }
}

TEST_CASE("a signal that the kernel refuses is said once, with its reason and what is next") {
  Driver d;
  d.start({program("a"), program("b")});
  d.up("a/0");
  d.up("b/0");
  d.signal(SIGUSR1);
  CHECK(d.refuses("a/0", SIGUSR1, EPERM).empty());
  CHECK(d.notices() == "a/0#1 refused USR1 with 1\n");
  d.signal(SIGTERM);
  d.refuses("a/0", SIGTERM, EPERM);
  CHECK(d.notices().empty());
  d.refuses("a/0", SIGTERM, EINVAL);
  CHECK(d.notices() == "a/0#1 refused TERM with 22, killed in 10 s\n");
  d.ends("b/0", ExitedWith{0});
  CHECK(d.pass(10s) == "signal a/0#1 KILL");
  SUBCASE("SIGKILL too: it is given up, and the stop has failed") {
    CHECK(d.refuses("a/0", SIGKILL, EPERM).empty());
    CHECK(d.notices() == "a/0#1 refused KILL with 1, given up in 10 s\n");
    CHECK(d.pass(10s).ends_with("abandon a/0#1; sweep all"));
    CHECK(d.said("a/0#1 unkillable, refused with 1"));
    CHECK(d.state("a/0") == "failed");
    CHECK(d.pass(10s).ends_with("exit 3"));
  }
  SUBCASE("SIGKILL is taken, and has no effect") {
    CHECK(d.pass(10s).ends_with("abandon a/0#1; sweep all"));
    CHECK(d.said("a/0#1 unkillable\n"));
  }
  SUBCASE("it comes too late: the process is gone") {
    d.exits("a/0", KilledBy{SIGKILL});
    d.refuses("a/0", SIGKILL, EPERM);
    CHECK(d.notices().empty());
  }
}

TEST_CASE("a refusal is forgotten with its life") {
  Driver d;
  d.start({program("a", [](auto& p) { p.spec.restart.delay = 0s; })});
  d.up("a/0");
  d.refuses("a/0", SIGUSR1, EPERM);
  d.ends("a/0", ExitedWith{1});
  d.up("a/0");
  CHECK(d.refuses("a/0#1", SIGUSR1, EPERM).empty());
  CHECK(d.notices().empty());
  d.refuses("a/0", SIGUSR1, EPERM);
  CHECK(d.said("a/0#2 refused USR1"));
}

TEST_CASE("a launch that hung in exec and died before it frees its slot like any other") {
  // The disk came back: SIGKILL took effect, and the launcher reports that there never was a worker.
  Driver d;
  d.start({impatient(), program("b")});
  d.up("b/0");
  make_unkillable(d);
  CHECK(d.state("a/0") == "failed");
  CHECK(d.launch_fails("a/0", LaunchStep::killed, SIGKILL) == "sweep a/0#1");
  CHECK(d.said("gone at last"));
  CHECK_FALSE(d.said("broken promise"));
  CHECK(d.is_swept("a/0") == "spawn a/0#2");
}

TEST_CASE("a launch that hung and then succeeded is dead all the same") {
  Driver d;
  d.start({impatient(), program("b")});
  d.up("b/0");
  make_unkillable(d);
  CHECK(d.ready("a/0").empty());
  CHECK(d.notices().empty());
  CHECK(d.state("a/0") == "failed");
  CHECK(d.exits("a/0", KilledBy{SIGKILL}) == "sweep a/0#1");
}

TEST_CASE("a launch that is reported only after it was given up is known by its pid from then on") {
  Driver d;
  d.start({impatient(), program("b")});
  d.up("b/0");
  d.pass(15s);
  CHECK(d.said("unkillable"));
  CHECK(d.spawned("a/0").empty());
  CHECK(d.notices().empty());
  CHECK(d.worker("a/0").pid == 4000);
}

TEST_CASE("a hung launch frees its place among those under way") {
  Options options;
  options.launches_at_once = 1;
  Driver d(options);
  d.start({impatient(2)});
  CHECK(d.pass(15s) == "signal a/0#1 KILL; abandon a/0#1; spawn a/1#1");  // It was not even said to be spawned.
}

TEST_CASE("events of past lives are ignored") {
  Driver d;
  d.start({program("a", [](auto& p) { p.spec.restart.delay = 0s; })});
  d.up("a/0");
  d.ends("a/0", ExitedWith{1});
  d.up("a/0");
  REQUIRE(d.life("a/0").incarnation == Incarnation{2});
  for (const Event& stale :
       {Event(WorkerExited{d.life("a/0#1"), ExitedWith{1}}), Event(OutputClosed{d.life("a/0#1")}),
        Event(WorkerSwept{d.life("a/0#1")}), Event(SpawnFailed{d.life("a/0#1"), {}}), Event(WorkerSpawned{d.life("a/0#1"), 1}),
        Event(WorkerReady{d.life("a/0#1")}), Event(WorkerExited{d.life("a/0#3"), ExitedWith{1}}),
        Event(WorkerExited{d.life("a/7#1"), ExitedWith{1}})}) {
    CHECK(d.tell(stale).empty());
    CHECK(d.notices().empty());
    CHECK(d.state("a/0") == "running");
    CHECK(d.worker("a/0").pid == 4000);
  }
}

TEST_CASE("a report that cannot be is said to be one, and changes nothing") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  CHECK(d.ready("a/0").empty());
  CHECK(d.said("broken promise: ready while running"));
  CHECK(d.state("a/0") == "running");
}

TEST_CASE("a process that came and went before its launch was reported") {
  Options options;
  options.launches_at_once = 1;
  Driver d(options);
  d.start({program("a", [](auto& p) { resize(p, 2); })});
  CHECK(d.exits("a/0", ExitedWith{1}) == "drain a/0#1; sweep a/0#1; spawn a/1#1");
}

TEST_CASE("a kill by the kernel for lack of memory is told as such") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  d.tell(WorkerExited{d.life("a/0"), KilledBy{SIGKILL}, {}, true});
  d.output_closes("a/0");
  d.is_swept("a/0");
  CHECK(d.said("killed by signal 9 (Killed) out of memory after 0 us: restart 1"));
}
