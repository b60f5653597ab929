// Signals that leave nothing but a line in the log, many times over.
#include <doctest/doctest.h>

#include <csignal>

#include "tests/unit/core/driver.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::core::testing;

TEST_CASE("a storm of signals is passed on one by one and told of once a second") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  d.signal(SIGUSR1);
  CHECK(d.notices() == "passed on USR1 to 1\n");
  for (int i = 0; i < 1000; ++i) {
    CHECK(d.signal(SIGUSR1) == "signal a/0#1 USR1");
    CHECK(d.notices().empty());
  }
  CHECK(d.due() == 1s);
  d.signal(SIGUSR2);  // Another one is told of at once.
  CHECK(d.said("passed on USR2 to 1"));
  d.pass(1s);
  CHECK(d.notices() == "passed on USR1 to 1 × 1000\n");
  CHECK_FALSE(d.due());
  d.pass(500ms);
  d.signal(SIGUSR1);
  CHECK(d.notices().empty());
  d.pass(500ms);
  CHECK(d.notices() == "passed on USR1 to 1\n");
  d.pass(2s);
  d.signal(SIGUSR1);
  CHECK(d.notices() == "passed on USR1 to 1\n");
}

TEST_CASE("what was counted of a storm is told of before the end") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  for (int i = 0; i < 3; ++i) {
    d.signal(SIGALRM);
  }
  d.ends("a/0", ExitedWith{0});
  d.all_swept();
  CHECK(d.said("ignored ALRM × 2"));
}
