// A configuration that has to prove itself, or the one before it comes back.
#include <doctest/doctest.h>

#include <csignal>

#include "tests/unit/core/trials.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::core::testing;

namespace {

/// And has failed.
void lose_trial(Driver& d) {
  begin_trial(d);
  d.up("a/0");
  REQUIRE(d.ends("a/0", ExitedWith{1}).ends_with("restore 1"));
}

}  // namespace

TEST_CASE("a configuration on trial holds when its workers have become healthy, and not before") {
  Driver d;
  begin_trial(d);
  CHECK(d.up("a/0").empty());
  CHECK(d.due() == Duration(1s));
  CHECK(d.pass(999ms).empty());
  CHECK(d.pass(1ms) == "answer 1: done 1");
  CHECK(d.said("trial passed by 1"));
  d.ends("a/0", ExitedWith{1});
  CHECK_FALSE(d.said("trial failed"));
}

TEST_CASE("the first worker that fails brings the configuration before back") {
  Driver d;
  begin_trial(d);
  SUBCASE("by its end") {
    d.up("a/0");
    d.pass(500ms);
    CHECK(d.ends("a/0", ExitedWith{1}) == "drain a/0#2; sweep a/0#2; restore 1");
  }
  SUBCASE("by its launch") { CHECK(d.launch_fails("a/0").ends_with("restore 1")); }
  CHECK(d.said("trial failed by a/0#2 within 1 s"));
  CHECK(d.commands() == 1);
  CHECK(d.restore({older()}) == "spawn a/0#3");
  CHECK(d.said("rolled back: kept 0, replaced 0, started 1"));
  CHECK(d.up("a/0") == "answer 1: rolled back 1 by a/0");
  CHECK(d.commands() == 0);
}

TEST_CASE("who ends well has proven himself, however soon that was") {
  Driver d;
  begin_trial(d);
  d.up("a/0");
  CHECK(d.ends("a/0", ExitedWith{0}).find("answer 1: done 1") != std::string::npos);
  CHECK(d.said("trial passed by 1"));
}

TEST_CASE("a trial goes on when nobody waits for its end") {
  Driver d;
  begin_trial(d);
  d.tell(CommandAbandoned{CommandId{1}});
  CHECK(d.commands() == 1);
  d.up("a/0");
  CHECK(d.ends("a/0", ExitedWith{1}).ends_with("restore 1"));
}

TEST_CASE("a reload that touches nobody is no trial") {
  Driver d;
  d.start({older()});
  d.up("a/0");
  CHECK(d.try_out({older()}) == "answer 1: done 0");
  CHECK_FALSE(d.said("trial"));
}

TEST_CASE("the supervisor does not end while it waits for the configuration before") {
  Driver d;
  d.start({older()});
  d.up("a/0");
  const auto once = [](std::string command) {
    PlannedProgram planned = newer();
    planned.spec.launch.command = {std::move(command)};
    planned.spec.restart.when = RestartWhen::never;
    return planned;
  };
  d.try_out({once("new")});
  d.ends("a/0", KilledBy{SIGTERM});
  d.up("a/0");
  CHECK(d.ends("a/0", ExitedWith{1}).ends_with("restore 1"));
  CHECK(d.state("a/0") == "failed");
  CHECK(d.phase() == Phase::running);
  SUBCASE("it comes") { CHECK(d.restore({older()}) == "spawn a/0#3"); }
  SUBCASE("it cannot come") { CHECK(d.tell(RestoreFailed{TrialId{1}}) == "answer 1: failed 0 by a/0; sweep all"); }
  SUBCASE("another one comes") {
    CHECK(d.reload({once("third")}).starts_with("spawn a/0#3"));
    CHECK(d.restore({older()}).empty());
  }
  SUBCASE("everything is stopped") {
    CHECK(d.signal(SIGTERM) == "answer 1: failed 0 by a/0; sweep all");
    CHECK(d.restore({older()}).empty());
  }
}

TEST_CASE("a program on trial that fails shuts nothing down, but goes back") {
  Driver d;
  d.start({older()});
  d.up("a/0");
  PlannedProgram strict = newer();
  strict.spec.restart.then = ThenDo::shutdown;
  SUBCASE("at its limit") { strict.spec.restart.limit = RestartLimit{0, 60s}; }
  SUBCASE("since it is not restarted") { strict.spec.restart.when = RestartWhen::never; }
  d.try_out({strict});
  d.ends("a/0", KilledBy{SIGTERM});
  d.up("a/0");
  CHECK(d.ends("a/0", ExitedWith{1}).ends_with("restore 1"));
  CHECK(d.phase() == Phase::running);
  CHECK(d.restore({older()}) == "spawn a/0#3");
  d.up("a/0");
  CHECK(d.reload({strict}).starts_with("signal a/0#3 TERM"));
  d.ends("a/0", KilledBy{SIGTERM});
  d.up("a/0");
  d.ends("a/0", ExitedWith{1});
  CHECK(d.phase() != Phase::running);
}

