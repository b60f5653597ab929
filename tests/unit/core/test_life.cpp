// A worker's life when nobody interferes: start, crash, backoff, limit, finish.
#include <doctest/doctest.h>

#include <csignal>

#include "tests/unit/core/driver.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::core::testing;

TEST_CASE("a worker starts, runs and finishes, and the supervisor with it") {
  Driver d;
  CHECK(d.start({program("a")}) == "spawn a/0#1");
  CHECK(d.state("a/0") == "starting");
  CHECK(d.spawned("a/0").empty());
  CHECK(d.ready("a/0").empty());
  CHECK(d.said("a/0#1 started as 4000"));
  CHECK(d.state("a/0") == "running");
  CHECK_FALSE(d.due());
  CHECK(d.exits("a/0", ExitedWith{0}) == "drain a/0#1; sweep a/0#1");
  CHECK(d.output_closes("a/0").empty());
  CHECK(d.is_swept("a/0") == "sweep all");
  CHECK(d.said("a/0#1 exited with status 0 after 0 us: finished"));
  CHECK(d.all_swept() == "exit 0");
  CHECK(d.phase() == Phase::done);
}

TEST_CASE("every worker of every program starts, in the order of the file") {
  Driver d;
  CHECK(d.start({program("b", [](auto& p) { resize(p, 2); }), program("a")}) == "spawn b/0#1; spawn b/1#1; spawn a/0#1");
}

TEST_CASE("processes are created a few at a time") {
  Options options;
  options.launches_at_once = 2;
  Driver d(options);
  CHECK(d.start({program("a", [](auto& p) { resize(p, 4); })}) == "spawn a/0#1; spawn a/1#1");
  CHECK(d.state("a/2") == "waiting");
  CHECK(d.spawned("a/1") == "spawn a/2#1");
  CHECK(d.launch_fails("a/0") == "spawn a/3#1");
  CHECK(d.state("a/0") == "backoff");
}

TEST_CASE("a crash waits its delay, the next one longer, up to the cap") {
  Driver d;
  d.start({program("a", [](auto& p) { p.spec.restart.max_delay = 500ms; })});
  for (const auto delay : {100ms, 200ms, 400ms, 500ms, 500ms}) {
    d.up("a/0");
    d.ends("a/0", KilledBy{SIGSEGV});
    CHECK(d.state("a/0") == "backoff");
    CHECK(d.due() == Duration(delay));
    CHECK(d.pass(delay - 1ns).empty());
    CHECK(d.pass(1ns).starts_with("spawn a/0#"));
  }
  CHECK(d.worker("a/0").restarts == 5);
  CHECK(d.worker("a/0").unhealthy_in_a_row == 5);
}

TEST_CASE("the first restart after a healthy life is immediate, and the past is forgotten") {
  Driver d;
  d.start({program("a")});
  for (int i = 0; i < 3; ++i) {
    d.up("a/0");
    d.ends("a/0", ExitedWith{1});
    d.pass(10s);
  }
  d.up("a/0");
  d.pass(10s);  // healthy_after
  CHECK(d.ends("a/0", ExitedWith{1}) == "drain a/0#4; sweep a/0#4; spawn a/0#5");
  CHECK(d.said("restart 4 in 0 us"));
  CHECK(d.worker("a/0").unhealthy_in_a_row == 0);
  d.up("a/0");
  d.ends("a/0", ExitedWith{1});
  CHECK(d.due() == Duration(100ms));
}

TEST_CASE("a slow crash loop backs off just as a fast one does") {
  Driver d;
  d.start({program("a")});
  for (const auto delay : {100ms, 200ms, 400ms, 800ms}) {
    d.up("a/0");
    d.pass(10s - 1ns);
    d.ends("a/0", ExitedWith{1});
    CHECK(d.due() == Duration(delay));
    d.pass(delay);
  }
}

