// Workers that die, lie or take too long.
#include "tests/unit/tasks/floor.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::core::testing;

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

TEST_CASE("a worker that closes its channel and lives on is replaced in a moment, its task tried again") {
  Floor floor(policy(), 1);
  floor.submit(2);
  const Life life = floor.come(0);
  floor.step(ChannelClosed{life});
  floor.wait(999ms);
  CHECK(floor.asked<ReplaceWorker>().empty());
  SUBCASE("it dies as expected: that tells more") {
    floor.lose(life);
    CHECK(floor.asked<TellRetry>()[0].mishap == Mishap::died);
  }
  SUBCASE("it lives on") {
    floor.wait(1ms);
    REQUIRE(floor.asked<ReplaceWorker>().size() == 1);
    CHECK(floor.asked<TellRetry>()[0].mishap == Mishap::garbage);
  }
}

TEST_CASE("a worker that closes its channel before HELLO is not waited for any longer") {
  Floor floor(policy(), 1);
  floor.submit(1);
  floor.step(ChannelClosed{floor.open(0)});
  floor.wait(1s);
  CHECK(floor.asked<ReplaceWorker>().size() == 1);
}

TEST_CASE("time for which nobody was awake is no time of a task") {
  TaskPolicy strict = policy();
  strict.timeout = 1s;
  Floor floor(strict, 1);
  const Life life = floor.come(0);
  floor.submit(1);
  floor.now += 60s;
  floor.step(TimeLost{59s});
  floor.step(TaskDeadlineReached{});
  CHECK(floor.records.size() == 1);  // A second of it was its own.
  Floor other(strict, 1);
  const Life working = other.come(0);
  other.submit(1);
  other.now += 60s;
  other.step(TimeLost{60s});
  other.step(TaskDeadlineReached{});
  CHECK(other.records.empty());
  other.answer(working, 0);
  CHECK(other.records.at(0).outcome == Outcome::done);
  floor.answer(life, 0);
}

TEST_CASE("a filter that waits for input does not use up the time of its task") {
  TaskPolicy lines = policy();
  lines.greets = lines.can_give_back = false;
  lines.timeout = 1s;
  Floor floor(lines, 1);
  floor.submit(1);
  const Life life = floor.open(0);
  floor.wait(900ms);
  floor.step(WorkerStarved{life});
  floor.wait(900ms);
  CHECK(floor.records.empty());
  floor.wait(100ms);
  CHECK(floor.records.at(0).mishap == Mishap::timeout);
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
