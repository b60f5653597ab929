// What the simulator of tasks has found (tests/simulation/tasks), each as the shortest story that shows it.
#include <algorithm>

#include "tests/unit/tasks/floor.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::core::testing;

namespace {

TaskPolicy filters() {
  TaskPolicy lines = policy();
  lines.greets = false;
  lines.can_give_back = false;
  return lines;
}

/// A worker that has more than half a window of tasks, and one without any.
struct BusyAndIdle {
  explicit BusyAndIdle(const TaskPolicy& policy) : floor(policy, 2) {
    busy = floor.come(0);
    floor.submit(20);
    floor.wait(1ms);
    floor.answer(busy, 0);
    idle = floor.come(1);
    for (std::size_t i = 0; i < floor.at_worker[idle].size(); ++i) {
      floor.wait(1ms);
      floor.answer(idle, floor.at_worker[idle][i]);
    }
  }
  Floor floor;
  Life busy;
  Life idle;
};

}  // namespace

TEST_CASE("a worker that has enough reports an error: the retry goes to one that is idle, at once") {
  TaskPolicy stubborn = policy();
  stubborn.retry_errors = 1;
  BusyAndIdle two(stubborn);
  Floor& floor = two.floor;
  const std::size_t before = floor.at_worker[two.idle].size();
  floor.answer(two.busy, 1, Answer::error);
  CHECK(floor.at_worker[two.idle].size() == before + 1);
}

TEST_CASE("garbage: what was prefetched goes to an idle worker at once, not when the process is gone") {
  BusyAndIdle two(policy());
  Floor& floor = two.floor;
  const std::size_t before = floor.at_worker[two.idle].size();
  floor.step(ChannelBroken{two.busy});
  CHECK(floor.at_worker[two.idle].size() > before);
}

TEST_CASE("a worker whose end is asked for is not heard: garbage that it writes meanwhile changes nothing") {
  Floor floor(policy(), 1);
  const Life silent = floor.open(0);
  floor.wait(60s);
  REQUIRE(floor.asked<ReplaceWorker>().size() == 1);
  floor.step(ChannelBroken{silent});
  CHECK(floor.actions.empty());
}

TEST_CASE("garbage from a worker that was dismissed is told of once, and does not wait for its time to be over") {
  Floor floor(policy(), 1);
  const Life life = floor.come(0);
  floor.end_input();
  floor.step(ChannelBroken{life});
  REQUIRE(floor.asked<ReplaceWorker>().size() == 1);  // The supervisor knows that nobody shall follow it.
  CHECK(floor.asked<ReplaceWorker>()[0].own_fault);
  floor.wait(60s);
  CHECK(floor.asked<StopWorker>().empty());
}

TEST_CASE("garbage from a worker that has no task is held against it, or it would be replaced in a tight loop") {
  Floor floor(policy(), 1);
  SUBCASE("in place of HELLO") { floor.step(ChannelBroken{floor.open(0)}); }
  SUBCASE("after it") { floor.step(ChannelBroken{floor.come(0)}); }
  CHECK(floor.asked<VouchForWorker>().empty());
  REQUIRE(floor.asked<ReplaceWorker>().size() == 1);
  CHECK(floor.asked<ReplaceWorker>()[0].own_fault);
}

TEST_CASE("garbage in the middle of a task is that task's fault") {
  Floor floor(policy(), 1);
  floor.submit();
  floor.step(ChannelBroken{floor.come(0)});
  CHECK(floor.asked<VouchForWorker>().size() == 1);
  CHECK_FALSE(floor.asked<ReplaceWorker>().at(0).own_fault);
}

TEST_CASE("PROGRESS begins the timeout anew, not the task: its time, and the window, go by all of it") {
  Floor floor(policy(), 1);
  const Life life = floor.come(0);
  floor.submit(10);
  floor.wait(10s);
  floor.step(TaskProgressed{life, TaskId{0}});
  floor.wait(1ms);
  floor.answer(life, 0);
  CHECK(floor.records.at(0).seconds == 10s + 1ms);
  CHECK(floor.dispatcher.window() == 1);
}

