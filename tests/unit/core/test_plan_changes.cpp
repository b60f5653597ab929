// What a reload would do to each worker, told before it is done.
#include <doctest/doctest.h>

#include <csignal>

#include "supervisor/core/plan_changes.hpp"
#include "tests/unit/core/driver.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::core::testing;

namespace {

void two(PlannedProgram& planned) { resize(planned, 2); }
void other(PlannedProgram& planned) {
  resize(planned, 3);
  planned.spec.launch.command = {"other"};
}

/// "restart a/0; start b/0"
std::string words(const std::vector<WorkerChange>& changes) {
  std::string text;
  for (const WorkerChange& change : changes) {
    text.append(text.empty() ? "" : "; ").append(name(change.kind)).append(" ").append(change.worker);
  }
  return text;
}

}  // namespace

TEST_CASE("a plan is kept, changed, joined and left") {
  const Plan before{{program("a", two), program("b"), program("c")}};
  const Plan next{{program("a", other), program("b"), program("d")}};
  const std::vector<WorkerChange> list = changes(before, next);
  CHECK(words(list) == "restart a/0; restart a/1; start a/2; keep b/0; start d/0; stop c/0");
  CHECK(list.front().why == "changed: command, workers");
}

TEST_CASE("who does not run is started or stays down, whatever the plan replaces") {
  Driver d;
  d.start({program("a", two), program("b")}, true);
  d.up("a/0");
  d.up("a/1");
  d.up("b/0");
  d.ends("a/1", ExitedWith{0});
  d.command(StopWorkers{d.ids({"a/0"})});
  std::vector<WorkerChange> list = changes(Plan{{program("a", two), program("b")}}, Plan{{program("a", other), program("b")}});
  heed_states(list, d.snapshot());
  CHECK(words(list) == "keep a/0; start a/1; start a/2; keep b/0");
  std::vector<WorkerChange> gone = changes(Plan{{program("a", two), program("b")}}, Plan{});
  heed_states(gone, d.snapshot());
  CHECK(words(gone) == "stop a/0; stop a/1; stop b/0");
  CHECK(gone[1].why == "the program has left the configuration; it does not run");
  CHECK(gone[2].why == "the program has left the configuration");
  CHECK(list.front().why == "changed: command, workers; a command has stopped it, and it stays down");
}
