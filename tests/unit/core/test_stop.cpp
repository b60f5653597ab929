// Stopping, in every state that a worker can be in.
#include <doctest/doctest.h>

#include <csignal>

#include "tests/unit/core/driver.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::core::testing;

TEST_CASE("a running worker gets its stop signal, then SIGCONT, and the supervisor waits for it") {
  Driver d;
  d.start({program("a", [](auto& p) { p.spec.stop.signal = SIGINT; })});
  d.up("a/0");
  CHECK(d.signal(SIGTERM) == "signal a/0#1 INT; signal a/0#1 CONT");
  CHECK(d.said("shutdown by TERM of 1"));
  CHECK(d.due() == Duration(10s));
  CHECK(d.ends("a/0", ExitedWith{0}) == "drain a/0#1; sweep all");
  CHECK(d.said("stopped"));
  CHECK(d.all_swept() == "exit 0");
}

TEST_CASE("a stop signal of SIGCONT is sent once") {
  Driver d;
  d.start({program("a", [](auto& p) { p.spec.stop.signal = SIGCONT; })});
  d.up("a/0");
  CHECK(d.signal(SIGTERM) == "signal a/0#1 CONT");
}

TEST_CASE("what does not stop within its grace is killed then and not before, and the exit status says so") {
  Driver d;
  d.start({program("a", [](auto& p) { p.spec.stop.grace = 3s; })});
  d.up("a/0");
  d.signal(SIGTERM);
  CHECK(d.pass(3s - 1ns).empty());
  CHECK(d.pass(1ns) == "signal a/0#1 KILL");
  CHECK(d.said("a/0#1 killed after 3 s"));
  d.ends("a/0", KilledBy{SIGKILL});
  CHECK(d.all_swept() == "exit 3");
}

TEST_CASE("a grace of nothing kills at the next look at the clock") {
  Driver d;
  d.start({program("a", [](auto& p) { p.spec.stop.grace = 0s; })});
  d.up("a/0");
  CHECK(d.signal(SIGTERM) == "signal a/0#1 TERM; signal a/0#1 CONT");
  CHECK(d.due() == Duration(0s));
  CHECK(d.pass(0s) == "signal a/0#1 KILL");
  d.ends("a/0", KilledBy{SIGKILL});
  CHECK(d.all_swept() == "exit 3");
}

TEST_CASE("a stop signal of SIGKILL is a stop as asked, not one that failed") {
  Driver d;
  d.start({program("a", [](auto& p) {
    p.spec.stop.signal = SIGKILL;
    p.spec.stop.grace = 1s;
  })});
  d.up("a/0");
  d.signal(SIGTERM);
  d.pass(1s);  // It takes its time to die.
  d.ends("a/0", KilledBy{SIGKILL});
  CHECK(d.all_swept() == "exit 0");
}

TEST_CASE("a worker that is starting is stopped too, and its failed launch is no failure then") {
  Driver d;
  d.start({program("a")});
  d.spawned("a/0");
  CHECK(d.signal(SIGTERM) == "signal a/0#1 TERM; signal a/0#1 CONT");
  CHECK(d.launch_fails("a/0", LaunchStep::killed, SIGTERM) == "sweep all");
  CHECK(d.said("killed failed: stopped"));
  CHECK(d.all_swept() == "exit 0");
}

TEST_CASE("a worker that turns out to run only after it was told to stop is still stopping") {
  Driver d;
  d.start({program("a")});
  CHECK(d.signal(SIGTERM) == "signal a/0#1 TERM; signal a/0#1 CONT");
  CHECK(d.up("a/0").empty());
  CHECK(d.state("a/0") == "stopping");
  CHECK(d.due() == Duration(10s));
}

