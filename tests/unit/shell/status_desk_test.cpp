#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "supervisor/shell/status_desk.hpp"

using namespace std::chrono_literals;

namespace corral::shell {
namespace {

struct Desk {
  void ask(std::string who, std::uint64_t generation, Duration at = 0ms) {
    desk.ask(generation, Instant{} + at, [this, who = std::move(who)](const api::Answered& answered) {
      said.push_back(who + ": " + std::get<api::Whole>(answered).reply->body);
    });
  }
  void show(std::uint64_t generation, std::string body, Duration at = 0ms) {
    control::Reply reply;
    reply.body = std::move(body);
    desk.show(generation, Instant{} + at, std::move(reply));
  }
  std::vector<std::string> take() { return std::exchange(said, {}); }

  int looks = 0;
  std::vector<std::string> said;
  StatusDesk desk{[this] { ++looks; }};
};

using Said = std::vector<std::string>;

TEST_CASE("one look serves all who asked before it was taken") {
  Desk desk;
  desk.ask("a", 5);
  desk.ask("b", 5);
  desk.ask("c", 6);
  CHECK(desk.looks == 1);
  CHECK(desk.take() == Said{});
  desk.show(6, "six");
  CHECK(desk.take() == Said{"a: six", "b: six", "c: six"});
  CHECK(desk.looks == 1);
}

TEST_CASE("who has done something since a look was taken waits for the next one") {
  Desk desk;
  desk.ask("a", 5);
  desk.ask("b", 7);
  desk.show(6, "six");
  CHECK(desk.take() == Said{"a: six"});
  CHECK(desk.looks == 2);
  desk.ask("c", 7);
  CHECK(desk.looks == 2);
  desk.show(7, "seven");
  CHECK(desk.take() == Said{"b: seven", "c: seven"});
  CHECK(desk.looks == 2);
}

TEST_CASE("what was seen is told again while it is true and young") {
  Desk desk;
  desk.ask("a", 1);
  desk.show(1, "one", 10ms);
  CHECK(desk.take() == Said{"a: one"});
  desk.ask("b", 1, 109ms);
  CHECK(desk.take() == Said{"b: one"});
  CHECK(desk.looks == 1);
  SUBCASE("not when something has happened") { desk.ask("c", 2, 20ms); }
  SUBCASE("not when its figures are old") { desk.ask("c", 1, 110ms); }
  CHECK(desk.take() == Said{});
  CHECK(desk.looks == 2);
}

}  // namespace
}  // namespace corral::shell