TEST_CASE("the time in a launch, and after death, does not make a life healthy") {
  Driver d;
  d.start({program("a")});
  d.spawned("a/0");
  d.pass(30s);  // It takes long to exec.
  d.ready("a/0");
  d.exits("a/0", ExitedWith{1});
  d.output_closes("a/0");
  d.time_flies(9s);
  d.is_swept("a/0");
  CHECK(d.state("a/0") == "backoff");
  CHECK(d.said("after 30 s: restart 1 in 100 ms"));
}

TEST_CASE("with always, success is no reason to end, and a quick success backs off") {
  Driver d;
  d.start({program("a", [](auto& p) { p.spec.restart.when = RestartWhen::always; })});
  d.up("a/0");
  d.ends("a/0", ExitedWith{0});
  CHECK(d.state("a/0") == "backoff");
  CHECK(d.said("restart 1 in 100 ms"));
}

TEST_CASE("with never, a failure is a failure and nothing is started again") {
  Driver d;
  d.start({program("a", [](auto& p) { p.spec.restart.when = RestartWhen::never; })});
  d.up("a/0");
  CHECK(d.ends("a/0", ExitedWith{7}) == "drain a/0#1; sweep a/0#1; sweep all");
  CHECK(d.said("not restarted"));
  CHECK(d.state("a/0") == "failed");
  CHECK(d.all_swept() == "exit 1");
}

TEST_CASE("with never, a launch that fails is not tried again") {
  Driver d;
  d.start({program("a", [](auto& p) { p.spec.restart.when = RestartWhen::never; })});
  CHECK(d.launch_fails("a/0") == "sweep all");
  CHECK(d.said("fork failed: not restarted"));
}

TEST_CASE("success codes other than 0 finish a worker") {
  Driver d;
  d.start({program("a", [](auto& p) { p.spec.restart.success_codes = {0, 3}; })});
  d.up("a/0");
  CHECK(d.ends("a/0", ExitedWith{3}).ends_with("sweep all"));
  CHECK(d.state("a/0") == "exited");
  CHECK(d.all_swept() == "exit 0");
}

TEST_CASE("a launch that fails is an unhealthy exit like any other") {
  Driver d;
  d.start({program("a", [](auto& p) { p.spec.restart.limit = RestartLimit{2, 60s}; })});
  CHECK(d.launch_fails("a/0").empty());
  CHECK(d.said("a/0#1 fork failed: restart 1 in 100 ms"));
  CHECK(d.pass(100ms) == "spawn a/0#2");
  d.spawned("a/0");
  CHECK(d.launch_fails("a/0", LaunchStep::exec).empty());
  CHECK(d.due() == Duration(200ms));
  d.pass(200ms);
  CHECK(d.launch_fails("a/0") == "sweep all");
  CHECK(d.said("a/0#3 fork failed: program failed"));
  CHECK(d.said("program failed after 3 within 1 min"));
}

TEST_CASE("with throttling off a crash is restarted at once, a failed launch after a moment") {
  Driver d;
  d.start({program("a", [](auto& p) { p.spec.restart.delay = 0s; })});
  d.up("a/0");
  CHECK(d.ends("a/0", ExitedWith{1}).ends_with("spawn a/0#2"));
  CHECK(d.launch_fails("a/0").empty());
  CHECK(d.due() == Duration(10ms));
}

TEST_CASE("a launch that takes too long is killed and counts as failed, with the timeout as its reason") {
  Driver d;
  d.start({program("a", [](auto& p) { p.spec.start_timeout = 5s; })});
  d.spawned("a/0");
  CHECK(d.pass(5s - 1ns).empty());
  CHECK(d.pass(1ns) == "signal a/0#1 KILL");
  CHECK(d.said("killed at once"));
  SUBCASE("killed before exec") { d.launch_fails("a/0", LaunchStep::killed, SIGKILL); }
  SUBCASE("seen to exit") { d.ends("a/0", KilledBy{SIGKILL}); }
  CHECK(d.said("a/0#1 timeout failed: restart 1 in 100 ms"));
  CHECK(d.state("a/0") == "backoff");
}

