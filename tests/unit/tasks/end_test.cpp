// The end of the input, drains and aborts.
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

TEST_CASE("a drain: a worker that dies, or has to go, is followed by none, for nothing would be given to it") {
  for (const bool hangs : {false, true}) {
    TaskPolicy hasty = policy();
    hasty.timeout = 1s;
    Floor floor(hasty, 2);
    const Life first = floor.come(0);
    floor.come(1);
    floor.submit(2);
    floor.step(DrainAsked{});
    if (hangs) {
      floor.wait(1s);
      REQUIRE_FALSE(floor.asked<ReplaceWorker>().empty());
      CHECK(floor.asked<ReplaceWorker>()[0].relieved);
    } else {
      floor.lose(first);
      REQUIRE(floor.asked<DismissWorker>().size() == 1);
      CHECK(floor.asked<DismissWorker>()[0].life == first);
    }
  }
}

TEST_CASE("so many failures end it: what is in work may end, or not even that") {
  for (const bool at_once : {false, true}) {
    TaskPolicy careful = policy();
    careful.halt = Halt{at_once, 2, 0};
    Floor floor(careful, 1);
    const Life life = floor.come(0);
    floor.submit(20);
    floor.answer(life, 0, Answer::error);
    CHECK(floor.asked<HaltTasks>().empty());
    const std::uint64_t next = floor.at_worker[life][1];
    floor.answer(life, next, Answer::error);
    REQUIRE(floor.asked<HaltTasks>().size() == 1);
    CHECK(floor.asked<HaltTasks>()[0].at_once == at_once);
    CHECK(floor.dispatcher.room() == 0);
    CHECK(floor.dispatcher.counts().queued == 0);
  }
}

TEST_CASE("a share of failures counts once enough tasks have ended") {
  TaskPolicy careful = policy();
  careful.halt = Halt{false, 1, 0.25};
  Floor floor(careful, 1);
  const Life life = floor.come(0);
  floor.submit(100);
  for (std::uint64_t task = 0; task < 9; ++task) {
    floor.answer(life, task, task < 2 ? Answer::error : Answer::result);
    CHECK(floor.asked<HaltTasks>().empty());
  }
  floor.answer(life, 9);
  CHECK(floor.asked<HaltTasks>().empty());  // 2 of 10.
  floor.answer(life, 10, Answer::error);
  CHECK(floor.asked<HaltTasks>().size() == 1);  // 3 of 11.
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
