// From one configuration to the next.
#include <doctest/doctest.h>

#include <csignal>

#include "tests/unit/core/driver.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::core::testing;

namespace {

void other_command(PlannedProgram& planned) { planned.spec.launch.command = {"other"}; }

}  // namespace

TEST_CASE("SIGHUP reads the configuration again, and nothing else happens yet") {
  Options options;
  options.reloadable = true;
  Driver d(options);
  d.start({program("a")});
  d.up("a/0");
  CHECK(d.signal(SIGHUP) == "load");
  CHECK(d.state("a/0") == "running");
}

TEST_CASE("a program that did not change keeps its processes") {
  Driver d;
  d.start({program("a"), program("b")});
  d.up("a/0");
  d.up("b/0");
  CHECK(d.reload({program("b"), program("a")}).empty());
  CHECK(d.said("kept 2, replaced 0, started 0, stopped 0"));
  CHECK(d.state("a/0") == "running");
}

TEST_CASE("a change of policy is obeyed without touching a process") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  CHECK(d.reload({program("a",
                          [](auto& p) {
                            p.spec.restart.delay = 7s;
                            p.spec.stop.signal = SIGINT;
                            p.spec.stop.grace = 1s;
                          })})
            .empty());
  CHECK(d.said("kept 1"));
  SUBCASE("of restarts") {
    d.ends("a/0", ExitedWith{1});
    CHECK(d.due() == Duration(7s));
  }
  SUBCASE("of stops") {
    CHECK(d.signal(SIGTERM) == "signal a/0#1 INT; signal a/0#1 CONT");
    CHECK(d.due() == Duration(1s));
  }
}

TEST_CASE("a new limit counts from now on, an old one goes on counting") {
  Driver d;
  const auto limited = [](std::uint32_t restarts) {
    return program("a", [=](auto& p) { p.spec.restart.limit = RestartLimit{restarts, 60s}; });
  };
  d.start({limited(1)});
  d.up("a/0");
  d.ends("a/0", ExitedWith{1});
  d.pass(100ms);
  d.up("a/0");
  SUBCASE("old") {
    d.reload({limited(1)});
    d.ends("a/0", ExitedWith{1});
    CHECK(d.state("a/0") == "failed");
  }
  SUBCASE("new") {
    d.reload({limited(2)});
    d.ends("a/0", ExitedWith{1});
    CHECK(d.state("a/0") == "backoff");
  }
}

TEST_CASE("a changed command replaces the process: stopped first, started when it is gone") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  CHECK(d.reload({program("a", other_command)}) == "signal a/0#1 TERM; signal a/0#1 CONT");
  CHECK(d.said("kept 0, replaced 1, started 0, stopped 0"));
  CHECK(d.said("a/0#1 told to stop by TERM within 10 s"));
  CHECK(d.ends("a/0", KilledBy{SIGTERM}) == "drain a/0#1; sweep a/0#1; spawn a/0#2");
  CHECK(d.said("replaced"));
}

TEST_CASE("another placement is another launch") {
  Driver d;
  d.start({program("a", [](auto& p) { p.placements[0] = CpuSet{0}; })});
  d.up("a/0");
  CHECK(d.reload({program("a", [](auto& p) { p.placements[0] = CpuSet{1}; })}) == "signal a/0#1 TERM; signal a/0#1 CONT");
}

TEST_CASE("what is killed for a replacement does not change the exit status") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  d.reload({program("a", other_command)});
  CHECK(d.pass(10s) == "signal a/0#1 KILL");
  d.ends("a/0", KilledBy{SIGKILL});
  d.up("a/0");
  d.ends("a/0", ExitedWith{0});
  CHECK(d.all_swept() == "exit 0");
}

TEST_CASE("a worker in backoff starts at once under its new definition, its past forgotten") {
  Driver d;
  d.start({program("a")});
  for (int i = 0; i < 4; ++i) {
    d.up("a/0");
    d.ends("a/0", ExitedWith{1});
    d.pass(i < 3 ? Duration(1s) : Duration(0s));
  }
  CHECK(d.state("a/0") == "backoff");
  CHECK(d.reload({program("a", other_command)}) == "spawn a/0#5");
  CHECK(d.said("started 1"));
  d.up("a/0");
  d.ends("a/0", ExitedWith{1});
  CHECK(d.due() == Duration(100ms));
}

TEST_CASE("a program that has finished or failed runs again when its definition changes, not otherwise") {
  Driver d;
  d.start({program("a", [](auto& p) { p.spec.restart.limit = RestartLimit{0, 60s}; })}, true);
  d.up("a/0");
  SUBCASE("failed") {
    d.ends("a/0", ExitedWith{1});
    CHECK(d.state("a/0") == "failed");
  }
  SUBCASE("finished") {
    d.ends("a/0", ExitedWith{0});
    CHECK(d.state("a/0") == "exited");
  }
  CHECK(d.reload({program("a", [](auto& p) { p.spec.restart.limit = RestartLimit{0, 60s}; })}, true).empty());
  CHECK(d.reload({program("a", other_command)}, true) == "spawn a/0#2");
}

TEST_CASE("a change while the process is on its way out replaces it without asking again") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  d.exits("a/0", ExitedWith{0});
  CHECK(d.reload({program("a", other_command)}).empty());
  d.output_closes("a/0");
  CHECK(d.is_swept("a/0") == "spawn a/0#2");
}

