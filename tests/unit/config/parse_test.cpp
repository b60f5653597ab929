// What a right configuration means.
#include <sys/resource.h>

#include <csignal>

#include "tests/unit/config/support.hpp"

using namespace corral;
using namespace corral::config::test;
using namespace std::chrono_literals;

TEST_CASE("the least configuration has every default of the specification") {
  const core::SupervisorSpec spec = good(R"({"programs": {"hello": {"command": ["echo", "hello"]}}})");
  core::SupervisorSpec expected;
  expected.programs.emplace_back();
  expected.programs[0].name = "hello";
  expected.programs[0].launch.command = {"echo", "hello"};
  CHECK(spec == expected);
}

TEST_CASE("the example of the contract") {
  const core::SupervisorSpec spec = good(R"(// A comment first.
{
  "$schema": "./corral.schema.json",
  "programs": {
    "crunch": {
      "command": ["python3", "crunch.py", "--shard", "{index}/{workers}"],
      "workers": "auto",                 // one for every core
      "cores": "separate",
      "restart": {"when": "always", "success_codes": [3, 0], "delay": "100ms", "factor": 2, "max_delay": "30s",
                  "jitter": 0.1, "healthy_after": "10s", "limit": {"restarts": 10, "within": "60s"}, "then": "fail"},
      "stop": {"signal": "TERM", "grace": "10s"}, /* here, too */
      "environment": {"MODE": "fast", "DATA": "${HOME}/data"},
      "directory": "/srv/crunch"
    }
  }
}
)");
  REQUIRE(spec.programs.size() == 1);
  const core::ProgramSpec& crunch = spec.programs[0];
  CHECK(crunch.name == "crunch");
  CHECK(crunch.launch.command == std::vector<std::string>{"python3", "crunch.py", "--shard", "{index}/{workers}"});
  CHECK(crunch.launch.workers == core::WorkerCount(core::AutoWorkers{}));
  CHECK(crunch.launch.cores == core::CoresPolicy(core::SeparateCores{1}));
  CHECK(crunch.restart.when == core::RestartWhen::always);
  CHECK(crunch.restart.success_codes == std::vector<int>{0, 3});
  CHECK(crunch.restart.delay == 100ms);
  CHECK(crunch.restart.max_delay == 30s);
  CHECK(crunch.restart.limit == core::RestartLimit{10, 60s});
  CHECK(crunch.stop == core::StopPolicy{SIGTERM, 10s});
  CHECK(crunch.launch.environment ==
        std::vector<std::pair<std::string, std::string>>{{"MODE", "fast"}, {"DATA", "/home/somebody/data"}});
  CHECK(crunch.launch.directory == "/srv/crunch");
}

TEST_CASE("programs keep the order of the file") {
  const core::SupervisorSpec spec =
      good(R"({"stay": true, "containment": "cgroup", "programs": {"z": {"command": ["a"]}, "a": {"command": ["b"]}}})");
  REQUIRE(spec.programs.size() == 2);
  CHECK(spec.programs[0].name == "z");
  CHECK(spec.programs[1].name == "a");
  CHECK(spec.stay);
  CHECK(spec.containment == core::Containment::cgroup);
}

TEST_CASE("restart, as a word and as an object") {
  core::RestartPolicy never;
  never.when = core::RestartWhen::never;
  CHECK(program(R"("restart": "never")").restart == never);
  CHECK(program(R"("restart": {"when": "never"})").restart == never);
  CHECK(program(R"("restart": {"limit": null, "then": "shutdown"})").restart.limit == std::nullopt);
  CHECK(program(R"("restart": {"limit": {"restarts": 0}})").restart.limit == core::RestartLimit{0, 5min});
  CHECK(program(R"("restart": {"success_codes": []})").restart.success_codes.empty());
  CHECK(program(R"("restart": {"then": "shutdown"})").restart.then == core::ThenDo::shutdown);
}

TEST_CASE("cores in every form") {
  CHECK(program("").launch.cores == core::CoresPolicy(core::DefaultCores{}));
  CHECK(program(R"("cores": "shared")").launch.cores == core::CoresPolicy(core::SharedCores{}));
  CHECK(program(R"("cores": {"per_worker": 2})").launch.cores == core::CoresPolicy(core::SeparateCores{2}));
  CHECK(program(R"("cores": "0-2, 8")").launch.cores == core::CoresPolicy(core::ListedCores{{0, 1, 2, 8}}));
}

