#include "supervisor/control/request.hpp"

#include <doctest/doctest.h>

#include <csignal>

#include "supervisor/control/matching.hpp"

using namespace corral;
using namespace corral::control;
using namespace std::chrono_literals;

namespace {

std::expected<Request, Refusal> post(std::string_view path, std::string_view body, std::string_view type = "application/json") {
  return understand({"POST", path, type, body});
}

std::expected<Request, Refusal> get(std::string_view path) { return understand({"GET", path, {}, {}}); }

/// The status of a refusal; 0: it was understood.
int status(const std::expected<Request, Refusal>& request) { return request ? 0 : request.error().status; }

template <class T>
T wish(const std::expected<Request, Refusal>& request) {
  REQUIRE(request.has_value());
  REQUIRE(std::holds_alternative<T>(request->wish));
  return std::get<T>(request->wish);
}

bool says(const std::expected<Request, Refusal>& request, std::string_view text) {
  return !request && request.error().error.find(text) != std::string::npos;
}

std::string filled(std::string_view route) {
  std::string path;
  for (std::size_t at = 0; at < route.size(); ++at) {
    if (route[at] == '{') {
      at = route.find('}', at);
      path += 'x';
    } else {
      path += route[at];
    }
  }
  return path;
}

}  // namespace

TEST_CASE("every route is understood by its method, and by no other") {
  for (const Route& route : routes()) {
    const std::string path = filled(route.path);
    CAPTURE(path);
    for (const std::string_view method :
         {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "", "get"}) {
      const int got = status(understand({method, path, {}, {}}));
      const bool is_its_own = method == route.method || (method == "HEAD" && route.method == "GET");
      CHECK((got != 404 && (got == 405) != is_its_own));
    }
    CHECK(status(understand({route.method, path + "?wait=false", {}, {}})) != 404);
    CHECK(status(understand({route.method, path + "/", {}, {}})) == 404);
    CHECK(status(understand({route.method, "/" + path, {}, {}})) == 404);
  }
}

TEST_CASE("a 405 says what there is") {
  CHECK(understand({"GET", "/v1/reload", {}, {}}).error().allow == "POST");
  CHECK(understand({"DELETE", "/v1/workers/a/0", {}, {}}).error().allow == "GET, HEAD");
}

TEST_CASE("parts of a path") {
  CHECK(named_in("/v1/programs/crunch/scale", "/v1/programs/{program}/scale") == "crunch");
  CHECK(named_in("/v1/workers/crunch/0", "/v1/workers/{program}/{index}") == "crunch/0");
  CHECK(named_in("/v1/status", "/v1/status") == "");
  for (const std::string_view path : {"/v1/programs//scale", "/v1/programs/scale", "/v1/programs/a/b/scale",
                                      "/v1/programs/a/scalex", "/v1/programs/a", "/v1/programs/", "", "/"}) {
    CAPTURE(path);
    CHECK_FALSE(named_in(path, "/v1/programs/{program}/scale"));
  }
  for (const std::string_view path : {"/v1/workers/a", "/v1/workers/a/", "/v1/workers//0", "/v1/workers/a/0/", "/v1/workers/"}) {
    CAPTURE(path);
    CHECK_FALSE(named_in(path, "/v1/workers/{program}/{index}"));
  }
}

TEST_CASE("what JSON is called") {
  for (const std::string_view type :
       {"application/json", "Application/JSON", "application/json; charset=utf-8", "application/json ;x"}) {
    CHECK(is_json(type));
  }
  for (const std::string_view type : {"", "text/plain", "application/jsonx", "application/json-patch+json", "json"}) {
    CHECK_FALSE(is_json(type));
  }
}

TEST_CASE("looking") {
  CHECK(wish<GetWorkers>(get("/v1/workers")).name.empty());
  CHECK(wish<GetWorkers>(get("/v1/workers/crunch/3")).name == "crunch/3");
  CHECK(wish<GetWorkers>(get("/v1/workers/crunch/3?")).name == "crunch/3");
  for (const std::string path :
       {"/v1/workers/crunch/3", "/v1/workers", "/v1/status", "/v1/programs", "/v1/workers/a/0/explain"}) {
    CAPTURE(path);
    const auto strange = get(path + "?state=failed");
    REQUIRE_FALSE(strange);  // What does nothing is not taken for something that does.
    CHECK(strange.error().status == 400);
    CHECK(strange.error().error == "there is no 'state' here");
  }
  static_cast<void>(wish<GetMetrics>(get("/metrics?collect[]=x")));  // Scrapers and probes add what they like.
  static_cast<void>(wish<GetStatus>(understand({"HEAD", "/v1/status", {}, {}})));
  // A body that comes along with a GET says nothing.
  static_cast<void>(wish<GetHealth>(understand({"GET", "/healthz", "text/plain", "x"})));
  static_cast<void>(wish<GetHealth>(understand({"GET", "http://corral/healthz", {}, {}})));  // As a proxy is asked.
}

