// Which of its tasks a worker is taken to have been at, and whether that one is tried again.
#include "tests/unit/tasks/floor.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::core::testing;

TEST_CASE("a worker that has marked the task in work takes down that one: those before it were done, and their answers held") {
  Floor floor(policy(), 1);
  const Life life = floor.come(0);
  floor.submit(7);
  floor.wait(1ms);
  floor.answer(life, 0);
  REQUIRE(floor.at_worker[life] == Floor::Tasks{0, 1, 2, 3, 4, 5, 6});

  SUBCASE("by its death") { floor.step(WorkerLost{life, KilledBy{11, false}, {}, false, {}, TaskId{4}}); }
  SUBCASE("by garbage") {
    floor.step(ChannelBroken{life, TaskId{4}});
    floor.lose(life);
  }
  const Life fresh = floor.come(0);
  CHECK(floor.at_worker[fresh] == Floor::Tasks{4});
  floor.wait(1ms);
  floor.answer(fresh, 4);
  CHECK(floor.records.at(4).attempts == 2);
  CHECK(floor.at_worker[fresh] == Floor::Tasks{4, 1, 2, 3, 5, 6});
  for (const std::uint64_t task : {1U, 2U, 3U, 5U, 6U}) {
    floor.answer(fresh, task);
    CHECK(floor.records.at(task).attempts == 1);
  }
}

TEST_CASE("a mark of a task that the worker does not have means nothing: it was at the oldest") {
  Floor floor(policy(), 1);
  const Life life = floor.come(0);
  floor.submit(3);
  std::optional<TaskId> at;
  SUBCASE("one that it has answered") {
    floor.answer(life, 0);
    at = TaskId{0};
  }
  SUBCASE("one that never was") { at = TaskId{77}; }
  floor.step(WorkerLost{life, KilledBy{11, false}, {}, false, {}, at});
  REQUIRE(floor.asked<TellRetry>().size() == 1);
  CHECK(floor.asked<TellRetry>()[0].task == TaskId{at == TaskId{0} ? 1U : 0U});
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

TEST_CASE("a result that is longer than may be is not tried again: it would be as long") {
  Floor floor(policy(), 1);
  floor.submit(2);
  const Life life = floor.come(0);
  floor.step(ChannelBroken{life, std::nullopt, true});
  CHECK(floor.asked<ReplaceWorker>().size() == 1);
  CHECK(floor.records.at(0).mishap == Mishap::too_long);
  CHECK(floor.records.at(0).outcome == Outcome::quarantined);
  CHECK(floor.records.at(0).attempts == 1);
}
