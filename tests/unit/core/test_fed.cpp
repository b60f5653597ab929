// Workers that are fed with tasks: what the dispatcher finds about them, and what signals mean then.
#include <doctest/doctest.h>

#include <csignal>

#include "tests/unit/core/driver.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::core::testing;

namespace {

Options fed() {
  Options options;
  options.tasks = true;
  return options;
}

std::string judge(Driver& d, std::string_view worker, WorkerJudged::As as) { return d.tell(WorkerJudged{d.life(worker), as}); }

/// As `map` has it: any end is followed by another start, and no life is healthy for its length alone.
PlannedProgram mapped(std::uint32_t workers = 1) {
  return program("a", [&](auto& p) {
    p.spec.restart.when = RestartWhen::always;
    p.spec.restart.healthy_after = Duration::max();
    p.spec.restart.limit = RestartLimit{2, 60s};
    p.spec.restart.then = ThenDo::shutdown;
    resize(p, workers);
  });
}

}  // namespace

TEST_CASE("who has proven itself is started again at once, and its end counts against nobody") {
  Driver d(fed());
  d.start({mapped()});
  for (int life = 0; life < 10; ++life) {
    d.up("a/0");
    judge(d, "a/0", WorkerJudged::As::proven);
    CHECK(d.ends("a/0", KilledBy{SIGKILL}).ends_with("spawn a/0#" + std::to_string(life + 2)));
  }
}

TEST_CASE("proof belongs to one life; a program that has worked once is tried again without a limit, but not at once") {
  Driver d(fed());
  d.start({mapped()});
  d.up("a/0");
  judge(d, "a/0", WorkerJudged::As::proven);
  d.ends("a/0", KilledBy{SIGKILL});
  for (int life = 2; life < 10; ++life) {
    d.up("a/0");
    d.ends("a/0", ExitedWith{1});
    CHECK(d.state("a/0") == "backoff");
    d.pass(30s);
  }
}

TEST_CASE("a program that never works fails, and everything with it; tasks are told before any worker is") {
  Driver d(fed());
  d.start({mapped()});
  for (int life = 0; life < 2; ++life) {
    d.up("a/0");
    d.ends("a/0", ExitedWith{1});
    d.pass(1s);
  }
  d.up("a/0");
  CHECK(d.ends("a/0", ExitedWith{1}).find("abort tasks") != std::string::npos);
  d.all_swept();
  CHECK(d.exit_status() == 1);
}

TEST_CASE("an outdated one is stopped and replaced at once, whatever its policy's delay") {
  Driver d(fed());
  d.start({mapped()});
  d.up("a/0");
  CHECK(judge(d, "a/0", WorkerJudged::As::outdated) == "signal a/0#1 TERM; signal a/0#1 CONT");
  CHECK(d.ends("a/0", KilledBy{SIGTERM}).ends_with("spawn a/0#2"));
}

TEST_CASE("a failing one is stopped, and has its delay before it is tried again") {
  Driver d(fed());
  d.start({mapped()});
  d.up("a/0");
  CHECK(judge(d, "a/0", WorkerJudged::As::failing) == "signal a/0#1 TERM; signal a/0#1 CONT");
  d.ends("a/0", KilledBy{SIGTERM});
  CHECK(d.state("a/0") == "backoff");
}

TEST_CASE("a dismissed one is sent no signal, and is not started again; when all have gone it is over") {
  Driver d(fed());
  d.start({mapped(2)});
  d.up("a/0");
  d.up("a/1");
  CHECK(judge(d, "a/0", WorkerJudged::As::dismissed).empty());
  CHECK(judge(d, "a/1", WorkerJudged::As::dismissed).empty());
  CHECK(d.tell(TasksEnded{}).empty());
  d.ends("a/0", ExitedWith{0});
  CHECK(d.state("a/0") == "stopped");
  CHECK(judge(d, "a/1", WorkerJudged::As::unwanted) == "signal a/1#1 TERM; signal a/1#1 CONT");
  CHECK(d.ends("a/1", ExitedWith{0}).ends_with("sweep all"));
  CHECK(d.all_swept() == "exit 0");
}

