#include "supervisor/shell/events/chronicle.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "tests/unit/events/support.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::shell;
using namespace corral::shell::test;
using nlohmann::json;

namespace {

Stamp fixed() { return {1000, Instant(1s)}; }

std::vector<std::uint64_t> numbers(const std::vector<SharedEvent>& events) {
  std::vector<std::uint64_t> all;
  for (const SharedEvent& event : events) {
    all.push_back(event->number);
  }
  return all;
}

using Numbers = std::vector<std::uint64_t>;

/// The sequence numbers of all that can be taken; 0 for a gap.
Numbers take_all(Subscription& listener) {
  Numbers all;
  while (const auto text = listener.take()) {
    all.push_back(json::parse(text->json).value("seq", 0U));
  }
  return all;
}

}  // namespace

TEST_CASE("the history forgets its oldest and says how many") {
  Chronicle chronicle(names(), {.events = 3}, fixed);
  for (std::uint32_t i = 1; i <= 5; ++i) {
    CHECK(chronicle.add(Started{life(0, i), 1})->number == i);
  }
  CHECK(numbers(chronicle.find({})) == Numbers{3, 4, 5});
  CHECK(chronicle.forgotten() == 2);
  const auto lines = chronicle.history({});
  REQUIRE(lines.size() == 4);
  CHECK(json::parse(lines[0])["event"] == "history_dropped");
  CHECK(json::parse(lines[0])["count"] == 2);
  CHECK(json::parse(lines[3])["seq"] == 5);
  CHECK(chronicle.history({}, 2).size() == 2);
  CHECK(chronicle.history({}, SIZE_MAX, 3).size() == 2);  // Nothing is missing after number 3.
  CHECK(chronicle.history({}, SIZE_MAX, chronicle.last()).empty());
  CHECK(chronicle.history({}, SIZE_MAX, 5000) == chronicle.history({}, SIZE_MAX, 0));  // A number of another supervisor's.
  CHECK(chronicle.history({}, SIZE_MAX, 1).size() == 4);
  CHECK(chronicle.history({}, SIZE_MAX, 5).empty());
}

TEST_CASE("the history is bounded in bytes too") {
  Chronicle chronicle(names(), {.bytes = 10'000}, fixed);
  for (int i = 0; i < 100; ++i) {
    chronicle.add(Said{Weight::notable, "note", std::string(3000, 'x')});
  }
  CHECK(chronicle.find({}).size() == 3);
  chronicle.add(Said{Weight::notable, "note", std::string(50'000, 'x')});
  CHECK(chronicle.find({}).empty());
  CHECK(chronicle.forgotten() == 101);
}

TEST_CASE("a filter names programs, workers, and patterns of them") {
  Chronicle chronicle(names(), {}, fixed);
  chronicle.add(Started{life(0, 1), 1});             // 1: crunch/0
  chronicle.add(Started{life(11, 1), 1});            // 2: crunch/11
  chronicle.add(Started{life(0, 1, 1), 1});          // 3: sort/0
  chronicle.add(ProgramFailed{ProgramId{0}, 1});     // 4: crunch
  chronicle.add(Finished{0});                        // 5: all
  chronicle.add(Said{Weight::notable, "note", ""});  // 6: all
  const auto found = [&](std::vector<std::string> whom, std::vector<std::string> events = {}) {
    return numbers(chronicle.find({std::move(whom), std::move(events)}));
  };
  CHECK(found({}) == Numbers{1, 2, 3, 4, 5, 6});
  CHECK(found({"crunch"}) == Numbers{1, 2, 4});
  CHECK(found({"crunch/1*"}) == Numbers{2, 4});
  CHECK(found({"crunch/0", "sort/0"}) == Numbers{1, 3, 4});
  CHECK(found({"*/0"}) == Numbers{1, 3, 4});
  CHECK(found({"so*"}) == Numbers{3});
  CHECK(found({"nobody"}).empty());
  CHECK(found({}, {"worker_started"}) == Numbers{1, 2, 3});
  CHECK(found({"crunch"}, {"program_failed", "note"}) == Numbers{4});
  CHECK(numbers(chronicle.find({{"crunch"}, {}}, 1)) == Numbers{4});
}

TEST_CASE("a listener that does not take what it is given loses the oldest and is told how many") {
  Chronicle chronicle(names(), {}, fixed);
  int woken = 0;
  const auto listener = chronicle.subscribe({}, 2, [&] { ++woken; });
  REQUIRE(listener);
  CHECK_FALSE(listener->take());
  for (std::uint32_t i = 1; i <= 5; ++i) {
    chronicle.add(Started{life(0, i), 1});
  }
  CHECK(woken == 1);
  CHECK(listener->lost() == 3);
  const json gap = json::parse(listener->take()->json);
  CHECK(gap["event"] == "events_dropped");
  CHECK(gap["count"] == 3);
  CHECK(take_all(*listener) == Numbers{4, 5});
  chronicle.add(Finished{0});
  CHECK(woken == 2);
  CHECK(take_all(*listener) == Numbers{6});
}

TEST_CASE("listeners are apart from each other, and gone when they are let go") {
  Chronicle chronicle(names(), {.listeners = 2}, fixed);
  auto slow = chronicle.subscribe({}, 1, {});
  const auto quick = chronicle.subscribe({{"sort"}, {}}, 10, {});
  CHECK_FALSE(chronicle.subscribe({}, 1, {}));
  chronicle.add(Started{life(0, 1), 1});
  chronicle.add(Started{life(0, 1, 1), 1});
  CHECK(take_all(*quick) == Numbers{2});
  CHECK(take_all(*slow) == Numbers{0, 2});
  slow.reset();
  CHECK(chronicle.subscribe({}, 1, {}));
}

TEST_CASE("a listener may begin with what came before, and is told of a gap there too") {
  Chronicle chronicle(names(), {.events = 2}, fixed);
  for (std::uint32_t i = 1; i <= 5; ++i) {
    chronicle.add(Started{life(0, i), 1});
  }
  const auto from_four = chronicle.subscribe({}, 10, {}, 4);
  const auto from_one = chronicle.subscribe({}, 10, {}, 1);
  chronicle.add(Finished{0});
  CHECK(take_all(*from_four) == Numbers{5, 6});
  CHECK(take_all(*from_one) == Numbers{0, 4, 5, 6});
}
