// How tasks end: all done, drained, aborted.
#include "tests/unit/tasks/floor.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::core::testing;

TEST_CASE("the end: workers are dismissed when the last task is answered, and stopped when they do not go") {
  Floor floor(policy(), 2);
  const Life first = floor.come(0);
  const Life second = floor.come(1);
  floor.submit(2);
  floor.answer(first, 0);
  floor.end_input();
  CHECK_FALSE(floor.dispatcher.ended());
  floor.answer(second, 1);
  CHECK(floor.dispatcher.ended());
  CHECK(floor.asked<DismissWorker>().size() == 2);
  CHECK(floor.asked<EndTasks>().size() == 1);
  floor.lose(first);
  floor.wait(9999ms);
  CHECK(floor.asked<StopWorker>().empty());
  floor.wait(1ms);
  REQUIRE(floor.asked<StopWorker>().size() == 1);
  CHECK(floor.asked<StopWorker>()[0].life == second);
  CHECK_FALSE(floor.dispatcher.next_deadline());
}

TEST_CASE("no input: ended at once, and a worker that comes late is stopped") {
  Floor floor(policy(), 1);
  floor.end_input();
  CHECK(floor.dispatcher.ended());
  floor.open(0);
  CHECK(floor.asked<StopWorker>().size() == 1);
}

TEST_CASE("a drain: what is in work ends, what is prefetched is asked back, the rest is left unspent") {
  Floor floor(policy(), 1);
  const Life life = floor.come(0);
  floor.submit(20);
  floor.wait(1ms);
  floor.answer(life, 0);
  const std::size_t given = floor.at_worker[life].size();
  floor.step(DrainAsked{});
  CHECK(floor.asked<RecallTask>().size() == given - 2);
  CHECK(floor.left.size() == 20 - given);
  CHECK(floor.dispatcher.room() == 0);
  for (std::uint64_t task = 2; task < given; ++task) {
    floor.answer(life, task, Answer::given_back);
  }
  CHECK_FALSE(floor.dispatcher.ended());
  floor.answer(life, 1);
  CHECK(floor.dispatcher.ended());
  CHECK(floor.dispatcher.counts().done == 2);
  CHECK(floor.dispatcher.counts().left == 18);
}

TEST_CASE("a worker that dies during a drain: its task is left, and no attempt is spent") {
  Floor floor(policy(), 1);
  const Life life = floor.come(0);
  floor.submit(1);
  floor.step(DrainAsked{});
  floor.lose(life);
  CHECK(floor.left == Floor::Tasks{0});
  CHECK(floor.dispatcher.ended());
}

TEST_CASE("an abort: what workers do not answer any more goes back unspent, even a suspect at its last attempt") {
  TaskPolicy strict = policy();
  strict.retries = 0;
  Floor floor(strict, 1);
  const Life life = floor.come(0);
  floor.submit(1);
  floor.step(AbortAsked{});
  floor.lose(life);
  CHECK(floor.records.empty());
  CHECK(floor.left == Floor::Tasks{0});
}
