// Workers that take too long, say nothing, or say what they should not.
#include "tests/unit/tasks/floor.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::core::testing;

TEST_CASE("a task that runs past its timeout is quarantined, its worker replaced, its neighbours unharmed") {
  TaskPolicy strict = policy();
  strict.timeout = 1s;
  Floor floor(strict, 1);
  const Life life = floor.come(0);
  floor.submit(10);
  floor.wait(1ms);
  floor.answer(life, 0);
  CHECK(floor.at_worker[life].size() > 2);
  floor.wait(999ms);
  CHECK(floor.records.size() == 1);
  SUBCASE("too late") {
    floor.wait(1ms);
    CHECK(floor.asked<ReplaceWorker>().size() == 1);
    CHECK(floor.records.at(1).outcome == Outcome::quarantined);
    CHECK(floor.records.at(1).mishap == Mishap::timeout);
    CHECK(floor.records.at(1).attempts == 1);
    floor.answer(life, 1);  // It comes after all: nobody listens.
    CHECK(floor.records.at(1).outcome == Outcome::quarantined);
    floor.lose(life);
    const Life fresh = floor.come(0);
    CHECK(floor.at_worker[fresh].front() == 2);
    floor.answer(fresh, 2);
    CHECK(floor.records.at(2).attempts == 1);
  }
  SUBCASE("the time of the next one begins when it is the oldest") {
    floor.answer(life, 1);
    floor.wait(999ms);
    CHECK(floor.records.size() == 2);
    floor.wait(1ms);
    CHECK(floor.records.at(2).mishap == Mishap::timeout);
  }
  SUBCASE("progress begins it anew") {
    floor.step(TaskProgressed{life, TaskId{1}});
    floor.step(TaskProgressed{life, TaskId{2}});  // Not the one in work: it counts for nothing.
    floor.wait(999ms);
    CHECK(floor.records.size() == 1);
    floor.wait(1ms);
    CHECK(floor.records.at(1).mishap == Mishap::timeout);
  }
}

TEST_CASE("a worker that never says HELLO is replaced, and not vouched for") {
  Floor floor(policy(), 1);
  floor.submit();
  const Life silent = floor.open(0);
  floor.wait(60s);
  REQUIRE(floor.asked<ReplaceWorker>().size() == 1);
  CHECK(floor.asked<ReplaceWorker>()[0].why == ReplaceWorker::Why::never_greeted);
  CHECK(floor.asked<VouchForWorker>().empty());
  floor.step(WorkerGreeted{silent});
  CHECK(floor.at_worker.empty());
}

TEST_CASE("garbage on the channel: the worker is replaced, its task tried again") {
  Floor floor(policy(), 1);
  floor.submit(2);
  const Life life = floor.come(0);
  floor.step(ChannelBroken{life});
  CHECK(floor.asked<ReplaceWorker>().size() == 1);
  CHECK(floor.asked<TellRetry>().size() == 1);
  floor.answer(life, 0);
  CHECK(floor.records.empty());
  floor.lose(life);
  CHECK(floor.at_worker[floor.come(0)] == Floor::Tasks{0});
}

TEST_CASE("a worker that gives tasks back unasked is no worker") {
  Floor floor(policy(), 1);
  floor.submit(2);
  const Life life = floor.come(0);
  floor.answer(life, 0, Answer::given_back);
  CHECK(floor.asked<ReplaceWorker>().size() == 1);
}