TEST_CASE("while workers are being stopped, garbage and timeouts cost no attempt either") {
  TaskPolicy strict = policy();
  strict.retries = 0;
  strict.timeout = 1s;
  Floor floor(strict, 1);
  const Life life = floor.come(0);
  floor.submit();
  floor.step(AbortAsked{});
  SUBCASE("garbage") { floor.step(ChannelBroken{life}); }
  SUBCASE("timeout") { floor.wait(1s); }
  CHECK(floor.records.empty());
  CHECK(floor.left == Floor::Tasks{0});
}

TEST_CASE("an error during a drain is the end of its task only when there is no attempt left") {
  TaskPolicy stubborn = policy();
  stubborn.retry_errors = 1;
  Floor floor(stubborn, 1);
  const Life life = floor.come(0);
  floor.submit(1);
  SUBCASE("the first: it is left, as it would be tried again") {
    floor.step(DrainAsked{});
    floor.answer(life, 0, Answer::error);
    CHECK(floor.records.empty());
    CHECK(floor.left == Floor::Tasks{0});
  }
  SUBCASE("the last") {
    floor.answer(life, 0, Answer::error);
    floor.step(DrainAsked{});
    floor.answer(life, 0, Answer::error);
    CHECK(floor.records.at(0).outcome == Outcome::failed);
  }
  CHECK(floor.dispatcher.ended());
}

TEST_CASE("a filter that has answered all after the end of its input, and stays: it is replaced, or nobody would be there") {
  Floor floor(filters(), 1);
  floor.submit(2);
  const Life first = floor.open(0);
  floor.lose(first);
  const Life second = floor.open(0);
  floor.step(WorkerStarved{second});  // The suspect is alone here: nothing else comes.
  REQUIRE(floor.asked<CloseInput>().size() == 1);
  floor.answer(second, 0);
  floor.wait(9999ms);
  CHECK(floor.asked<ReplaceWorker>().empty());
  floor.wait(1ms);
  CHECK(floor.asked<ReplaceWorker>().size() == 1);
  floor.lose(second);
  CHECK(floor.at_worker[floor.open(0)] == Floor::Tasks{1});
}

TEST_CASE("a filter holds back what the order waits for: its input is closed, or nothing would ever be read again") {
  TaskPolicy ordered = filters();
  ordered.order_span = 4;
  Floor floor(ordered, 1);
  const Life life = floor.open(0);
  floor.submit(4);
  while (floor.at_worker[life].size() < 4) {
    floor.step(WorkerStarved{life});
    CHECK(floor.asked<CloseInput>().empty());
  }
  CHECK(floor.dispatcher.room() == 0);
  floor.step(WorkerStarved{life});
  CHECK(floor.asked<CloseInput>().size() == 1);
}

TEST_CASE("a suspect does not wait for another process while one that never had a task is idle") {
  Floor floor(policy(), 2);
  const Life first = floor.come(0);
  const Life second = floor.come(1);
  floor.submit();
  floor.lose(first);
  CHECK(floor.at_worker[second] == Floor::Tasks{0});
}

TEST_CASE("no fresh worker ever comes: when there is nothing else to do, an idle one makes room for one") {
  Floor floor(policy(), 2);
  const Life first = floor.come(0);
  const Life second = floor.come(1);
  floor.submit(2);
  floor.end_input();
  floor.answer(second, 1);
  floor.lose(first);  // Its slot is not used again.
  floor.wait(60s - 1ns);
  CHECK(floor.asked<ReplaceWorker>().empty());
  floor.wait(1ns);
  REQUIRE(floor.asked<ReplaceWorker>().size() == 1);
  CHECK(floor.asked<ReplaceWorker>()[0].life == second);
  floor.lose(second);
  const Life third = floor.come(1);
  CHECK(floor.at_worker[third] == Floor::Tasks{0});
  floor.answer(third, 0);
  CHECK(floor.dispatcher.ended());
}

TEST_CASE("a task that the worker does not have is given back: dropped, as any other stray answer") {
  Floor floor(policy(), 1);
  floor.submit(2);
  const Life life = floor.come(0);
  floor.answer(life, 17, Answer::given_back);
  CHECK(floor.asked<ReplaceWorker>().empty());
  CHECK(floor.dispatcher.counts().dropped == 1);
}
