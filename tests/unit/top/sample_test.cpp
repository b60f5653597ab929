#include <doctest/doctest.h>

#include "supervisor/cli/top/quantities.hpp"
#include "supervisor/cli/top/sample.hpp"

namespace corral::cli::top {
namespace {

TEST_CASE("texts that come in parts, and numbers of every size") {
  const auto sample =
      read_status(R"({"w\u006frkers": [{"w\u006frker": "a\u002f\"0", "p\u0069d": 18446744073709551615, "restarts": 1e3,
    "cpu_seconds": -0.5, "memory_bytes": 9223372036854775807, "uptime_seconds": 1e999, "cores": ""}]})");
  REQUIRE(sample);
  const WorkerSample& worker = sample->workers.at(0);
  CHECK(worker.name == "a/\"0");
  CHECK(worker.pid == 18446744073709551615U);
  CHECK(worker.memory_bytes == 9223372036854775807U);
  CHECK(worker.cpu_seconds == -0.5);
  CHECK(worker.restarts == 0);  // No whole number.
  CHECK_FALSE(worker.uptime_seconds);
}

TEST_CASE("a status as the API has it") {
  const auto sample = read_status(R"({"supervisor": {"pid": 7, "version": "0.1.0", "config": "/c.json", "uptime_seconds": 12.5,
    "phase": "running"}, "programs": [{}, {}], "workers": [
    {"worker": "a/0", "program": "a", "index": 0, "state": "running", "wanted": "up", "pid": 4123, "incarnation": 3, "cores": "0-1",
     "uptime_seconds": 12.0, "restarts": 2, "cpu_seconds": 11.9, "memory_bytes": 123456, "next_start_seconds": null},
    {"worker": "a/1", "program": "a", "index": 1, "state": "backoff", "wanted": "up", "pid": null, "cores": null,
     "next_start_seconds": 0.2}]})");
  REQUIRE(sample);
  CHECK(sample->pid == 7);
  CHECK(sample->uptime_seconds == 12.5);
  CHECK(sample->programs == 2);
  REQUIRE(sample->workers.size() == 2);
  CHECK(sample->workers[0].pid == 4123);
  CHECK(sample->workers[0].cores == "0-1");
  CHECK(sample->workers[0].wanted_up);
  CHECK(sample->workers[0].memory_bytes == 123456);
  CHECK_FALSE(sample->workers[1].pid);
  CHECK(sample->workers[1].cores.empty());
  CHECK(sample->workers[1].next_start_seconds == 0.2);
}

TEST_CASE("what is no status is refused, and what is of another kind is left out") {
  CHECK_FALSE(read_status("<html>"));
  CHECK_FALSE(read_status("{}"));
  CHECK_FALSE(read_status("[]"));
  CHECK_FALSE(read_status(R"({"workers": []} {})"));
  CHECK_FALSE(read_status(R"({"workers": [)"));
  CHECK(read_status("{\"workers\": []}\r\n "));
  CHECK_FALSE(read_status(R"({"workers": 3})"));
  const auto sample = read_status(R"({"workers": [3, null, {"worker": 5, "pid": "x", "restarts": -1, "cpu_seconds": "a"}],
    "supervisor": "no", "programs": 3})");
  REQUIRE(sample);
  CHECK(sample->workers.size() == 3);
  CHECK(sample->workers[2].name.empty());
  CHECK_FALSE(sample->workers[2].cpu_seconds);
}

TEST_CASE("what lies deeper than a status says nothing, and every element counts") {
  const auto sample =
      read_status(R"({"x": {"workers": [{}], "pid": 3}, "supervisor": {"pid": 9, "y": {"pid": 4}}, "programs": [1, {"a": {}}],
    "workers": [{"x": {"pid": 5}, "pid": 7, "y": [{"pid": 6}, 8]}, [{"worker": "b/0"}]]})");
  REQUIRE(sample);
  CHECK(sample->pid == 9);
  CHECK(sample->programs == 2);
  REQUIRE(sample->workers.size() == 2);
  CHECK(sample->workers[0].pid == 7);
  CHECK(sample->workers[1].name.empty());
}

TEST_CASE("the latest event of each worker, without its name") {
  const auto events = read_events(R"({"events": [
    {"worker": "a/0", "text": "a/0 (pid 7) started"}, {"message": "3 workers stopped"}, {"worker": "a/1", "message": "a/1: SIGKILL now"},
    {"worker": "a/0", "text": "a/0 (pid 7) exited with status 3"}, {"worker": "a/2", "message": "else"}, 5]})");
  REQUIRE(events);
  CHECK(*events == LastEvents{{"a/0", "exited with status 3"}, {"a/1", "SIGKILL now"}, {"a/2", "else"}});
  CHECK(read_events(R"([{"worker": "a/0", "message": "x"}])")->size() == 1);
  CHECK(read_events("3")->empty());
  CHECK_FALSE(read_events("{"));
}

TEST_CASE("an error in words") {
  CHECK(read_error(R"({"error": "no such worker"})", 404) == "no such worker");
  CHECK(read_error("oops", 500) == "the supervisor answers with status 500");
}

TEST_CASE("numbers in few cells") {
  CHECK(short_time(0) == "0s");
  CHECK(short_time(59.9) == "59s");
  CHECK(short_time(725) == "12m05");
  CHECK(short_time(12'000) == "3h20");
  CHECK(short_time(1e7) == "115d");
  CHECK(short_time(-5) == "0s");
  CHECK(short_time(1e300) == "99999d");
  CHECK(short_size(512) == "512");
  CHECK(short_size(12'600) == "12.3K");
  CHECK(short_size(1'048'575) == "1.0M");
  CHECK(short_size(1ULL << 32U) == "4.0G");
  CHECK(short_size(~0ULL) == "16.0E");
  CHECK(short_rate(0.254) == "0.25");
  CHECK(short_rate(12.52) == "12.5");
  CHECK(short_rate(1234) == "1234");
  CHECK(short_rate(56'000) == "56k");
  CHECK(short_share(0.998) == "99.8");
  CHECK(short_share(12.5) == "1250");
  for (double value = 1e-3; value < 1e12; value *= 1.07) {
    CHECK(short_rate(value).size() <= 5);
    CHECK(short_time(value).size() <= 6);
    CHECK(short_size(static_cast<std::uint64_t>(value)).size() <= 5);
  }
}

}  // namespace
}  // namespace corral::cli::top
