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
  CHECK(floor.asked<DismissWorker>().empty());
  const Life next = floor.come(1);
  CHECK_MESSAGE(floor.at_worker[next].empty(), "its successor waits");
  floor.answer(life, 3);
  CHECK(floor.asked<DismissWorker>().size() == 1);
  CHECK(floor.at_worker[life].size() == 4);
  CHECK_MESSAGE(floor.at_worker[next].front() == 4, "for that and no longer");
  floor.lose(life);
  CHECK_MESSAGE(floor.records.size() == 4, "its end is nobody's fault");
  for (std::uint64_t task = 4; task < 8; ++task) {
    floor.answer(next, task);
  }
  CHECK_MESSAGE(floor.asked<DismissWorker>().size() == 1, "the two slots take turns");
  CHECK(floor.at_worker[floor.come(0)].front() == 8);
}

TEST_CASE("a successor is called as many tasks before the last one as its start takes, once") {
  Floor floor(at_most(8), 1);
  floor.submit(20);
  const Life life = floor.open(0);
  floor.wait(30ms);
  floor.step(WorkerGreeted{life});  // A start takes 30 ms.
  for (std::uint64_t task = 0; task < 4; ++task) {
    floor.wait(10ms);
    floor.answer(life, task);
  }
  CHECK_MESSAGE(floor.asked<CallRelief>().size() == 1, "with the fifth task: three are left");
  CHECK(floor.dispatcher.cells() == "#");
  floor.wait(10ms);
  floor.answer(life, 4);
  CHECK(floor.asked<CallRelief>().empty());
}

TEST_CASE("who dies when its successor is on the way is not followed by two") {
  Floor floor(at_most(2), 1);
  floor.submit(5);
  const Life life = floor.come(0);
  floor.answer(life, 0);
  CHECK(floor.asked<CallRelief>().size() == 1);
  floor.lose(life);
  CHECK(floor.asked<DismissWorker>().size() == 1);
  const Life next = floor.come(1);
  CHECK_MESSAGE(floor.at_worker[next] == Floor::Tasks{1}, "alone: it has taken one down");
}

TEST_CASE("nobody is called when nothing is left to be done") {
  Floor floor(at_most(1), 1);
  floor.submit(1);
  floor.end_input();
  const Life life = floor.come(0);
  CHECK(floor.asked<CallRelief>().empty());
  floor.answer(life, 0);
  CHECK(floor.asked<CallRelief>().empty());
  CHECK(floor.dispatcher.ended());
}

TEST_CASE("one task for each worker") {
  Floor floor(at_most(1), 2);
  floor.submit(3);
  const Life left = floor.come(0);
  const Life right = floor.come(1);
  floor.answer(left, 0);
  CHECK(floor.asked<DismissWorker>().size() == 1);
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
  CHECK(floor.asked<DismissWorker>().size() == 1);
}

TEST_CASE("a used-up worker that stays is replaced, and a filter that holds back is told that no more comes") {
  Floor floor(at_most(2), 1);
  floor.submit(5);
  const Life life = floor.come(0);
  floor.answer(life, 0);
  SUBCASE("it stays") {
    floor.answer(life, 1);
    floor.wait(10s);
    REQUIRE(floor.asked<ReplaceWorker>().size() == 1);
    CHECK_MESSAGE(floor.asked<ReplaceWorker>().front().relieved, "its successor is in its other slot");
  }
  SUBCASE("it holds back") {
    floor.step(WorkerStarved{life});
    CHECK(floor.asked<CloseInput>().size() == 1);
    floor.answer(life, 1);
    CHECK_MESSAGE(floor.asked<CloseInput>().empty(), "once");
  }
}

TEST_CASE("a worker that is old goes on until its successor has come, and one that never had a task does not age") {
  TaskPolicy ageing = policy();
  ageing.max_age = 10s;
  Floor floor(ageing, 2);
  const Life life = floor.come(0);
  const Life fresh = floor.come(1);
  floor.submit(2);
  floor.answer(life, 0);
  floor.wait(8900ms);
  CHECK_MESSAGE(floor.asked<CallRelief>().empty(), "not more than a tenth before its time");
  floor.wait(age_of(10s, 0, 1) - 8900ms);
  REQUIRE(floor.asked<CallRelief>().size() == 1);
  CHECK(floor.asked<CallRelief>().front().worker.index == 2);
  floor.submit(1);
  CHECK(floor.at_worker[life] == Floor::Tasks({0, 2}));
  const Life next = floor.come(2);
  CHECK_MESSAGE(floor.asked<DismissWorker>().empty(), "it is at a task");
  floor.answer(life, 2);
  CHECK(floor.asked<DismissWorker>().size() == 1);
  floor.submit(1);
  CHECK((floor.at_worker[next] == Floor::Tasks({3}) || floor.at_worker[fresh] == Floor::Tasks({1, 3})));
}

TEST_CASE("a worker whose successor does not come gets nothing more when it is too old, and goes") {
  TaskPolicy ageing = policy();
  ageing.max_age = 10s;
  Floor floor(ageing, 1);
  const Life life = floor.come(0);
  floor.submit(2);
  floor.wait(10s);
  floor.answer(life, 0);
  CHECK(floor.asked<DismissWorker>().size() == 1);
  CHECK(floor.at_worker[life].size() == 1);
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
  floor.step(WorkerMeasured{life, share_of(1000, 0, 1)});
  CHECK(floor.asked<CallRelief>().empty());
  floor.wait(500ms);
  CHECK(floor.asked<MeasureWorker>().size() == 1);
  floor.step(WorkerMeasured{life, 1000});
  CHECK_MESSAGE(floor.asked<CallRelief>().size() == 1, "before it is too much");
  floor.wait(500ms);
  floor.step(WorkerMeasured{life, 1001});
  CHECK(floor.asked<DismissWorker>().empty());
  floor.wait(2s);
  CHECK_MESSAGE(floor.asked<MeasureWorker>().empty(), "it is known already");
  floor.answer(life, 0);
  CHECK(floor.asked<DismissWorker>().size() == 1);
  CHECK(floor.at_worker[life].size() == 1);
}

TEST_CASE("what a worker with too much memory has not begun is asked back, and nobody takes that for its wish to end") {
  TaskPolicy bounded = policy();
  bounded.max_memory = 1000;
  Floor floor(bounded, 1);
  const Life life = floor.come(0);
  floor.submit(1);
  floor.wait(1ms);
  floor.answer(life, 0);
  floor.submit(2);
  REQUIRE(floor.at_worker[life] == Floor::Tasks({0, 1, 2}));
  floor.step(WorkerMeasured{life, 1001});
  REQUIRE(floor.asked<RecallTask>().size() == 1);
  CHECK(floor.asked<RecallTask>().front().task == TaskId{2});
  const Life next = floor.come(1);
  floor.answer(life, 2, Answer::given_back);
  CHECK(floor.asked<ReplaceWorker>().empty());
  floor.answer(life, 1);
  CHECK(floor.asked<DismissWorker>().size() == 1);
  CHECK(floor.at_worker[next] == Floor::Tasks({2}));
}
