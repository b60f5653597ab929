// What is refused, where, and with which way out.
#include "tests/unit/config/support.hpp"

using namespace corral;
using namespace corral::config::test;

namespace {

/// The mistake in the keys of program p, without the place.
std::string in_program(std::string_view keys) {
  const std::string all = only_mistake(with(keys));
  return all.substr(all.find(' ') + 1);
}

}  // namespace

TEST_CASE("all mistakes of a file are reported at once, in its order") {
  const auto all = bad(R"({
  "programs": {
    "crunch": {
      "command": "python3 crunch.py",
      "restart": "on-failur",
      "stop": {"grace": 10},
      "extra": 1
    },
    "b": {}
  },
  "stay": "yes"
})");
  std::vector<std::string> pointers;
  for (const config::Diagnostic& one : all) {
    pointers.push_back(one.pointer);
    CHECK(one.file == "corral.json");
  }
  CHECK(pointers == std::vector<std::string>{"/programs/crunch/command", "/programs/crunch/restart",
                                             "/programs/crunch/stop/grace", "/programs/crunch/extra", "/programs/b", "/stay"});
  CHECK(std::ranges::is_sorted(all, {}, &config::Diagnostic::offset));
}

TEST_CASE("a command as one string is shown as the list that was meant") {
  CHECK(only_mistake(R"({"programs": {"p": {"command": "python3  x.py -v"}}})") ==
        R"(1:32 /programs/p/command: expected a list of strings: the program and its arguments, found the string )"
        R"("python3  x.py -v" / write a list: ["python3", "x.py", "-v"])");
  CHECK(only_mistake(R"({"programs": {"p": {"command": "a | b"}}})").ends_with(R"(for a shell: ["sh", "-c", "a | b"])"));
  CHECK(only_mistake(R"({"programs": {"p": {"command": []}}})").ends_with("found an empty list"));
  CHECK(only_mistake(R"({"programs": {"p": {"command": [""]}}})").ends_with("found an empty string"));
  CHECK(only_mistake(R"({"programs": {"p": {"command": ["x", 1]}}})") ==
        R"(1:38 /programs/p/command/1: expected a string, found the number 1 / put it in quotes: "1")");
}

TEST_CASE("near misses get a suggestion") {
  CHECK(in_program(R"("restart": "on-failur")") ==
        R"(/programs/p/restart: expected "always", "on-failure" or "never", found "on-failur" / did you mean "on-failure"?)");
  CHECK(in_program(R"("worker": 2)") == R"(/programs/p/worker: unknown key "worker" / did you mean "workers"?)");
  CHECK(in_program(R"("env": {})") == R"(/programs/p/env: unknown key "env" / did you mean "environment"?)");
  CHECK(in_program(R"("cwd": "/")").ends_with(R"(did you mean "directory"?)"));
  CHECK(in_program(R"("stop": {"quux": 1})") == R"(/programs/p/stop/quux: unknown key "quux" / known here: signal, grace)");
  CHECK(in_program(R"("log": {"to": "null"})") ==
        R"(/programs/p/log/to: expected "inherit" or "file", or `null` for nowhere, found "null")");
  CHECK(in_program(R"("stop": {"signal": "TREM"})").ends_with(R"(did you mean "TERM"?)"));
  CHECK(in_program(R"("stop": {"signal": "term"})").ends_with(R"(write "TERM")"));
  CHECK(in_program(R"("stop": {"signal": 15})").ends_with(R"(found the number 15 / write "TERM")"));
  CHECK(in_program(R"("stop": {"grace": 10})").ends_with(R"(add a unit and quotes: "10s" is 10 seconds, "10ms" milliseconds)"));
  CHECK(in_program(R"("workers": "4")").ends_with("leave out the quotes: 4"));
  CHECK(in_program(R"("no_new_privileges": "true")").ends_with("leave out the quotes: true"));
  CHECK(in_program(R"("umask": 22)").ends_with(R"(write "022")"));
  CHECK(in_program(R"("cores": 2)").ends_with(R"(write {"per_worker": 2})"));
  CHECK(in_program(R"("environment": {"A": true})").ends_with(R"(put it in quotes: "true")"));
  CHECK(in_program(R"("user": 1000)").ends_with(R"(put it in quotes: "1000")"));
}

TEST_CASE("values out of their range") {
  for (const std::string_view keys : {R"("workers": 0)",
                                      R"("workers": -1)",
                                      R"("workers": 100001)",
                                      R"("workers": 1.5)",
                                      R"("workers": 18446744073709551615)",
                                      R"("nice": 20)",
                                      R"("nice": -21)",
                                      R"("oom_score_adj": 1001)",
                                      R"("umask": "888")",
                                      R"("umask": "22")",
                                      R"("restart": {"jitter": 1.1})",
                                      R"("restart": {"jitter": -0.1})",
                                      R"("restart": {"factor": 0.9})",
                                      R"("restart": {"factor": 1001})",
                                      R"("restart": {"success_codes": [256]})",
                                      R"("restart": {"success_codes": [-1]})",
                                      R"("restart": {"success_codes": [1, 1]})",
                                      R"("restart": {"success_codes": [1, 1.0]})",
                                      R"("restart": {"limit": {"restarts": -1}})",
                                      R"("restart": {"limit": {"within": "0"}})",
                                      R"("start_timeout": "0s")",
                                      R"("stop": {"grace": "-1s"})",
                                      R"("stop": {"grace": "3651d"})",
                                      R"("stop": {"grace": "10"})",
                                      R"("cores": {"per_worker": 0})",
                                      R"("cores": "8192")",
                                      R"("cores": "3-1")",
                                      R"("cores": "")",
                                      R"("limits": {"nofile": -1})",
                                      R"("limits": {"nofile": "64MiB"})",
                                      R"("limits": {"as": "64MB "})",
                                      R"("limits": {"nofile": {"soft": 2, "hard": 1}})",
                                      R"("limits": {"nofile": {"soft": "unlimited", "hard": 1}})",
                                      R"("limits": {"nofile": {"soft": 2}})",
                                      R"("directory": "")",
                                      R"("inherit_environment": ["A=B"])",
                                      R"("stop": {"signal": "RTMIN+99"})",
                                      R"("stop": {"signal": "0"})"}) {
    CAPTURE(keys);
    CHECK_FALSE(only_mistake(with(keys)).empty());
  }
}