TEST_CASE("integers may be written as 4.0 and 4e0") {
  CHECK(program(R"("workers": 4)").launch.workers == core::WorkerCount(4U));
  CHECK(program(R"("workers": 4.0)").launch.workers == core::WorkerCount(4U));
  CHECK(program(R"("workers": 4e0)").launch.workers == core::WorkerCount(4U));
}

TEST_CASE("delay and max_delay may be the same") {
  CHECK(program(R"("restart": {"delay": "7s", "max_delay": "7s"})").restart.max_delay == 7s);
  CHECK(program(R"("restart": {"delay": "30s"})").restart.delay == 30s);
}

TEST_CASE("limits: one value, a size, unlimited, both bounds") {
  const auto limits =
      program(R"("limits": {"nofile": 64, "as": "2KiB", "core": "unlimited", "cpu": {"soft": 5, "hard": "unlimited"}})")
          .launch.limits;
  CHECK(limits == std::vector<core::ResourceLimit>{{RLIMIT_NOFILE, 64, 64},
                                                   {RLIMIT_AS, 2048, 2048},
                                                   {RLIMIT_CORE, std::nullopt, std::nullopt},
                                                   {RLIMIT_CPU, 5, std::nullopt}});
}

TEST_CASE("identity, priorities and the rest of the launch") {
  const core::LaunchSpec launch = program(R"("user": "nobody", "group": "100", "nice": -5, "umask": "027", "oom_score_adj": 300,
                 "no_new_privileges": false, "inherit_environment": ["PATH"], "start_timeout": "5s")")
                                      .launch;
  CHECK(launch.user == "nobody");
  CHECK(launch.group == "100");
  CHECK(launch.nice == -5);
  CHECK(launch.umask == 027);
  CHECK(launch.oom_score_adj == 300);
  CHECK_FALSE(launch.no_new_privileges);
  CHECK(launch.inherit_environment == core::InheritedEnvironment(std::vector<std::string>{"PATH"}));
  CHECK(program(R"("inherit_environment": true)").launch.inherit_environment == core::InheritedEnvironment(core::InheritAll{}));
  CHECK(program(R"("inherit_environment": false)").launch.inherit_environment ==
        core::InheritedEnvironment(std::vector<std::string>{}));
  CHECK(program(R"("start_timeout": "5s")").start_timeout == 5s);
}

TEST_CASE("a timeout that must be longer than nothing is not rounded to nothing") {
  CHECK(program(R"("start_timeout": "0.1ns")").start_timeout == 1ns);
}

TEST_CASE("signals with and without SIG") {
  CHECK(program(R"("stop": {"signal": "SIGINT"})").stop.signal == SIGINT);
  CHECK(program(R"("stop": {"signal": "INT"})").stop.signal == SIGINT);
  CHECK(program(R"("stop": {"signal": "RTMIN+3"})").stop.signal == SIGRTMIN + 3);
}

TEST_CASE("a pointer escapes what names may hold") {
  CHECK(config::pointer({"programs", "a/b~c", "command"}) == "/programs/a~1b~0c/command");
  CHECK(config::pointer({}).empty());
}

TEST_CASE("later checks get a diagnostic at the value they are about") {
  const auto loaded = load("{\n  \"programs\": {\n    \"p\": {\"command\": [\"pyhton3\", \"x\"]}\n  }\n}\n");
  REQUIRE(loaded.has_value());
  const config::Diagnostic command = loaded->diagnose("/programs/p/command/0", "no such command", "did you mean x?");
  CHECK(command.line == 3);
  CHECK(command.column == 23);
  CHECK(under_caret(command) == "\"pyhton3\"");
  CHECK(command.pointer == "/programs/p/command/0");
  // A default is not in the file: the program that has it is shown.
  const config::Diagnostic workers = loaded->diagnose("/programs/p/workers", "too many");
  CHECK(workers.line == 3);
  CHECK(under_caret(workers) == "\"p\"");
  CHECK(loaded->diagnose("/nowhere/at/all", "x").line == 1);
  CHECK(loaded->diagnose("", "x").offset == 0);
}