TEST_CASE("fewer workers: all are replaced, for each is told their number, and the last ones leave") {
  Driver d;
  d.start({program("a", [](auto& p) { resize(p, 3); })});
  d.up("a/0");
  d.up("a/1");
  d.up("a/2");
  d.reload({program("a")});
  CHECK(d.said("kept 0, replaced 1, started 0, stopped 2"));
  d.ends("a/1", KilledBy{SIGTERM});
  CHECK(d.state("a/1") == "stopped");  // The one behind it is still there.
  d.ends("a/2", KilledBy{SIGTERM});
  CHECK_THROWS(static_cast<void>(d.worker("a/1")));
  CHECK(d.ends("a/0", KilledBy{SIGTERM}).ends_with("spawn a/0#2"));
}

TEST_CASE("more workers: the new ones start at once, the old ones are replaced") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  CHECK(d.reload({program("a", [](auto& p) { resize(p, 2); })}) == "signal a/0#1 TERM; signal a/0#1 CONT; spawn a/1#1");
  CHECK(d.said("replaced 1, started 1"));
}

TEST_CASE("fewer, then more again: incarnations never repeat") {
  Driver d;
  const auto two = [](auto& p) { resize(p, 2); };
  d.start({program("a", two)});
  d.up("a/0");
  d.up("a/1");
  d.reload({program("a")});
  d.ends("a/1", KilledBy{SIGTERM});
  d.ends("a/0", KilledBy{SIGTERM});
  d.up("a/0");
  d.reload({program("a", [](auto& p) { resize(p, 3); })});
  CHECK(number(d.life("a/1").incarnation) == 2);
  CHECK_MESSAGE(number(d.life("a/2").incarnation) == 1, "each worker counts its own lives");
}

TEST_CASE("fewer, then more again before the process is gone: it is waited for") {
  Driver d;
  const auto two = [](auto& p) { resize(p, 2); };
  d.start({program("a", two)});
  d.up("a/0");
  d.up("a/1");
  d.reload({program("a")});
  CHECK(d.reload({program("a", two)}).empty());
  CHECK(d.ends("a/1", KilledBy{SIGTERM}).ends_with("spawn a/1#2"));
}

TEST_CASE("a program that leaves is stopped and then forgotten") {
  Driver d;
  d.start({program("a"), program("b")});
  d.up("a/0");
  d.up("b/0");
  CHECK(d.reload({program("b")}) == "signal a/0#1 TERM; signal a/0#1 CONT");
  CHECK(d.said("kept 1, replaced 0, started 0, stopped 1"));
  CHECK(d.knows("a"));
  CHECK(d.ends("a/0", KilledBy{SIGTERM}).ends_with("sweep a/0#1; forget 0"));
  CHECK_FALSE(d.knows("a"));
}

TEST_CASE("a program that leaves while it waits is forgotten at once") {
  Driver d;
  d.start({program("a"), program("b")});
  d.up("b/0");
  d.launch_fails("a/0");
  CHECK(d.reload({program("b")}) == "forget 0");
}

TEST_CASE("a program that comes back before its process is gone waits for its end") {
  Driver d;
  d.start({program("a"), program("b")});
  d.up("a/0");
  d.up("b/0");
  d.reload({program("b")});
  CHECK(d.reload({program("a"), program("b")}).empty());
  CHECK(d.ends("a/0", KilledBy{SIGTERM}) == "drain a/0#1; sweep a/0#1; spawn a/0#2");
}

TEST_CASE("a program that comes back later goes on counting its incarnations") {
  Driver d;
  d.start({program("a"), program("b")});
  d.up("a/0");
  d.up("b/0");
  d.reload({program("b")});
  d.ends("a/0", KilledBy{SIGTERM});
  CHECK(d.reload({program("a"), program("b")}) == "spawn a/0#2");
}

TEST_CASE("a second change while the first is still being carried out: the last one counts") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  d.reload({program("a", other_command)});
  CHECK(d.reload({program("a", [](auto& p) { p.spec.launch.command = {"third"}; })}).empty());
  CHECK(d.ends("a/0", KilledBy{SIGTERM}).ends_with("spawn a/0#2"));
  CHECK(d.up("a/0").empty());
  CHECK(d.state("a/0") == "running");
}

TEST_CASE("a stop during a reload stops everything, and a reload during a stop changes nothing") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  d.reload({program("a", other_command)});
  CHECK(d.signal(SIGTERM).empty());  // It was told already.
  CHECK(d.reload({program("a"), program("b")}).empty());
  CHECK(d.notices().empty());
  CHECK(d.ends("a/0", KilledBy{SIGTERM}) == "drain a/0#1; sweep all");
  CHECK(d.all_swept() == "exit 0");
}

TEST_CASE("a configuration that no longer asks to stay lets an idle supervisor go") {
  Driver d;
  d.start({program("a")}, true);
  d.up("a/0");
  d.ends("a/0", ExitedWith{0});
  CHECK(d.reload({program("a")}, false) == "sweep all");
}

TEST_CASE("programs are numbered by name for ever") {
  ProgramNumbers numbers;
  Plan plan{{program("a"), program("b")}, false};
  numbers.assign(plan);
  CHECK(number(plan.programs[0].id) == 0);
  CHECK(number(plan.programs[1].id) == 1);
  Plan next{{program("c"), program("b")}, false};
  numbers.assign(next);
  CHECK(number(next.programs[0].id) == 2);
  CHECK(number(next.programs[1].id) == 1);
}

TEST_CASE("who has left is not waited for because another one cannot be killed") {
  Driver d;
  d.start({program("a", [](auto& p) { resize(p, 3); })});
  for (const char* worker : {"a/0", "a/1", "a/2"}) {
    d.up(worker);
  }
  d.rescale({program("a")});
  d.ends("a/1", KilledBy{SIGTERM});
  d.pass(60s);
  CHECK(d.commands() == 0);
}