TEST_CASE("the first integer that does not fit is not taken for a negative one") {
  CHECK(program(R"("limits": {"nofile": 9223372036854775807})").launch.limits.at(0).soft == 9223372036854775807U);
  CHECK(in_program(R"("limits": {"nofile": 9223372036854775808})").ends_with("found 9.223372036854776e+18"));
  CHECK(in_program(R"("limits": {"nofile": 18446744073709551616})").ends_with("found 1.8446744073709552e+19"));
}

TEST_CASE("an account that begins with a digit is a number or nothing: never root by accident") {
  for (const std::string_view name : {"0day", "00", "01", "0x0", "1e3", "", "-1", "4294967295", "a b", "a\\n", "root:"}) {
    CAPTURE(name);
    CHECK(only_mistake(with("\"user\": \"" + std::string(name) + "\"")).contains("/programs/p/user: "));
    CHECK(only_mistake(with("\"group\": \"" + std::string(name) + "\"")).contains("/programs/p/group: "));
  }
  CHECK(program(R"("user": "0")").launch.user == "0");
  CHECK(program(R"("user": "4294967294")").launch.user == "4294967294");
}

TEST_CASE("a first delay longer than the longest is shown where it can be mended") {
  CHECK(in_program(R"("restart": {"delay": "2m", "max_delay": "1m"})") ==
        R"(/programs/p/restart/max_delay: delay 2m is longer than max_delay 1m / set "max_delay": "2m" or more)");
  CHECK(
      in_program(R"("restart": {"delay": "2m"})") ==
      R"(/programs/p/restart/delay: delay 2m is longer than max_delay 30s, which is its default / set "max_delay": "2m" or more)");
}

TEST_CASE("names") {
  CHECK(in_program(R"("environment": {"CORRAL_WORKER": "1"})").contains("reserved"));
  CHECK(in_program(R"("environment": {"A=B": "1"})").contains("cannot be the name"));
  CHECK(in_program(R"("environment": {"": "1"})").contains("needs a name"));
  for (const std::string_view name : {"", ".x", "-x", "a b", "a/b", "ä"}) {
    CAPTURE(name);
    CHECK(
        only_mistake(R"({"programs": {")" + std::string(name) + R"(": {"command": ["x"]}}})").contains("cannot be the name of"));
  }
  CHECK(good(R"({"programs": {")" + std::string(64, 'x') + R"(": {"command": ["x"]}}})").programs.size() == 1);
  CHECK(only_mistake(R"({"programs": {")" + std::string(65, 'x') + R"(": {"command": ["x"]}}})").contains("1 to 64"));
}

TEST_CASE("missing and doubled keys") {
  CHECK(only_mistake("{}").starts_with("1:1 : the key \"programs\" is missing / add \"programs\": {"));
  CHECK(only_mistake(R"({"programs": {}})") == "1:14 /programs: at least 1 entry is needed here");
  CHECK(only_mistake(R"({"programs": {"p": {"command": ["x"]}, "p": {"command": ["y"]}}})") ==
        R"(1:40 /programs/p: duplicate key "p": it is already in line 1, column 15 / remove one of the two, or rename it)");
  CHECK(only_mistake("[]") == "1:1 : expected an object, found a list");
  CHECK(only_mistake("null") == "1:1 : expected an object, found null");
}

TEST_CASE("more than a thousand programs") {
  std::string many = R"({"programs": {)";
  for (int i = 0; i <= 1000; ++i) {
    many += (i == 0 ? "\"p" : ", \"p") + std::to_string(i) + R"(": {"command": ["x"]})";
  }
  CHECK(only_mistake(many + "}}") == "1:14 /programs: 1001 entries where at most 1000 are allowed");
}

TEST_CASE("a file that is wrong everywhere ends with a count") {
  std::string many = "{";
  for (int i = 0; i < 250; ++i) {
    many += "\"k" + std::to_string(i) + "\": 0,\n";
  }
  const auto all = bad(many + R"("programs": {"p": {"command": ["x"]}}})");
  REQUIRE(all.size() == 101);
  CHECK(all.back().message == "and 150 more from here on");
  CHECK(all.back().line == 101);
}

TEST_CASE("units of everyday life suggest the right one") {
  CHECK(only_mistake(with(R"("stop": {"grace": "5minutes"})")).ends_with(R"(/ did you mean "5m"?)"));
  CHECK(only_mistake(with(R"("stop": {"grace": "10 seconds"})")).ends_with(R"(/ did you mean "10s"?)"));
  CHECK(only_mistake(with(R"("restart": {"delay": "2hours"})")).ends_with(R"(/ did you mean "2h"?)"));
  CHECK(only_mistake(with(R"("limits": {"as": "64mib"})")).ends_with(R"(/ did you mean "64MiB"?)"));
}
