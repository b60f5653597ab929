// Who has submitted a task has no use for it any more.
#include "tests/unit/tasks/floor.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::core::testing;

namespace {

CancelAsked cancel(std::uint32_t task) { return {TaskSlot{task}, TaskId{task}}; }

/// One worker at task 0, with three behind it.
Life busy(Floor& floor) {
  const Life life = floor.come(0);
  floor.submit(5);
  floor.wait(1ms);
  floor.answer(life, 0);
  REQUIRE(floor.at_worker[life].size() == 5);
  return life;
}

}  // namespace

TEST_CASE("a task that waits is cancelled at once, and never given out") {
  Floor floor(policy(), 1);
  floor.submit(3);
  floor.step(cancel(1));
  CHECK(floor.left == Floor::Tasks{1});
  CHECK(floor.dispatcher.counts().cancelled == 1);
  const Life life = floor.come(0);
  floor.answer(life, 0);
  floor.answer(life, 2);
  CHECK(floor.at_worker[life] == Floor::Tasks{0, 2});
}

TEST_CASE("a task in work cannot be cancelled, and that is said") {
  Floor floor(policy(), 1);
  const Life life = busy(floor);
  floor.step(cancel(1));
  CHECK(floor.asked<TellBegun>().size() == 1);
  CHECK(floor.asked<RecallTask>().empty());
  floor.answer(life, 1);
  CHECK(floor.records.at(1).outcome == Outcome::done);
}

TEST_CASE("a prefetched one is asked back, and its worker decides") {
  Floor floor(policy(), 1);
  const Life life = busy(floor);
  floor.step(cancel(3));
  REQUIRE(floor.asked<RecallTask>().size() == 1);
  floor.step(cancel(3));
  CHECK_MESSAGE(floor.asked<RecallTask>().empty(), "once");
  SUBCASE("it has not begun") {
    floor.answer(life, 3, Answer::given_back);
    CHECK(floor.left == Floor::Tasks{3});
    floor.submit();
    CHECK_MESSAGE(floor.at_worker[life].back() == 5, "who gives back what it was asked for is not on its way out");
  }
  SUBCASE("it has done it already") {
    floor.answer(life, 3);
    CHECK(floor.records.contains(3));
    CHECK(floor.left.empty());
  }
  SUBCASE("it says nothing") {
    floor.wait(199ms);
    CHECK(floor.actions.empty());
    floor.wait(1ms);
    CHECK(floor.asked<TellBegun>().size() == 1);
    floor.answer(life, 3, Answer::given_back);
    CHECK_MESSAGE(floor.left.empty(), "too late: it was said that it has begun");
    CHECK(floor.asked<DeliverTask>().size() == 1);
    CHECK_MESSAGE(floor.asked<ReplaceWorker>().empty(), "it was asked back: nobody is on its way out");
  }
  SUBCASE("its worker dies") {
    floor.lose(life);
    CHECK(floor.left == Floor::Tasks{3});
    CHECK(floor.dispatcher.counts().queued == 3);
  }
  SUBCASE("its worker dies when it is its turn") {
    floor.answer(life, 1);
    floor.answer(life, 2);
    floor.lose(life);
    CHECK_MESSAGE(floor.left == Floor::Tasks{3}, "nobody wants it to be tried again");
  }
}

TEST_CASE("who gives a task back that it was not asked for is on its way out, even if another one was asked for it before") {
  Floor floor(policy(), 1);
  const Life life = busy(floor);
  floor.step(cancel(3));
  floor.wait(200ms);
  floor.answer(life, 3, Answer::given_back);  // Too late: it is given out again.
  REQUIRE(floor.at_worker[life].back() == 3);
  floor.answer(life, 1);
  floor.answer(life, 2);
  floor.answer(life, 4);
  floor.answer(life, 3, Answer::given_back);
  CHECK(floor.asked<CloseInput>().size() == 1);
}

TEST_CASE("an error of a task that is being cancelled is its end") {
  TaskPolicy retrying = policy();
  retrying.retry_errors = 3;
  Floor floor(retrying, 1);
  const Life life = busy(floor);
  floor.step(cancel(3));
  floor.answer(life, 3, Answer::error);
  CHECK(floor.records.at(3).outcome == Outcome::failed);
}

TEST_CASE("who knows nothing of cancelling is not asked") {
  TaskPolicy filters = policy();
  filters.can_give_back = false;
  Floor floor(filters, 1);
  busy(floor);
  floor.step(cancel(3));
  CHECK(floor.asked<RecallTask>().empty());
  CHECK(floor.asked<TellBegun>().size() == 1);
}

TEST_CASE("a suspect that is kept for a fresh worker is cancelled, and the worker serves the others") {
  TaskPolicy slow = policy();
  slow.retry_delay = 10s;
  Floor floor(slow, 1);
  floor.submit(2);
  for (int i = 0; i < 2; ++i) {
    floor.lose(floor.come(0));
  }
  const Life third = floor.come(0);
  CHECK(floor.at_worker[third].empty());
  floor.step(cancel(0));
  CHECK(floor.left == Floor::Tasks{0});
  CHECK(floor.at_worker[third] == Floor::Tasks{1});
}

TEST_CASE("a slot that is used again is not the task that was meant") {
  Floor floor(policy(), 1);
  floor.submit(2);
  floor.step(CancelAsked{TaskSlot{1}, TaskId{0}});
  CHECK(floor.left.empty());
  floor.step(CancelAsked{TaskSlot{99}, TaskId{99}});
  CHECK(floor.left.empty());
}

TEST_CASE("in order, a cancelled task keeps nobody waiting") {
  TaskPolicy ordered = policy();
  ordered.order_span = 4;
  Floor floor(ordered, 1);
  floor.submit(4);
  CHECK(floor.dispatcher.room() == 0);
  floor.step(cancel(0));
  CHECK(floor.dispatcher.room() == 1);
}