TEST_CASE("the limit counts the unhealthy exits of all workers of the program, and stops the rest") {
  Driver d;
  d.start({program("a",
                   [](auto& p) {
                     resize(p, 3);
                     p.spec.restart.limit = RestartLimit{1, 60s};
                   }),
           program("b")});
  d.up("a/0");
  d.up("a/1");
  d.up("a/2");
  d.up("b/0");
  d.ends("a/0", ExitedWith{1});
  CHECK(d.state("a/0") == "backoff");
  CHECK(d.ends("a/1", ExitedWith{1}).ends_with("signal a/2#1 TERM; signal a/2#1 CONT"));
  CHECK(d.said("program failed after 2 within 1 min"));
  CHECK(d.state("a/0") == "failed");
  CHECK(d.state("a/1") == "failed");
  CHECK(d.state("a/2") == "stopping");
  CHECK(d.state("b/0") == "running");
  d.ends("a/2", ExitedWith{0});
  CHECK(d.state("a/2") == "failed");
  CHECK(d.said("program failed"));
  CHECK(d.ends("b/0", ExitedWith{0}).ends_with("sweep all"));
  CHECK(d.all_swept() == "exit 1");
}

TEST_CASE("healthy exits do not count towards the limit") {
  Driver d;
  d.start({program("a", [](auto& p) { p.spec.restart.limit = RestartLimit{0, 60s}; })});
  for (int i = 0; i < 5; ++i) {
    d.up("a/0");
    d.pass(10s);
    CHECK(d.ends("a/0", ExitedWith{1}).find("spawn a/0#") != std::string::npos);
  }
}

TEST_CASE("a program that fails takes everything down when it says so") {
  Driver d;
  d.start({program("a",
                   [](auto& p) {
                     p.spec.restart.limit = RestartLimit{0, 60s};
                     p.spec.restart.then = ThenDo::shutdown;
                   }),
           program("b")});
  d.up("a/0");
  d.up("b/0");
  CHECK(d.ends("a/0", ExitedWith{1}).ends_with("signal b/0#1 TERM; signal b/0#1 CONT"));
  CHECK(d.said("shuts down"));
  CHECK(d.said("shutdown by failure of 1"));
  CHECK(d.ends("b/0", KilledBy{SIGTERM}).ends_with("sweep all"));
  CHECK(d.all_swept() == "exit 1");
}

TEST_CASE("so does one that is not restarted and fails") {
  Driver d;
  d.start({program("a",
                   [](auto& p) {
                     p.spec.restart.when = RestartWhen::never;
                     p.spec.restart.then = ThenDo::shutdown;
                   }),
           program("b")});
  d.up("a/0");
  d.up("b/0");
  CHECK(d.ends("a/0", ExitedWith{1}).ends_with("signal b/0#1 TERM; signal b/0#1 CONT"));
}

TEST_CASE("the supervisor stays when it is told to") {
  Driver d;
  d.start({program("a")}, true);
  d.up("a/0");
  CHECK(d.ends("a/0", ExitedWith{0}) == "drain a/0#1; sweep a/0#1");
  CHECK(d.state("a/0") == "exited");
  CHECK(d.phase() == Phase::running);
  CHECK(d.signal(SIGTERM) == "sweep all");
  CHECK(d.all_swept() == "exit 0");
}

TEST_CASE("jitter comes from the seed: the same seed gives the same delays") {
  const auto delays = [](std::uint64_t seed) {
    Options options;
    options.seed = seed;
    Driver d(options);
    d.start({program("a", [](auto& p) { p.spec.restart.jitter = 0.5; })});
    std::vector<Duration> seen;
    for (int i = 0; i < 5; ++i) {
      d.up("a/0");
      d.ends("a/0", ExitedWith{1});
      seen.push_back(d.due().value_or(0s));
      d.pass(1min);
    }
    return seen;
  };
  CHECK(delays(1) == delays(1));
  CHECK(delays(1) != delays(2));
  CHECK(delays(1)[0] >= 50ms);
  CHECK(delays(1)[0] <= 150ms);
}
