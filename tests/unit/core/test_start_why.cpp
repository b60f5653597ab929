// What is said of why a life begins.
#include <doctest/doctest.h>

#include <csignal>

#include "tests/unit/core/driver.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::core::testing;

namespace {

void at_once(PlannedProgram& planned) { planned.spec.restart.delay = {}; }
void other(PlannedProgram& planned) { planned.spec.launch.command = {"other"}; }
void two(PlannedProgram& planned) { resize(planned, 2); }

/// What is said when it runs.
std::string begins(Driver& d, std::string_view worker) {
  d.up(worker);
  const std::string said = d.notices();
  const std::size_t at = said.find("started as 4000");
  REQUIRE(at != std::string::npos);
  return said.substr(at, said.find('\n', at) - at);
}

}  // namespace

TEST_CASE("a life begins because the configuration has it, or because the one before has ended") {
  Driver d;
  d.start({program("a", at_once)});
  CHECK(begins(d, "a/0") == "started as 4000");
  d.ends("a/0", ExitedWith{1});
  CHECK(begins(d, "a/0") == "started as 4000 (restart)");
  d.ends("a/0", ExitedWith{1});
  d.launch_fails("a/0");
  d.pass(1s);
  CHECK(begins(d, "a/0") == "started as 4000 (restart)");
}

TEST_CASE("or because somebody has said so") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  d.command(StopWorkers{d.ids({"a/0"})});
  d.ends("a/0", KilledBy{SIGTERM});
  d.command(StartWorkers{d.ids({"a/0"})});
  CHECK(begins(d, "a/0") == "started as 4000 (asked)");
  SUBCASE("and wants another life of one that runs") {
    d.command(RestartWorkers{d.ids({"a/0"}), {}});
    d.ends("a/0", KilledBy{SIGTERM});
    CHECK(begins(d, "a/0") == "started as 4000 (restarted)");
  }
  SUBCASE("or of one that is being stopped") {
    d.command(StopWorkers{d.ids({"a/0"})});
    d.command(StartWorkers{d.ids({"a/0"})});
    d.ends("a/0", KilledBy{SIGTERM});
    CHECK(begins(d, "a/0") == "started as 4000 (restarted)");
  }
  SUBCASE("or does not want to wait for what the policy has said") {
    d.ends("a/0", ExitedWith{1});
    CHECK(d.state("a/0") == "backoff");
    d.command(StartWorkers{d.ids({"a/0"})});
    CHECK(begins(d, "a/0") == "started as 4000 (asked)");
  }
}

TEST_CASE("or because a reload has changed it, or brought it") {
  Driver d;
  d.start({program("a")});
  d.up("a/0");
  SUBCASE("its definition") {
    d.reload({program("a", other)});
    d.ends("a/0", KilledBy{SIGTERM});
    CHECK(begins(d, "a/0") == "started as 4000 (replaced)");
    d.ends("a/0", ExitedWith{1});
    d.reload({program("a")});  // While it waits for its restart.
    CHECK(begins(d, "a/0") == "started as 4000");
  }
  SUBCASE("more of them") {
    d.rescale({program("a", two)});
    CHECK(begins(d, "a/1") == "started as 4000");
  }
}