TEST_CASE("when the tasks have ended nobody who waits for a start is started") {
  Driver d(fed());
  d.start({mapped()});
  d.up("a/0");
  d.ends("a/0", ExitedWith{1});
  CHECK(d.state("a/0") == "backoff");
  CHECK(d.tell(TasksEnded{}) == "sweep all");
}

TEST_CASE("what is found about a past life is of no interest") {
  Driver d(fed());
  d.start({mapped()});
  const Life first = [&] {
    d.up("a/0");
    return d.life("a/0");
  }();
  judge(d, "a/0", WorkerJudged::As::proven);
  d.ends("a/0", ExitedWith{0});
  d.up("a/0");
  CHECK(d.tell(WorkerJudged{first, WorkerJudged::As::unwanted}).empty());
  CHECK(d.state("a/0") == "running");
}

TEST_CASE("the first signal lets tasks in work end, the second stops the workers, the third kills") {
  for (const int first : {SIGTERM, SIGINT, SIGHUP}) {
    Driver d(fed());
    d.start({mapped()});
    d.up("a/0");
    CHECK(d.signal(first) == "drain tasks");
    CHECK(d.signal(SIGHUP).empty());
    if (first != SIGHUP) {
      CHECK(d.signal(first).empty());  // An echo of the first.
    }
    d.pass(60ms);
    CHECK(d.signal(SIGINT) == "abort tasks; signal a/0#1 TERM; signal a/0#1 CONT");
    d.pass(60ms);
    CHECK(d.signal(SIGTERM) == "signal a/0#1 KILL");
  }
}

TEST_CASE(
    "whoever is led by the giver of the tasks passes SIGINT on, and leaves SIGTERM and SIGHUP to the giver, until it stops") {
  Options led = fed();
  led.led = true;
  Driver d(led);
  d.start({mapped()});
  d.up("a/0");
  CHECK(d.signal(SIGINT) == "signal a/0#1 INT");
  CHECK(d.signal(SIGTERM).empty());
  CHECK(d.signal(SIGHUP).empty());
  CHECK(d.state("a/0") == "running");
  CHECK(d.tell(TasksHalted{}) == "abort tasks; signal a/0#1 TERM; signal a/0#1 CONT");
  d.pass(60ms);
  CHECK(d.signal(SIGTERM) == "signal a/0#1 KILL");
}

TEST_CASE("SIGQUIT kills at once, tasks or not") {
  Driver d(fed());
  d.start({mapped()});
  d.up("a/0");
  CHECK(d.signal(SIGQUIT) == "abort tasks; signal a/0#1 KILL");
}

TEST_CASE("a second slot has no process before it is called, takes turns with the first, and their lives are counted together") {
  Driver d(fed());
  PlannedProgram planned = mapped();
  planned.relieve();
  d.start({planned});
  d.up("a/0");
  CHECK(d.state("a/1") == "stopped");
  CHECK(d.tell(WorkerCalled{d.life("a/1").worker}) == "spawn a/1#2");
  d.up("a/1");
  CHECK_MESSAGE(d.state("a/0") == "running", "nobody goes for it");
  judge(d, "a/0", WorkerJudged::As::dismissed);
  d.ends("a/0", ExitedWith{0});
  CHECK(d.state("a/0") == "stopped");
  CHECK(d.tell(WorkerCalled{d.life("a/0").worker}) == "spawn a/0#3");
}

TEST_CASE("who dies while its successor is on the way does not come back") {
  Driver d(fed());
  PlannedProgram planned = mapped();
  planned.relieve();
  d.start({planned});
  d.up("a/0");
  judge(d, "a/0", WorkerJudged::As::proven);
  d.tell(WorkerCalled{d.life("a/1").worker});
  judge(d, "a/0", WorkerJudged::As::dismissed);  // As the dispatcher says of a death, before the supervisor hears of it.
  d.ends("a/0", KilledBy{SIGKILL});
  CHECK(d.state("a/0") == "stopped");
  d.up("a/1");
  CHECK(d.state("a/1") == "running");
}