TEST_CASE("a worker in backoff or waiting for its turn is down at once, and never starts") {
  Options options;
  options.launches_at_once = 1;
  Driver d(options);
  d.start({program("a", [](auto& p) { resize(p, 3); })});
  d.up("a/0");
  d.ends("a/0", ExitedWith{1});
  d.launch_fails("a/1");
  CHECK(d.state("a/0") == "backoff");
  CHECK(d.state("a/1") == "backoff");
  CHECK(d.state("a/2") == "starting");
  d.pass(100ms);
  CHECK(d.state("a/0") == "waiting");
  CHECK(d.signal(SIGTERM) == "signal a/2#1 TERM; signal a/2#1 CONT");
  CHECK(d.state("a/0") == "stopped");
  CHECK(d.state("a/1") == "stopped");
  CHECK(d.ends("a/2", ExitedWith{0}) == "drain a/2#1; sweep all");
}

TEST_CASE("a stop in the middle of backoff ends at once") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  d.ends("a/0", ExitedWith{1});
  CHECK(d.signal(SIGINT) == "sweep all");
  CHECK(d.all_swept() == "exit 0");
}

TEST_CASE("a worker whose end is being reported when everything is told to stop is not started again") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  d.exits("a/0", ExitedWith{1});
  CHECK(d.signal(SIGTERM).empty());
  d.output_closes("a/0");
  CHECK(d.is_swept("a/0") == "sweep all");
  CHECK(d.said("stopped"));
  CHECK(d.all_swept() == "exit 0");
}

TEST_CASE("a second SIGTERM or SIGINT kills at once") {
  Driver d;
  d.start({program("a", [](auto& p) { resize(p, 2); })});
  d.up("a/0");
  d.up("a/1");
  d.signal(SIGTERM);
  CHECK(d.signal(SIGINT) == "signal a/0#1 KILL; signal a/1#1 KILL");
  CHECK(d.said("shutdown forced by INT of 2"));
  CHECK(d.said("a/0#1 killed at once"));
  CHECK(d.signal(SIGINT).empty());
  d.ends("a/0", KilledBy{SIGKILL});
  d.ends("a/1", KilledBy{SIGKILL});
  CHECK(d.all_swept() == "exit 130");
}

TEST_CASE("a signal that comes twice within a moment was sent on by somebody, and asks once") {
  for (const int number : {SIGTERM, SIGINT}) {
    Driver d;
    d.start({program("a")});
    d.up("a/0");
    d.signal(number);
    d.pass(49ms);
    CHECK(d.signal(number).empty());
    CHECK(d.state("a/0") == "stopping");
    d.pass(1ms);
    CHECK(d.signal(number) == "signal a/0#1 KILL");
  }
}

TEST_CASE("a second signal while starting kills the launch") {
  Driver d;
  d.start({program("a")});
  d.signal(SIGTERM);
  d.pass(50ms);
  CHECK(d.signal(SIGTERM) == "signal a/0#1 KILL");
  d.launch_fails("a/0", LaunchStep::killed, SIGKILL);
  CHECK(d.all_swept() == "exit 143");
}

TEST_CASE("SIGQUIT stops without any grace, and does not claim that one had run out") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  CHECK(d.signal(SIGQUIT) == "signal a/0#1 KILL");
  CHECK(d.said("shutdown by QUIT of 1"));
  CHECK(d.said("a/0#1 killed at once"));
  d.ends("a/0", KilledBy{SIGKILL});
  CHECK(d.all_swept() == "exit 3");
}

TEST_CASE("SIGQUIT in the middle of a stop cuts it short") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  d.signal(SIGTERM);
  CHECK(d.signal(SIGQUIT) == "signal a/0#1 KILL");
  CHECK(d.said("a/0#1 killed at once"));
}

TEST_CASE("SIGQUIT when there is nobody to kill is a stop like any other") {
  Driver d;
  d.start({program("a", [](auto& p) { resize(p, 2); })});
  d.up("a/0");
  d.up("a/1");
  d.ends("a/0", ExitedWith{1});
  d.exits("a/1", ExitedWith{1});
  CHECK(d.state("a/0") == "backoff");
  CHECK(d.state("a/1") == "draining");
  CHECK(d.signal(SIGQUIT).empty());
  d.output_closes("a/1");
  CHECK(d.is_swept("a/1") == "sweep all");
  CHECK(d.all_swept() == "exit 0");
}

