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

TEST_CASE("a worker that dies takes down only its oldest task; what was prefetched goes back uncharged and first") {
  Floor floor(policy(), 2);
  const Life life = floor.come(0);
  floor.submit(1000);
  floor.wait(1ms);
  floor.answer(life, 0);
  CHECK(floor.at_worker[life] == Floor::Tasks{0, 1, 2, 3, 4, 5, 6});
  floor.lose(life);
  const auto retries = floor.asked<TellRetry>();
  REQUIRE(retries.size() == 1);
  CHECK(retries[0].task == TaskId{1});
  CHECK(retries[0].of == 3);
  CHECK(floor.dispatcher.counts().in_work == 0);

  SUBCASE("it is tried again alone on a fresh worker, and nothing goes beside it") {
    const Life fresh = floor.come(0);
    CHECK(floor.at_worker[fresh] == Floor::Tasks{1});
    floor.submit(10);
    CHECK(floor.at_worker[fresh] == Floor::Tasks{1});
    floor.wait(1ms);
    floor.answer(fresh, 1);
    CHECK(floor.records.at(1).attempts == 2);
    // The others as they came, each in its first attempt.
    const Floor::Tasks& given = floor.at_worker[fresh];
    CHECK(Floor::Tasks(given.begin(), given.begin() + 6) == Floor::Tasks{1, 2, 3, 4, 5, 6});
    floor.answer(fresh, 2);
    CHECK(floor.records.at(2).attempts == 1);
  }
  SUBCASE("a worker that is not fresh does not get it") {
    const Life other = floor.come(1);  // Fresh: it gets it.
    CHECK(floor.at_worker[other] == Floor::Tasks{1});
    const Life fresh = floor.come(0);
    CHECK(floor.at_worker[fresh].front() == 2);
  }
}

TEST_CASE("a task that keeps killing workers is quarantined, with the last death in its story") {
  TaskPolicy cautious = policy();
  cautious.retry_delay = 100ms;
  Floor floor(cautious, 1);
  floor.submit(2);
  floor.lose(floor.come(0));
  floor.lose(floor.come(0));  // The first retry follows at once.
  const Life third = floor.come(0);
  CHECK(floor.at_worker[third].empty());  // The second waits.
  floor.wait(99ms);
  CHECK(floor.at_worker[third].empty());
  floor.wait(1ms);
  CHECK(floor.at_worker[third] == Floor::Tasks{0});
  floor.lose(third);
  const RecordTask& record = floor.records.at(0);
  CHECK(record.outcome == Outcome::quarantined);
  CHECK(record.attempts == 3);
  CHECK(record.mishap == Mishap::died);
  REQUIRE(record.death);
  CHECK(record.death->status == ExitStatus(KilledBy{11, false}));
  const Life next = floor.come(0);
  CHECK(floor.at_worker[next] == Floor::Tasks{1});
}

TEST_CASE("a worker that is lost while it is kept for a suspect gives it to the next") {
  Floor floor(policy(), 1);
  floor.submit();
  floor.lose(floor.come(0));
  floor.lose(floor.come(0));
  const Life holding = floor.come(0);
  floor.lose(holding);
  const Life next = floor.come(0);
  floor.wait(100ms);
  CHECK(floor.at_worker[next] == Floor::Tasks{0});
  floor.answer(next, 0);
  CHECK(floor.records.at(0).attempts == 3);
}

TEST_CASE("an error that the worker reports is the end of it, unless errors are retried") {
  TaskPolicy stubborn = policy();
  SUBCASE("not retried") {
    Floor floor(stubborn, 1);
    floor.submit();
    floor.answer(floor.come(0), 0, Answer::error);
    CHECK(floor.records.at(0).outcome == Outcome::failed);
    CHECK(floor.records.at(0).mishap == Mishap::reported);
  }
  SUBCASE("retried once, by any worker") {
    stubborn.retry_errors = 1;
    Floor floor(stubborn, 1);
    const Life life = floor.come(0);
    floor.submit();
    floor.answer(life, 0, Answer::error);
    CHECK(floor.records.empty());
    CHECK(floor.at_worker[life] == Floor::Tasks{0, 0});
    floor.answer(life, 0, Answer::error);
    CHECK(floor.records.at(0).outcome == Outcome::failed);
    CHECK(floor.records.at(0).attempts == 2);
  }
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

TEST_CASE("who has answered is vouched for, once; who dies in a task after that program has proven itself too") {
  Floor floor(policy(), 1);
  floor.submit(3);
  const Life life = floor.come(0);
  floor.answer(life, 0);
  CHECK(floor.asked<VouchForWorker>().size() == 1);
  floor.answer(life, 1);
  CHECK(floor.asked<VouchForWorker>().empty());
  floor.lose(life);
  CHECK(floor.asked<VouchForWorker>().empty());
  floor.lose(floor.come(0));
  CHECK(floor.asked<VouchForWorker>().size() == 1);
  floor.lose(floor.open(0));
  CHECK(floor.asked<VouchForWorker>().empty());  // It had nothing to do: its own fault.
}
