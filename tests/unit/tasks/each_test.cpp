// One process for each task.
#include "tests/unit/tasks/floor.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::core::testing;

namespace {

TaskPolicy each() {
  TaskPolicy policy = testing::policy();
  policy.each = true;
  policy.greets = policy.can_give_back = false;
  return policy;
}

void ends(Floor& floor, Life life, ExitStatus status) { floor.step(WorkerLost{life, status, {}, false}); }

}  // namespace

TEST_CASE("a worker is called for a task, and not before there is one") {
  Floor floor(each(), 2);
  CHECK(floor.actions.empty());
  floor.submit();
  REQUIRE(floor.asked<CallWorker>().size() == 1);
  CHECK(floor.asked<CallWorker>()[0].task == TaskId{0});
  floor.submit(2);
  CHECK(floor.dispatcher.counts().in_work == 2);
  CHECK(floor.dispatcher.counts().queued == 1);
}

TEST_CASE("the status is the answer: 0 a result, another one an error, a signal none") {
  Floor floor(each(), 1);
  floor.submit(3);
  ends(floor, floor.open(0), ExitedWith{0});
  CHECK(floor.records.at(0).outcome == Outcome::done);
  ends(floor, floor.open(0), ExitedWith{3});
  CHECK(floor.records.at(1).outcome == Outcome::failed);
  CHECK(floor.records.at(1).death->status == ExitStatus(ExitedWith{3}));
  for (int attempt = 0; attempt < 3; ++attempt) {
    floor.wait(1s);
    ends(floor, floor.open(0), KilledBy{9, false});
  }
  CHECK(floor.records.at(2).outcome == Outcome::quarantined);
  CHECK(floor.records.at(2).attempts == 3);
}

TEST_CASE("a process that has ended before it was seen to run took as long as it lived") {
  Floor floor(each(), 1);
  floor.submit();
  floor.step(WorkerLost{floor.open(0), ExitedWith{0}, {}, false, 50ms});
  CHECK(floor.records.at(0).seconds == Duration(50ms));
}

TEST_CASE("a task that is tried again waits its time, and others go first") {
  Floor floor(each(), 1);
  floor.submit(3);
  ends(floor, floor.open(0), KilledBy{9, false});
  CHECK(floor.asked<CallWorker>()[0].task == TaskId{0});  // The first retry follows at once.
  ends(floor, floor.open(0), KilledBy{9, false});
  CHECK(floor.asked<CallWorker>()[0].task == TaskId{1});
  ends(floor, floor.open(0), ExitedWith{0});
  CHECK(floor.asked<CallWorker>()[0].task == TaskId{2});
  ends(floor, floor.open(0), ExitedWith{0});
  CHECK(floor.asked<CallWorker>().empty());
  floor.wait(100ms);
  CHECK(floor.asked<CallWorker>().size() == 1);
}

TEST_CASE("an abort leaves what was called for and has not come; if it comes after all it is stopped") {
  Floor floor(each(), 1);
  floor.submit(1);
  floor.step(AbortAsked{});
  CHECK(floor.left == Floor::Tasks{0});
  CHECK(floor.dispatcher.ended());
  floor.open(0);
  CHECK(floor.asked<StopWorker>().size() == 1);
}

TEST_CASE("a drain lets the process that runs end, and leaves what was only called for") {
  Floor floor(each(), 2);
  floor.submit(3);
  const Life life = floor.open(0);
  floor.step(DrainAsked{});
  CHECK(floor.left == Floor::Tasks{2, 1});
  CHECK_FALSE(floor.dispatcher.ended());
  ends(floor, life, ExitedWith{0});
  CHECK(floor.records.size() == 1);
  CHECK(floor.dispatcher.ended());
}

TEST_CASE("a slot that is closed gives its task to another; when all are closed nothing is waited for") {
  Floor floor(each(), 2);
  floor.submit(3);
  floor.step(SlotClosed{WorkerId{ProgramId{0}, 0}});
  CHECK(floor.dispatcher.counts().queued == 2);
  ends(floor, floor.open(1), ExitedWith{0});
  CHECK(floor.asked<CallWorker>()[0].task == TaskId{0});
  floor.step(SlotClosed{WorkerId{ProgramId{0}, 1}});
  CHECK(floor.dispatcher.ended());
  CHECK(floor.left.size() == 2);
}
