// What `run` tells whoever started it.
#include <doctest/doctest.h>

#include <csignal>

#include "tests/unit/core/driver.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::core::testing;

namespace {

PlannedProgram never_again(std::string name) {
  return program(std::move(name), [](auto& p) { p.spec.restart.when = RestartWhen::never; });
}

}  // namespace

TEST_CASE("0: everything finished well") {
  Driver d;
  d.start({program("a"), program("b")});
  d.up("a/0");
  d.up("b/0");
  d.ends("a/0", ExitedWith{0});
  d.ends("b/0", ExitedWith{0});
  CHECK(d.all_swept() == "exit 0");
  CHECK(d.said("finished 0"));
}

TEST_CASE("0: stopped as asked, whatever the workers make of it") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  d.signal(SIGTERM);
  d.ends("a/0", ExitedWith{77});
  CHECK(d.all_swept() == "exit 0");
}

TEST_CASE("1: one program failed for good, though others finished") {
  Driver d;
  d.start({never_again("a"), program("b")});
  d.up("a/0");
  d.up("b/0");
  d.ends("a/0", ExitedWith{1});
  d.ends("b/0", ExitedWith{0});
  CHECK(d.all_swept() == "exit 1");
}

TEST_CASE("1: a program that had failed before everything was stopped as asked") {
  Driver d;
  d.start({never_again("a"), program("b")});
  d.up("a/0");
  d.up("b/0");
  d.ends("a/0", KilledBy{SIGSEGV});
  d.signal(SIGTERM);
  d.ends("b/0", ExitedWith{0});
  CHECK(d.all_swept() == "exit 1");
}

TEST_CASE("0: a worker that crashed and recovered is no failure") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  d.ends("a/0", KilledBy{SIGSEGV});
  d.pass(100ms);
  d.up("a/0");
  d.ends("a/0", ExitedWith{0});
  CHECK(d.all_swept() == "exit 0");
}

TEST_CASE("3: one of several workers needed SIGKILL") {
  Driver d;
  d.start({program("a", [](auto& p) { resize(p, 2); })});
  d.up("a/0");
  d.up("a/1");
  d.signal(SIGTERM);
  d.ends("a/0", ExitedWith{0});
  d.pass(10s);
  d.ends("a/1", KilledBy{SIGKILL});
  CHECK(d.all_swept() == "exit 3");
}

TEST_CASE("125: no worker could be started") {
  Driver d;
  d.start({never_again("a"), never_again("b")});
  d.launch_fails("a/0", LaunchStep::exec, 2);
  d.launch_fails("b/0", LaunchStep::exec, 2);
  CHECK(d.all_swept() == "exit 125");
}

TEST_CASE("1 and not 125: one could not be started, another could") {
  Driver d;
  d.start({never_again("a"), program("b")});
  d.launch_fails("a/0", LaunchStep::exec, 2);
  d.up("b/0");
  d.ends("b/0", ExitedWith{0});
  CHECK(d.all_swept() == "exit 1");
}

TEST_CASE("1 and not 125: those that could be started were stopped before that was seen") {
  Driver d;
  d.start({program("a", [](auto& p) {
    resize(p, 2);
    p.spec.restart.limit = RestartLimit{0, 1min};
  })});
  d.spawned("a/0");
  d.launch_fails("a/1");
  CHECK(d.state("a/0") == "stopping");
  d.ready("a/0");
  d.ends("a/0", KilledBy{SIGTERM});
  CHECK(d.all_swept() == "exit 1");
}

TEST_CASE("125: those that were being launched were killed before their exec, whatever it looked like") {
  Driver d;
  d.start({program("a", [](auto& p) {
    resize(p, 2);
    p.spec.restart.limit = RestartLimit{0, 1min};
  })});
  d.spawned("a/0");
  d.launch_fails("a/1");
  d.ready("a/0");
  d.tell(WorkerExited{d.life("a/0"), KilledBy{SIGTERM}, {}, false, true});
  d.output_closes("a/0");
  d.is_swept("a/0");
  CHECK(d.all_swept() == "exit 125");
}

TEST_CASE("0: stopped while the first launch was being tried again") {
  Driver d;
  d.start({program("a")});
  d.launch_fails("a/0");
  d.signal(SIGTERM);
  CHECK(d.all_swept() == "exit 0");
}

TEST_CASE("128+N: a second signal N cut the stop short") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  d.signal(SIGTERM);
  d.signal(SIGINT);
  d.ends("a/0", KilledBy{SIGKILL});
  CHECK(d.all_swept() == "exit 130");
}
