// A timeout that follows from what tasks take.
#include "tests/unit/tasks/floor.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::core::testing;

TEST_CASE("a timeout may be so many times the median, once ten tasks have told it") {
  TaskPolicy relative = policy();
  relative.timeout_of_median = 3;
  Floor floor(relative, 2);
  const Life life = floor.come(0);
  const Life slow = floor.come(1);
  floor.submit(30);
  const auto answer_next = [&](Duration took) {
    floor.wait(took);
    floor.answer(life, floor.at_worker[life].back());
  };
  for (int i = 0; i < 9; ++i) {
    answer_next(200ms);
  }
  CHECK_MESSAGE(floor.records.size() == 9, "nine are too few: nobody is late");
  answer_next(200ms);
  CHECK_MESSAGE(floor.dispatcher.next_deadline() == floor.now, "those in work may be late by what is known now");
  floor.wait(0ms);
  REQUIRE(floor.records.size() == 11);
  CHECK(floor.records.at(1).mishap == Mishap::timeout);
  CHECK(floor.at_worker[slow].size() == 1);
  floor.wait(590ms);
  CHECK(floor.records.size() == 11);
  floor.wait(40ms);
  CHECK_MESSAGE(floor.records.size() == 12, "three times 200 ms, two percent more or less");
}

TEST_CASE("however short tasks are, a hundred milliseconds are not too long") {
  TaskPolicy relative = policy();
  relative.timeout_of_median = 2;
  Floor floor(relative, 1);
  const Life life = floor.come(0);
  for (std::uint64_t task = 0; task < 12; ++task) {
    floor.submit();
    floor.answer(life, task);
  }
  floor.submit();
  floor.wait(99ms);
  CHECK(floor.records.size() == 12);
  floor.wait(1ms);
  CHECK(floor.records.size() == 13);
}
