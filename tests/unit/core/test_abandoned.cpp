// Commands that nobody waits for: whose client has left, or never wanted an answer.
#include <doctest/doctest.h>

#include <csignal>

#include "tests/unit/core/driver.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::core::testing;

namespace {

/// Healthy after 1 s.
void pair(PlannedProgram& planned) {
  resize(planned, 2);
  planned.spec.restart.healthy_after = 1s;
}

}  // namespace

TEST_CASE("who has left is not answered, and what he asked for goes on") {
  Driver d;
  d.start({program("a", pair)});
  d.up("a/0");
  d.up("a/1");
  SUBCASE("a stop") {
    d.command(StopWorkers{d.ids({"a/0"})});
    CHECK(d.tell(CommandAbandoned{CommandId{1}}).empty());
    CHECK(d.commands() == 0);
    CHECK(d.ends("a/0", KilledBy{SIGTERM}) == "drain a/0#1; sweep a/0#1");
    CHECK(d.state("a/0") == "stopped");
  }
  SUBCASE("a rolling restart, until all were told") {
    d.command(RestartWorkers{d.ids({"a/0", "a/1"}), Rolling{1}});
    CHECK(d.tell(CommandAbandoned{CommandId{1}}).empty());
    CHECK(d.commands() == 1);
    d.ends("a/0", KilledBy{SIGTERM});
    d.up("a/0");
    CHECK(d.pass(1s) == "signal a/1#1 TERM; signal a/1#1 CONT");
    CHECK(d.ends("a/1", KilledBy{SIGTERM}) == "drain a/1#1; sweep a/1#1; spawn a/1#2");
    SUBCASE("and what became of it is told") {
      d.up("a/1");
      d.pass(1s);
      CHECK(d.said("roll ended: answer 0: done 2, left 0"));
    }
    SUBCASE("but it is not followed when somebody else says something: so they never pile up") {
      d.command(RestartWorkers{d.ids({"a/1"}), {}});
      CHECK(d.said("roll ended: answer 0: overtaken 1 by a/1, left 0"));
      d.tell(CommandAbandoned{CommandId{2}});
    }
    CHECK(d.commands() == 0);
  }
  SUBCASE("a rolling restart, unless somebody else says otherwise") {
    d.command(RestartWorkers{d.ids({"a/0", "a/1"}), Rolling{1}});
    d.tell(CommandAbandoned{CommandId{1}});
    CHECK(d.command(StopWorkers{d.ids({"a/1"})}) == "signal a/1#1 TERM; signal a/1#1 CONT");
    CHECK(d.ends("a/1", KilledBy{SIGTERM}) == "drain a/1#1; sweep a/1#1; answer 2: done 1");
    CHECK(d.commands() == 0);
    d.ends("a/0", KilledBy{SIGTERM});
    d.up("a/0");
    CHECK(d.pass(10s).empty());
  }
  SUBCASE("a reload") {
    d.reload_and_wait({program("a", [](auto& p) { resize(p, 3); })});
    CHECK(d.tell(CommandAbandoned{CommandId{1}}).empty());
    CHECK(d.commands() == 0);
    CHECK(d.up("a/2").empty());
  }
  SUBCASE("and a shutdown says nothing to him") {
    d.command(StopWorkers{d.ids({"a/0"})});
    d.tell(CommandAbandoned{CommandId{1}});
    CHECK(d.signal(SIGTERM) == "signal a/1#1 TERM; signal a/1#1 CONT");
  }
  SUBCASE("and the answer may have been on its way") {
    CHECK(d.command(StartWorkers{d.ids({"a/0"})}) == "answer 1: done 1");
    CHECK(d.tell(CommandAbandoned{CommandId{1}}).empty());
  }
}

TEST_CASE("only those that somebody waits for are counted") {
  Driver d;
  d.start({program("a", pair)});
  d.up("a/0");
  d.up("a/1");
  d.command(StopWorkers{d.ids({"a/0"})});
  for (std::size_t more = 1; more < most_commands; ++more) {
    CHECK(d.command(StopWorkers{d.ids({"a/0"})}).empty());
  }
  CHECK(d.command(StopWorkers{d.ids({"a/0"})}) == "answer 65: busy");
  SUBCASE("who does not wait has always a place") {
    CHECK(d.tell(CommandReceived{std::nullopt, StopWorkers{d.ids({"a/1"})}}) == "signal a/1#1 TERM; signal a/1#1 CONT");
    CHECK(d.commands() == most_commands);
  }
  SUBCASE("who leaves makes room") {
    d.tell(CommandAbandoned{CommandId{7}});
    CHECK(d.command(StopWorkers{d.ids({"a/1"})}) == "signal a/1#1 TERM; signal a/1#1 CONT");
    CHECK(d.command(StopWorkers{d.ids({"a/0"})}) == "answer 67: busy");
  }
}
