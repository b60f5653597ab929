// An event as JSON: every kind of notice, each with the name that the one list has for it.
#include "supervisor/shell/events/event.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <vector>

#include "supervisor/core/event_names.hpp"
#include "tests/unit/events/support.hpp"

using namespace corral;
using namespace corral::core;
using namespace corral::shell;
using namespace corral::shell::test;
using nlohmann::json;

namespace {

std::vector<Notice> one_of_each() {
  Ended ended{
      life(1, 3), 4123, KilledBy{SIGSEGV, true}, 3200ms, {1500ms, 20ms, 1U << 20U}, false, {Verdict::Kind::restart, 2, 200ms},
      false,      2};
  return {Started{life(1, 3), 4123},
          std::move(ended),
          LaunchFailed{life(1, 3), {LaunchStep::exec, ENOENT, "/no \"such\"\n"}, {Verdict::Kind::not_restarted}, 1},
          StopSignalled{life(1, 3), SIGTERM, 10s, 4123, StopWhy::replaced},
          KillSent{life(1, 3), 10s, 4123},
          SignalRefused{life(1, 3), 4123, SIGTERM, EPERM, 10s, {}},
          Unkillable{life(1, 3), 4123, EPERM},
          GoneAtLast{life(1, 3)},
          OutputHeld{life(1, 3)},
          ProgramFailed{ProgramId{0}, 11, 60s, true},
          ShutdownBegun{{StopCause::Kind::signal, SIGINT}, 4},
          DrainBegun{SIGINT},
          ShutdownForced{SIGINT, 2},
          SignalIgnored{SIGUSR1, 4711},
          SignalPassedOn{SIGUSR1, 4, 1},
          RollBegun{3, 1},
          RollEnded{{CommandOutcome::Kind::failed, 1, WorkerId{ProgramId{0}, 1}, 2}},
          Reloaded{1, 2, 3, 4, true},
          Scaled{ProgramId{0}, 3, {1, 0, 2, 0}},
          TrialPassed{2},
          TrialEnded{{ProgramId{0}, 1}},
          TrialFailed{life(1, 3), 10s},
          RolledBack{{1, 2, 3, 4}},
          LeftBehind{{3, 1, EPERM, 77, true}},
          ShellBrokePromise{{ProgramId{0}, 1}, "exited while backoff"},
          Finished{1}};
}

shell::Event event_of(Notice notice) { return {7, {1'769'860'800'123, Instant(1500ms)}, std::move(notice)}; }

}  // namespace

TEST_CASE("every notice is one JSON object with its name, its time, and a sentence") {
  const Narrator narrator = names();
  const std::vector<Notice> all = one_of_each();
  REQUIRE(all.size() == notice_names.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    CAPTURE(notice_names[i]);
    REQUIRE(all[i].index() == i);
    const shell::Event event = event_of(all[i]);
    CHECK(narrator.tell(all[i]).event == notice_names[i]);
    const std::string text = to_json(event, narrator);
    CHECK(text.find('\n') == std::string::npos);
    const json parsed = json::parse(text);
    CHECK(parsed["event"] == notice_names[i]);
    CHECK(parsed["seq"] == 7);
    CHECK(parsed["time"] == "2026-01-31T12:00:00.123Z");
    CHECK(parsed["monotonic"] == 1.5);
    CHECK_FALSE(parsed["text"].get<std::string>().empty());
    CHECK_FALSE(parsed["level"].get<std::string>().empty());
    if (life_of(all[i])) {
      CHECK(parsed["worker"] == "crunch/1");
      CHECK(parsed["program"] == "crunch");
      CHECK(parsed["incarnation"] == 3);
    }
  }
}

TEST_CASE("a log line is the same object, with its source, and the sentence as its message") {
  const Narrator narrator = names();
  for (const Notice& notice : one_of_each()) {
    const shell::Event event = event_of(notice);
    json line = json::parse(to_log_line(event, story_of(event, narrator), narrator));
    json alone = json::parse(to_json(event, narrator));
    CHECK(line["source"] == "corral");
    CHECK(line["message"] == alone["text"]);
    line.erase("source");
    line.erase("message");
    alone.erase("text");
    CHECK(line == alone);
  }
}

TEST_CASE("an end tells its cause and what follows") {
  const json end = json::parse(to_json(event_of(one_of_each()[1]), names()));
  CHECK(end["pid"] == 4123);
  CHECK(end["signal"] == SIGSEGV);
  CHECK(end["signal_name"] == "SIGSEGV");
  CHECK(end["core_dump"] == true);
  CHECK(end["out_of_memory"] == false);
  CHECK(end["seconds"] == 3.2);
  CHECK(end["user_seconds"] == 1.5);
  CHECK(end["max_rss_bytes"] == 1U << 20U);
  CHECK(end["next"] == "restart");
  CHECK(end["restart"] == 2);
  CHECK(end["delay_seconds"] == 0.2);
  CHECK(end["unhealthy_in_a_row"] == 2);
  CHECK_FALSE(end.contains("exit_status"));
  const json launch = json::parse(to_json(event_of(one_of_each()[2]), names()));
  CHECK(launch["step"] == "exec");
  CHECK(launch["errno"] == ENOENT);
  CHECK(launch["error"] == "No such file or directory");
  CHECK(launch["next"] == "not_restarted");
  const json stop = json::parse(to_json(event_of(one_of_each()[3]), names()));
  CHECK(stop["why"] == "replaced");
  CHECK(stop["grace_seconds"] == 10.0);
}

TEST_CASE("what the shell says by itself is an event like any other") {
  const shell::Event event{1, {}, Said{Weight::trouble, "degraded", "no /proc", R"("more":1)"}};
  const json parsed = json::parse(to_json(event, names()));
  CHECK(parsed["event"] == "degraded");
  CHECK(parsed["level"] == "error");
  CHECK(parsed["more"] == 1);
  CHECK(parsed["text"] == "no /proc");
  CHECK(name_of(event) == "degraded");
}

TEST_CASE("seconds to the microsecond") {
  CHECK(json_seconds(1500ms) == "1.500000");
  CHECK(json_seconds(0s) == "0.000000");
  CHECK(json_seconds(-2us) == "-0.000002");
}