TEST_CASE("starting, stopping and restarting") {
  const auto stop = post("/v1/workers/stop", R"({"targets": ["a", "b/*"], "wait": false, "timeout": "1m"})");
  CHECK(wish<Stop>(stop).targets == Patterns{"a", "b/*"});
  CHECK_FALSE(stop->wait);
  CHECK(stop->patience == Duration(1min));
  const auto plain = wish<Restart>(post("/v1/workers/restart", R"({"targets": ["a"]})"));
  CHECK_FALSE(plain.rolling);
  CHECK((plain.parallel == 1 && plain.pause == Duration(0s)));
  const auto rolling =
      wish<Restart>(post("/v1/workers/restart", R"({"targets":["a"],"rolling":true,"parallel":3,"pause":"5s"})"));
  CHECK(rolling.rolling);
  CHECK((rolling.parallel == 3 && rolling.pause == Duration(5s)));
  for (const std::string_view paced : {R"("parallel": 3)", R"("pause": "5s")", R"("rolling": false, "parallel": 1)"}) {
    CAPTURE(paced);
    CHECK(says(post("/v1/workers/restart", R"({"targets": ["a"], )" + std::string(paced) + "}"), R"(with "rolling": true)"));
  }
  CHECK(post("/v1/workers/start", R"({"targets": ["a"]})")->wait);
}

TEST_CASE("signals by name and by number") {
  CHECK(wish<Signal>(post("/v1/workers/signal", R"({"targets": ["a"], "signal": "USR1"})")).signal == SIGUSR1);
  CHECK(wish<Signal>(post("/v1/workers/signal", R"({"targets": ["a"], "signal": "SIGHUP"})")).signal == SIGHUP);
  CHECK(wish<Signal>(post("/v1/workers/signal", R"({"targets": ["a"], "signal": 15})")).signal == SIGTERM);
  for (const std::string_view bad : {R"("NOPE")", "0", "-1", "1e9", "4294967297", "null", "[]", R"("")", "1.5"}) {
    CAPTURE(bad);
    CHECK(status(post("/v1/workers/signal", R"({"targets": ["a"], "signal": )" + std::string(bad) + "}")) == 400);
  }
}

TEST_CASE("scaling") {
  const auto eight = wish<Scale>(post("/v1/programs/crunch/scale", R"({"workers": 8})"));
  CHECK((eight.program == "crunch" && std::get<std::uint32_t>(eight.workers) == 8));
  CHECK(std::holds_alternative<core::AutoWorkers>(wish<Scale>(post("/v1/programs/a/scale", R"({"workers": "auto"})")).workers));
  for (const std::string_view bad : {"0", "-1", "100001", "18446744073709551617", "1.5", "true", R"("8")", "null"}) {
    CAPTURE(bad);
    CHECK(status(post("/v1/programs/a/scale", R"({"workers": )" + std::string(bad) + "}")) == 400);
  }
  CHECK(status(post("/v1/programs/a/scale", "")) == 400);
}

TEST_CASE("reloading and ending") {
  CHECK(wish<Reload>(post("/v1/reload", R"({"plan": true})")).plan);
  CHECK_FALSE(wish<Reload>(post("/v1/reload", "", "")).plan);
  static_cast<void>(wish<Shutdown>(post("/v1/shutdown", "{}")));
}

TEST_CASE("a member that there is not is refused, with the one that was meant") {
  CHECK(says(post("/v1/workers/stop", R"({"targets": ["a"], "tmeout": "1s"})"), "did you mean 'timeout'?"));
  CHECK(says(post("/v1/reload", R"({"plam": true})"), "did you mean 'plan'?"));
  CHECK(says(post("/v1/shutdown", R"({"targets": ["a"]})"), "there is no 'targets' here"));
  CHECK(says(post("/v1/workers/stop", R"({"targets": ["a"], "rolling": true})"), "there is no 'rolling' here"));
}

TEST_CASE("bodies that are none") {
  for (const std::string_view body :
       {"{", "[]", "null", "1", R"("x")", "{\"targets\": [\"\xff\"]}", "{} {}", "{\"a\":NaN}", "\xef\xbb\xbf{}x"}) {
    CAPTURE(body);
    CHECK(status(post("/v1/workers/stop", body)) == 400);
  }
  CHECK(status(post("/v1/workers/stop", std::string(100'000, '['))) == 400);
  CHECK(says(post("/v1/workers/stop", R"({"targets": [[[[[[[[[1]]]]]]]]]})"), "nested too deeply"));
  CHECK(says(post("/v1/workers/stop", R"({"targets": ["a"], "targets": ["b"]})"), "'targets' is said twice"));
  CHECK(status(post("/v1/workers/stop", R"({"targets": ["a"]})", "text/plain")) == 415);
}

TEST_CASE("targets are a bounded list of short strings") {
  for (const std::string_view targets : {"[]", R"("a")", "[1]", "[null]", R"([["a"]])", "{}"}) {
    CAPTURE(targets);
    CHECK(status(post("/v1/workers/stop", R"({"targets": )" + std::string(targets) + "}")) == 400);
  }
  CHECK(status(post("/v1/workers/stop", R"({"targets": [")" + std::string(256, 'a') + "\"]}")) == 0);
  CHECK(status(post("/v1/workers/stop", R"({"targets": [")" + std::string(257, 'a') + "\"]}")) == 400);
  std::string many = R"({"targets": ["a")";
  for (int i = 1; i < 1000; ++i) {
    many += R"(,"a")";
  }
  CHECK(status(post("/v1/workers/stop", many + "]}")) == 0);
  CHECK(status(post("/v1/workers/stop", many + R"(,"a"]})")) == 400);
}

TEST_CASE("numbers, truths and durations are what they are") {
  for (const std::string_view member :
       {R"("wait": "yes")", R"("wait": 1)", R"("timeout": 5)", R"("timeout": "soon")", R"("timeout": "-1s")",
        R"("rolling": null)", R"("rolling": true, "parallel": 0)", R"("rolling": true, "parallel": -1)",
        R"("rolling": true, "parallel": "2")", R"("rolling": true, "parallel": 100001)", R"("rolling": true, "pause": "1")",
        R"("rolling": true, "pause": 1)"}) {
    CAPTURE(member);
    CHECK(status(post("/v1/workers/restart", R"({"targets": ["a"], )" + std::string(member) + "}")) == 400);
  }
}
