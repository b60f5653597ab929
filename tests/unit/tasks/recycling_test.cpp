// Workers that are replaced after a number of tasks.
#include "tests/unit/tasks/floor.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::core::testing;

namespace {

TaskPolicy at_most(std::uint64_t tasks) {
  TaskPolicy limited = policy();
  limited.max_tasks = tasks;
  return limited;
}

}  // namespace

TEST_CASE("a worker gets no more tasks than it may do, and is told so when it has done them") {
  Floor floor(at_most(4), 1);
  floor.submit(10);
  const Life life = floor.come(0);
  floor.answer(life, 0);
  CHECK(floor.at_worker[life] == Floor::Tasks{0, 1, 2, 3});
  floor.answer(life, 1);
  floor.answer(life, 2);
  CHECK(floor.asked<CloseInput>().empty());
  floor.answer(life, 3);
  CHECK(floor.asked<CloseInput>().size() == 1);
  CHECK(floor.at_worker[life].size() == 4);
  floor.lose(life);
  CHECK_MESSAGE(floor.records.size() == 4, "its end is nobody's fault");
  const Life next = floor.come(0);
  CHECK(floor.at_worker[next].front() == 4);
}

TEST_CASE("one task for each worker") {
  Floor floor(at_most(1), 2);
  floor.submit(3);
  const Life left = floor.come(0);
  const Life right = floor.come(1);
  floor.answer(left, 0);
  CHECK(floor.asked<CloseInput>().size() == 1);
  CHECK(floor.at_worker[left] == Floor::Tasks{0});
  CHECK(floor.at_worker[right] == Floor::Tasks{1});
}

TEST_CASE("what a worker gives back it has not done") {
  Floor floor(at_most(2), 1);
  floor.submit(3);
  const Life life = floor.come(0);
  floor.wait(1ms);
  floor.answer(life, 0);
  REQUIRE(floor.at_worker[life] == Floor::Tasks{0, 1});
  floor.submit();
  floor.step(CancelAsked{TaskSlot{1}, TaskId{1}});
  CHECK(floor.asked<TellBegun>().size() == 1);
  floor.answer(life, 1);
  CHECK(floor.asked<CloseInput>().size() == 1);
}

TEST_CASE("a used-up worker that stays is replaced, and a filter that holds back is told that no more comes") {
  Floor floor(at_most(2), 1);
  floor.submit(5);
  const Life life = floor.come(0);
  floor.answer(life, 0);
  SUBCASE("it stays") {
    floor.answer(life, 1);
    floor.wait(10s);
    CHECK(floor.asked<ReplaceWorker>().size() == 1);
  }
  SUBCASE("it holds back") {
    floor.step(WorkerStarved{life});
    CHECK(floor.asked<CloseInput>().size() == 1);
    floor.answer(life, 1);
    CHECK_MESSAGE(floor.asked<CloseInput>().empty(), "once");
  }
}

TEST_CASE("a worker that is old goes when its task is done, one between two tasks at once, and one that never had any stays") {
  TaskPolicy ageing = policy();
  ageing.max_age = 10s;
  Floor floor(ageing, 3);
  const Life busy = floor.come(0);
  const Life idle = floor.come(1);
  const Life fresh = floor.come(2);
  floor.submit(2);
  floor.answer(idle, 1);
  floor.wait(8900ms);
  CHECK_MESSAGE(floor.asked<CloseInput>().empty(), "not more than a tenth before its time");
  floor.wait(1100ms);
  floor.submit(1);
  CHECK_MESSAGE(floor.at_worker[idle] == Floor::Tasks({1}), "it has gone");
  CHECK(floor.at_worker[fresh] == Floor::Tasks({2}));
  floor.answer(busy, 0);
  CHECK(floor.asked<CloseInput>().size() == 1);
  CHECK(floor.at_worker[busy].size() == 1);
  CHECK(floor.asked<ReplaceWorker>().empty());
}

TEST_CASE("they do not all go at once") {
  const Duration first = age_of(10s, 0, 1);
  CHECK((first <= 10s && first > 9s));
  CHECK(age_of(10s, 1, 1) != first);
  CHECK(age_of(10s, 0, 2) != first);
}

TEST_CASE("who has too much memory is found out while it works, and goes when its task is done") {
  TaskPolicy bounded = policy();
  bounded.max_memory = 1000;
  Floor floor(bounded, 1);
  const Life life = floor.come(0);
  floor.wait(1min);
  CHECK_MESSAGE(!floor.dispatcher.next_deadline(), "without work nobody wakes up");
  floor.submit(3);
  floor.wait(500ms);
  REQUIRE(floor.asked<MeasureWorker>().size() == 1);
  floor.step(WorkerMeasured{life, 1000});
  floor.wait(500ms);
  CHECK(floor.asked<MeasureWorker>().size() == 1);
  floor.step(WorkerMeasured{life, 1001});
  CHECK(floor.asked<CloseInput>().empty());
  floor.wait(2s);
  CHECK_MESSAGE(floor.asked<MeasureWorker>().empty(), "it is known already");
  floor.answer(life, 0);
  CHECK(floor.asked<CloseInput>().size() == 1);
  CHECK(floor.at_worker[life].size() == 1);
}