TEST_CASE("a newer configuration has the last word") {
  Driver d;
  SUBCASE("over one that is on trial") {
    begin_trial(d);
    d.up("a/0");
    CHECK(d.reload({healthy_after_a_second("a", "third")}).find("answer 1: superseded") != std::string::npos);
    CHECK(d.commands() == 0);
    d.ends("a/0", KilledBy{SIGTERM});
    d.up("a/0");
    d.ends("a/0", ExitedWith{1});
    CHECK_FALSE(d.said("trial failed"));
  }
  SUBCASE("over one that was lost") {
    lose_trial(d);
    CHECK(d.reload({healthy_after_a_second("a", "third")}).ends_with("answer 1: failed 0 by a/0"));
    CHECK(d.restore({older()}).empty());
    CHECK_FALSE(d.said("rolled back"));
  }
}

TEST_CASE("what has not proven itself is on trial in the next one too") {
  Driver d;
  begin_trial_of_one_of_two(d);
  d.up("a/0");
  CHECK(d.try_out({newer("a"), newer("b")}).find("answer 1: superseded") != std::string::npos);
  d.ends("b/0", KilledBy{SIGTERM});
  d.up("b/0");
  SUBCASE("and may fail") { CHECK(d.ends("a/0", ExitedWith{1}).ends_with("restore 2")); }
  SUBCASE("and may hold") { CHECK(d.pass(1s) == "answer 2: done 2"); }
}

TEST_CASE("the answer of an older trial brings nothing back") {
  Driver d;
  lose_trial(d);
  d.try_out({healthy_after_a_second("a", "third")});
  CHECK(d.restore({older()}, 1).empty());
  d.tell(RestoreFailed{TrialId{1}});
  CHECK(d.commands() == 1);
  d.up("a/0");
  CHECK(d.ends("a/0", ExitedWith{1}).ends_with("restore 2"));
  CHECK(d.restore({older()}, 1).empty());
  CHECK(d.restore({older()}, 2).starts_with("spawn"));
}

TEST_CASE("who is stopped by hand has nothing more to prove, who is restarted has") {
  Driver d;
  begin_trial(d);
  d.up("a/0");
  d.pass(500ms);
  SUBCASE("stopped") {
    d.command(StopWorkers{d.ids({"a/0"})});
    CHECK(d.said("trial ended by a/0"));
    CHECK_FALSE(d.said("passed"));
  }
  SUBCASE("restarted") {
    d.command(RestartWorkers{d.ids({"a/0"}), {}});
    CHECK(d.commands() == 2);
    d.ends("a/0", KilledBy{SIGTERM});
    CHECK(d.up("a/0") == "answer 2: done 1");
    CHECK(d.pass(999ms).empty());
    SUBCASE("and holds") { CHECK(d.pass(1ms) == "answer 1: done 1"); }
    SUBCASE("and does not") { CHECK(d.ends("a/0", ExitedWith{1}).ends_with("restore 1")); }
  }
}

TEST_CASE("a trial is not refused, whoever waits") {
  Driver d;
  d.start({older()});
  d.up("a/0");
  for (std::size_t i = 0; i < most_commands; ++i) {
    d.command(RestartWorkers{d.ids({"a/0"}), {}});
  }
  CHECK(d.try_out({newer()}).find("answer 65: busy") != std::string::npos);
  CHECK(d.commands() == most_commands + 1);
}

TEST_CASE("a worker that leaves and cannot be killed is not the new configuration's fault") {
  Driver d;
  d.start({older("a"), older("b")});
  d.up("a/0");
  d.up("b/0");
  d.try_out({older("b")});
  d.pass(60s);
  CHECK(d.state("a/0") == "failed");
  CHECK_FALSE(d.said("trial failed"));
  CHECK(d.commands() == 0);
}

TEST_CASE("a slot that a process of the old configuration blocks is not the new one's fault") {
  Driver d;
  d.start({older()});
  d.up("a/0");
  d.try_out({newer()});
  d.pass(60s);
  CHECK(d.state("a/0") == "failed");
  CHECK_FALSE(d.said("trial"));
  CHECK(d.commands() == 0);
}
