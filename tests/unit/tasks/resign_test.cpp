// Workers that end because somebody else has told them to.
#include "tests/unit/tasks/floor.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::core::testing;

TEST_CASE("a worker that was told to end by somebody else gives back what it has not begun, and gets nothing more") {
  Floor floor(policy(), 1);
  floor.submit(20);
  const Life life = floor.come(0);
  floor.wait(1ms);
  floor.answer(life, 0);
  const std::size_t given = floor.at_worker[life].size();
  CHECK(given > 3);
  for (std::uint64_t task = 2; task < given; ++task) {
    floor.answer(life, task, Answer::given_back);
  }
  CHECK(floor.at_worker[life].size() == given);
  SUBCASE("it ends by itself") {
    floor.answer(life, 1);
    floor.lose(life);
    const Life next = floor.come(0);
    CHECK(floor.at_worker[next].front() == 2);
    floor.answer(next, 2);
    CHECK(floor.records.at(2).attempts == 1);
  }
  SUBCASE("it stays: it has its time to go, and is replaced then") {
    floor.answer(life, 1, Answer::given_back);
    CHECK(floor.asked<CloseInput>().size() == 1);
    CHECK(floor.asked<ReplaceWorker>().empty());
    CHECK(floor.asked<VouchForWorker>().empty());
    floor.wait(policy().leave_within);
    REQUIRE(floor.asked<ReplaceWorker>().size() == 1);
    CHECK_FALSE(floor.asked<ReplaceWorker>()[0].own_fault);
  }
}

TEST_CASE("a worker resigns: what crossed that goes back uncharged, and its end is no death at work") {
  TaskPolicy strict = policy();
  strict.retries = 0;
  Floor floor(strict, 1);
  floor.submit(20);
  const Life life = floor.come(0);
  SUBCASE("with tasks that it does not know of yet") {
    floor.answer(life, 0);
    floor.step(WorkerResigned{life});
    CHECK(floor.dispatcher.counts().in_work == 0);
    CHECK(floor.asked<CloseInput>().size() == 1);
    CHECK(floor.asked<DeliverTask>().empty());
    floor.lose(life);
    CHECK(floor.at_worker[floor.come(0)].front() == 1);
    CHECK(floor.records.size() == 1);
  }
  SUBCASE("and stays, without having done anything: its own fault") {
    floor.step(WorkerResigned{life});
    floor.wait(policy().leave_within);
    REQUIRE(floor.asked<ReplaceWorker>().size() == 1);
    CHECK(floor.asked<ReplaceWorker>()[0].own_fault);
    CHECK(floor.asked<VouchForWorker>().empty());
  }
  SUBCASE("while all drains: none follows") {
    floor.answer(life, 0);
    floor.step(DrainAsked{});
    floor.step(WorkerResigned{life});
    CHECK(floor.dispatcher.ended());
    CHECK(floor.dispatcher.counts().left == 19);
  }
}

TEST_CASE("a worker that has a suspect, or is kept for one, and resigns: the suspect stays one") {
  Floor floor(policy(), 1);
  floor.submit(2);
  floor.lose(floor.come(0));
  const Life life = floor.come(0);
  REQUIRE(floor.at_worker[life] == Floor::Tasks{0});
  floor.step(WorkerResigned{life});
  floor.lose(life);
  const Life next = floor.come(0);
  CHECK(floor.at_worker[next] == Floor::Tasks{0});
  floor.answer(next, 0);
  CHECK(floor.records.at(0).attempts == 2);
}