TEST_CASE("a terminal that goes away stops everything; during a stop it asks for nothing new") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  CHECK(d.terminal_goes() == "signal a/0#1 TERM; signal a/0#1 CONT");
  CHECK(d.terminal_goes().empty());
  CHECK(d.state("a/0") == "stopping");
  CHECK(d.signal(SIGTERM) == "signal a/0#1 KILL");
}

TEST_CASE("SIGHUP without a configuration, or during a stop, is ignored and said to be") {
  Options options;
  SUBCASE("nothing to read again") { options.reloadable = false; }
  SUBCASE("it is too late") { options.reloadable = true; }
  Driver d(options);
  d.start({program("a")});
  d.up("a/0");
  if (options.reloadable) {
    CHECK(d.signal(SIGHUP) == "load");
    d.signal(SIGTERM);
  }
  CHECK(d.signal(SIGHUP).empty());
  CHECK(d.said("ignored HUP"));
}

TEST_CASE("SIGUSR1 and SIGUSR2 go to the workers that run") {
  Driver d;
  d.start({program("a", [](auto& p) { resize(p, 3); })});
  d.up("a/0");
  d.up("a/2");
  CHECK(d.signal(SIGUSR1) == "signal a/0#1 USR1; signal a/2#1 USR1");
  CHECK(d.said("passed on USR1 to 2"));
  CHECK(d.signal(SIGUSR2) == "reopen logs; signal a/0#1 USR2; signal a/2#1 USR2");
}

TEST_CASE("when everything stops, one sweep at the end is for all") {
  Driver d;
  d.start({program("a", [](auto& p) { resize(p, 3); })});
  for (const char* worker : {"a/0", "a/1", "a/2"}) {
    d.up(worker);
  }
  d.output_closes("a/2");
  d.exits("a/0", ExitedWith{0});
  d.signal(SIGTERM);
  CHECK(d.exits("a/1", ExitedWith{0}) == "drain a/1#1");
  CHECK(d.output_closes("a/1").empty());
  CHECK(d.state("a/1") == "stopped");
  CHECK(d.exits("a/2", ExitedWith{0}).empty());
  CHECK(d.state("a/2") == "stopped");
  CHECK(d.pass(100ms) == "sweep a/0#1");  // It ended before: its own sweep goes on.
  d.output_closes("a/0");
  CHECK(d.is_swept("a/0") == "sweep all");
  CHECK(d.all_swept() == "exit 0");
}

TEST_CASE("stray descendants of the supervisor are swept until they are gone, or left behind in the end") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  d.ends("a/0", ExitedWith{0});
  CHECK(d.pass(100ms) == "sweep all");
  CHECK(d.signal(SIGTERM).empty());
  SUBCASE("gone") { CHECK(d.all_swept() == "exit 0"); }
  SUBCASE("not gone") {
    CHECK(d.pass(10s).ends_with("sweep all; exit 3"));
    CHECK(d.said("left behind"));
  }
  SUBCASE("not gone, and not all that is left can be found: the last look is told of") {
    CHECK(d.not_all_swept({.found = 7}).empty());
    CHECK(d.not_all_swept({.found = 2, .refused = 1, .error_number = 1, .pid = 4711, .hidden = true}).empty());
    CHECK(d.pass(10s).ends_with("sweep all; exit 3"));
    CHECK(d.said("left behind: found 2, refused 1, others hidden"));
  }
  CHECK_FALSE(d.due());
}

TEST_CASE("a second signal that could not end everything is no 128+N") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  d.signal(SIGTERM);
  d.pass(60ms);
  d.signal(SIGTERM);
  CHECK(d.ends("a/0", KilledBy{SIGKILL}).ends_with("sweep all"));
  SUBCASE("all gone") { CHECK(d.all_swept() == "exit 143"); }
  SUBCASE("some are left behind") { CHECK(d.pass(10s).ends_with("exit 3")); }
}

TEST_CASE("after the end no event changes anything") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  d.ends("a/0", ExitedWith{0});
  d.all_swept();
  CHECK(d.signal(SIGTERM).empty());
  CHECK(d.reload({program("b")}).empty());
  CHECK(d.tell(DeadlineReached{}).empty());
  CHECK(d.all_swept().empty());
  CHECK(d.notices().empty());
}
