// "on_event" and "crashes", and the line of a file that decides.
#include <doctest/doctest.h>

#include "tests/unit/config/support.hpp"

using namespace corral;
using namespace corral::config;
using namespace corral::config::test;
using namespace std::chrono_literals;

namespace {
constexpr std::string_view programs = R"("programs": {"p": {"command": ["x"]}})";
std::string document(std::string_view keys) { return "{" + std::string(programs) + ", " + std::string(keys) + "}"; }
}  // namespace

TEST_CASE("a hook has a command, and perhaps events and a time") {
  CHECK_FALSE(good(document(R"("stay": true)")).on_event);
  const auto plain = good(document(R"("on_event": {"command": ["./notify", "${HOME}"]})")).on_event;
  REQUIRE(plain);
  CHECK(plain->command.size() == 2);
  CHECK(plain->events.empty());
  CHECK(plain->timeout == 10s);
  const auto full =
      good(document(R"("on_event": {"command": ["x"], "events": ["worker_ended", "degraded"], "timeout": "30s"})")).on_event;
  CHECK(full->events == std::vector<std::string>{"worker_ended", "degraded"});
  CHECK(full->timeout == 30s);
}

TEST_CASE("an event that there is not is a mistake, and the one that was meant is named") {
  const std::string said = only_mistake(document(R"("on_event": {"command": ["x"], "events": ["worker_end"]})"));
  CHECK(said.find("did you mean \"worker_ended\"?") != std::string::npos);
  CHECK_FALSE(bad(document(R"("on_event": {"command": ["x"], "events": []})")).empty());
  CHECK_FALSE(bad(document(R"("on_event": {"command": ["x"], "events": ["stopping", "stopping"]})")).empty());
  CHECK_FALSE(bad(document(R"("on_event": {"command": ["x"], "events": ["hook_failed"]})")).empty());
  CHECK_FALSE(bad(document(R"("on_event": {"events": ["stopping"]})")).empty());
  CHECK_FALSE(bad(document(R"("on_event": {"command": [], "timeout": "0s"})")).empty());
}

TEST_CASE("crash records have a folder and a number") {
  const auto plain = good(document(R"("crashes": {"folder": "/var/crashes"})")).crashes;
  REQUIRE(plain);
  CHECK(plain->folder == "/var/crashes");
  CHECK(plain->keep == 100);
  CHECK(good(document(R"("crashes": {"folder": "a", "keep": 1})")).crashes->keep == 1);
  CHECK_FALSE(bad(document(R"("crashes": {"folder": "a", "keep": 0})")).empty());
  CHECK_FALSE(bad(document(R"("crashes": {"keep": 5})")).empty());
  CHECK_FALSE(bad(document(R"("crashes": {"folder": ""})")).empty());
}

TEST_CASE("the line that decides is that of the key, or of the object that could have it") {
  const Source file{"c.json", R"({
  // why
  "programs": {
    "a": {"command": ["x"],
      "restart": {
        "delay": "1s"
      }
    },
    "b": {"command": ["y"], "restart": "never"}
  }
}
)"};
  const auto places = locate(file, {"/programs/a/restart/delay", "/programs/a/restart/factor", "/programs/b/restart/when",
                                    "/programs/b/stop/grace", "/programs/gone/stop", "", "/programs/b/restart/limit/within"});
  REQUIRE(places.size() == 7);
  CHECK(places[0].line == 6);
  CHECK(places[0].text == R"("delay": "1s")");
  CHECK(places[0].written);
  CHECK(places[1].line == 5);
  CHECK_FALSE(places[1].written);
  CHECK(places[2].line == 9);
  CHECK(places[2].written);
  CHECK(places[3].line == 9);
  CHECK_FALSE(places[3].written);
  CHECK(places[4].line == 3);
  CHECK(places[5].line == 1);
  CHECK(places[6].line == 9);
  CHECK_FALSE(places[6].written);
}

TEST_CASE("what is no JSON any more has no lines") {
  for (const std::string text : {"", "{", "[1,", "\xff", "{\"programs\": }"}) {
    const auto places = locate({"c.json", text}, {"/programs/a/stop"});
    REQUIRE(places.size() == 1);
    CHECK(places[0].line == 0);
  }
  CHECK(locate({"c.json", "[]"}, {"/programs/a"})[0].line == 1);
  CHECK(locate({"c.json", "{\"a\": \"\\u001b[31m" + std::string(500, 'x') + "\"}"}, {"/a"})[0].text.size() < 120);
}
