// Which task goes to whom, and which answer counts.
#include "tests/unit/tasks/floor.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::core::testing;

TEST_CASE("tasks go out one at a time until it is known how long one takes, and nobody gets one before HELLO") {
  Floor floor(policy(), 2);
  floor.submit(5);
  const Life first = floor.open(0);
  CHECK(floor.at_worker.empty());
  floor.step(WorkerGreeted{first});
  const Life second = floor.come(1);
  CHECK(floor.at_worker[first] == Floor::Tasks{0});
  CHECK(floor.at_worker[second] == Floor::Tasks{1});
}

TEST_CASE("long tasks go out one at a time, tiny ones deep enough to hide the pipe") {
  Floor floor(policy(), 1);
  const Life life = floor.come(0);
  floor.submit(600);
  SUBCASE("long") {
    floor.wait(50ms);
    floor.answer(life, 0);
    CHECK(floor.dispatcher.window() == 1);
    CHECK(floor.at_worker[life] == Floor::Tasks{0, 1});
  }
  SUBCASE("of a millisecond: a few") {
    floor.wait(1ms);
    floor.answer(life, 0);
    CHECK(floor.dispatcher.window() == 6);
    CHECK(floor.at_worker[life].size() == 7);
  }
  SUBCASE("tiny") {
    floor.wait(5us);
    floor.answer(life, 0);
    CHECK(floor.dispatcher.window() == 256);
    CHECK(floor.at_worker[life].size() == 257);
    // And not one more until half of them are answered.
    for (std::uint64_t task = 1; task < 128; ++task) {
      floor.answer(life, task);
      CHECK(floor.at_worker[life].size() == 257);
    }
    floor.answer(life, 128);
    CHECK(floor.at_worker[life].size() == 257 + 128);
  }
}

TEST_CASE("where little is left, everybody gets a share") {
  Floor floor(policy(), 4);
  std::vector<Life> lives;
  for (std::uint32_t i = 0; i < 4; ++i) {
    lives.push_back(floor.come(i));
  }
  floor.submit(24);
  floor.wait(10us);
  for (std::uint32_t i = 0; i < 4; ++i) {
    floor.answer(lives[i], i);
  }
  for (const Life life : lives) {
    CHECK(floor.at_worker[life].size() >= 3);
    CHECK(floor.at_worker[life].size() <= 9);
  }
}

TEST_CASE("a result is recorded with its attempt, its worker and its time") {
  Floor floor(policy(), 2);
  const Life life = floor.come(1);
  floor.submit();
  floor.wait(70ms);
  floor.answer(life, 0);
  const RecordTask& record = floor.records.at(0);
  CHECK(record.outcome == Outcome::done);
  CHECK(record.attempts == 1);
  CHECK(record.life == life);
  CHECK(record.seconds == 70ms);
  CHECK_FALSE(record.mishap);
}

TEST_CASE("only the worker that has a task can answer it, and only once") {
  Floor floor(policy(), 2);
  const Life mine = floor.come(0);
  const Life other = floor.come(1);
  floor.submit(2);
  floor.answer(other, 0);
  floor.answer(mine, 17);
  CHECK(floor.records.empty());
  floor.answer(mine, 0);
  floor.answer(mine, 0);
  CHECK(floor.records.size() == 1);
  floor.lose(mine);
  floor.answer(mine, 0);
  CHECK(floor.dispatcher.counts().dropped == 4);
  CHECK(floor.dispatcher.counts().done == 1);
}

TEST_CASE("the input is not read ahead of the workers, nor ahead of the order") {
  TaskPolicy narrow = policy();
  narrow.most_queued = 3;
  SUBCASE("by the queue") {
    Floor floor(narrow, 1);
    CHECK(floor.dispatcher.room() == 3);
    floor.submit(3);
    CHECK(floor.dispatcher.room() == 0);
    floor.come(0);
    CHECK(floor.dispatcher.room() == 1);
  }
  SUBCASE("by the order") {
    narrow.most_queued = 100;
    narrow.order_span = 4;
    Floor floor(narrow, 2);
    const Life slow = floor.come(0);
    const Life quick = floor.come(1);
    floor.submit(4);
    floor.answer(quick, 1);
    floor.answer(quick, 2);
    CHECK(floor.dispatcher.room() == 0);
    floor.answer(slow, 0);
    CHECK(floor.dispatcher.room() == 3);
  }
}

TEST_CASE("a filter that holds its output back gets more input, and in the end the end of it") {
  TaskPolicy lines = policy();
  lines.greets = false;
  lines.can_give_back = false;
  Floor floor(lines, 1);
  floor.submit(7);
  const Life life = floor.open(0);
  CHECK(floor.at_worker[life].size() == 1);
  floor.step(WorkerStarved{life});
  CHECK(floor.at_worker[life].size() == 2);
  floor.step(WorkerStarved{life});
  floor.step(WorkerStarved{life});
  CHECK(floor.at_worker[life].size() == 7);
  floor.step(WorkerStarved{life});
  CHECK(floor.asked<CloseInput>().empty());  // More may come.
  floor.end_input();
  floor.step(WorkerStarved{life});
  CHECK(floor.asked<CloseInput>().size() == 1);
  for (std::uint64_t task = 0; task < 7; ++task) {
    floor.answer(life, task);
  }
  CHECK(floor.dispatcher.ended());
}
