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
