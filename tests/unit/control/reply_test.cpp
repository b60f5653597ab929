#include "supervisor/control/reply.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "view_of.hpp"

using namespace corral;
using namespace corral::control;
using namespace std::chrono_literals;
using Json = nlohmann::json;

namespace {

Json document(const Reply& reply) {
  CHECK(reply.type == "application/json");
  REQUIRE(reply.body.ends_with("\n"));
  return Json::parse(reply.body);
}

core::CommandOutcome of(core::CommandOutcome::Kind kind, std::uint32_t workers = 0) { return {kind, workers, WorkerId{}}; }

std::string program_state(std::vector<core::State> states, bool failed = false) {
  View view;
  ProgramView& program = view.programs.emplace_back(ProgramId{0}, "a", failed);
  for (core::State& state : states) {
    program.workers.push_back(worker_of("a", static_cast<std::uint32_t>(program.workers.size()), std::move(state)));
  }
  return document(programs(view))["programs"][0]["state"];
}

}  // namespace

TEST_CASE("the status has the supervisor, its programs and its workers") {
  View view = view_of_three();
  view.programs[0].workers[1].measure = Measure{1.5, 4096};
  view.programs[0].workers[1].cores = "0-1";
  const Json status = document(control::status(view));
  CHECK(status["supervisor"]["pid"] == 42);
  CHECK(status["supervisor"]["uptime_seconds"] == 60.0);
  CHECK(status["supervisor"]["phase"] == "running");
  CHECK(status["programs"][0] ==
        Json::parse(R"({"program":"crunch","state":"running","workers":2,"running":2,"failed":false,"tasks":null})"));
  CHECK(status["workers"].size() == 4);
  CHECK(status["workers"][1] == Json::parse(R"({"worker":"crunch/1","program":"crunch","index":1,"state":"running","wanted":"up",
      "pid":101,"incarnation":1,"cores":"0-1","uptime_seconds":5.0,"restarts":0,"cpu_seconds":1.5,"memory_bytes":4096,
      "next_start_seconds":null,"tasks_done":null})"));
  CHECK(status["workers"][0]["cpu_seconds"].is_null());
}

TEST_CASE("one worker, or 404") {
  const View view = view_of_three();
  CHECK(document(worker(view, "web-a/0"))["worker"] == "web-a/0");
  CHECK(worker(view, "web-a/1").status == 404);
  CHECK(worker(view, "").status == 404);
  CHECK(document(workers(view))["workers"].size() == 4);
}

TEST_CASE("one without a process has none of its numbers, and says when it has one") {
  View view = view_of_three();
  view.programs[1].workers[0] = worker_of("web-a", 0, core::Backoff{view.now + 1500ms});
  const Json waits = document(worker(view, "web-a/0"));
  CHECK(waits["pid"].is_null());
  CHECK(waits["uptime_seconds"].is_null());
  CHECK(waits["next_start_seconds"] == 1.5);
  view.programs[1].workers[0] = worker_of("web-a", 0, core::Backoff{view.now - 1s});
  CHECK(document(worker(view, "web-a/0"))["next_start_seconds"] == 0.0);  // It is due.
}

TEST_CASE("a program is as well as its worst worker") {
  const core::Exited well{ExitedWith{0}};
  CHECK(program_state({core::Running{}, core::Running{}}) == "running");
  CHECK(program_state({core::Running{}, core::Backoff{}}) == "backoff");
  CHECK(program_state({core::Backoff{}, core::Failed{}}) == "failed");
  CHECK(program_state({core::Running{}, core::Stopped{}}) == "running");
  CHECK(program_state({core::Stopped{}, core::Stopped{}}) == "stopped");
  CHECK(program_state({well, well}) == "exited");
  CHECK(program_state({core::Running{}}, true) == "failed");
}

TEST_CASE("ready when all that are wanted run") {
  View view = view_of_three();
  CHECK(readiness(view).status == 200);
  view.programs[0].workers[0] = worker_of("crunch", 0, core::Stopped{});
  view.programs[0].workers[0].state.wanted_up = false;
  CHECK(readiness(view).status == 200);
  view.programs[0].workers[0].state.wanted_up = true;
  view.programs[0].workers[1] = worker_of("crunch", 1, core::Failed{});
  const Reply reply = readiness(view);
  CHECK(reply.status == 503);
  CHECK(document(reply)["waits_for"] == Json::parse(R"(["crunch/0","crunch/1"])"));
  View stopping = view_of_three();
  stopping.phase = core::Phase::stopping;
  CHECK(readiness(stopping).status == 503);
  CHECK(health().status == 200);
}

TEST_CASE("a program with tasks says how far it is") {
  View view = view_of_three();
  view.programs[1].tasks = core::TaskCounts{.accepted = 9, .queued = 1, .in_work = 2, .done = 3, .quarantined = 3, .retries = 4};
  const Json seen = document(status(view));
  CHECK(seen["programs"][1]["tasks"] == Json::parse(R"({"accepted":9,"queued":1,"in_work":2,"done":3,"failed":0,"quarantined":3,
                                                         "left":0,"cancelled":0,"retries":4})"));
  CHECK(seen["workers"][2]["tasks_done"] == 3);
  CHECK(seen["programs"][0]["tasks"].is_null());
}

TEST_CASE("what became of a command") {
  using enum core::CommandOutcome::Kind;
  CHECK(document(outcome({done, 3, {}}, "")) == Json::parse(R"({"result":"done","workers":3})"));
  const auto status = [](core::CommandOutcome::Kind kind) { return outcome(of(kind), "a/0").status; };
  CHECK((status(failed) == 500 && status(overtaken) == 409 && status(stopping) == 503 && status(busy) == 503));
  const Json not_done = document(outcome(of(failed, 2), "crunch/1"));
  CHECK((not_done["result"] == "failed" && not_done["workers"] == 2 && not_done["worker"] == "crunch/1"));
  CHECK(not_done["error"].get<std::string>().starts_with("crunch/1 "));
  CHECK(document(outcome(of(busy), ""))["worker"].is_null());
  CHECK(accepted().status == 202);
  CHECK(too_slow(50ms).status == 504);
  CHECK(document(too_slow(50ms))["result"] == "accepted");
  CHECK(document(too_slow(50ms))["error"].get<std::string>().find("50 ms") != std::string::npos);
}

TEST_CASE("refusals and plans") {
  const Reply refused = refusal({405, "no", "POST"});
  CHECK((refused.status == 405 && refused.allow == "POST" && document(refused) == Json::parse(R"({"error":"no"})")));
  CHECK(invalid_configuration("x").status == 422);
  CHECK(document(reload_plan({core::WorkerChange{"a/0", core::WorkerChange::Kind::keep, "nothing changed"}})) ==
        Json::parse(R"({"plan":[{"worker":"a/0","does":"keep","why":"nothing changed"}]})"));
  CHECK(document(reload_plan({}))["plan"].empty());
}

TEST_CASE("text that is not UTF-8 is shown as well as it can be") {
  View view = view_of_three();
  view.supervisor.config = "/tmp/\xff.json";
  CHECK(document(status(view))["supervisor"]["config"] == "/tmp/\xEF\xBF\xBD.json");
  CHECK(document(refusal({404, "'\xc3' is nobody", {}}))["error"] == "'\xEF\xBF\xBD' is nobody");
}
