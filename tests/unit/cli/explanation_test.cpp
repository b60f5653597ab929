#include <doctest/doctest.h>

#include "supervisor/cli/explanation_text.hpp"

using namespace corral;
using namespace corral::cli;

namespace {
const std::string answer = R"({"reasons":[{"sentence":"a/0 is backoff","keys":[]},
  {"sentence":"it waits\u001b[31m","keys":["/programs/a/restart/delay","/programs/a/restart/factor"]},
  {"sentence":"it fails","keys":["/programs/a/restart/limit/restarts","/programs/a/restart/limit/within"]}]})";
const config::Source file{"c.json", R"({"programs": {"a": {"command": ["x"],
  "restart": {
    "delay": "1s",
    "limit": {"restarts": 3, "within": "60s"}
  }}}})"};
}  // namespace

TEST_CASE("reasons with the lines that decide, and what holds by default") {
  const auto text = explanation_text(answer, file);
  REQUIRE(text);
  CHECK(*text ==
        "a/0 is backoff\n"
        "  - it waits\\x1b[31m\n"
        "      c.json:3: \"delay\": \"1s\",\n"
        "      by default: factor\n"
        "  - it fails\n"
        "      c.json:4: \"limit\": {\"restarts\": 3, \"within\": \"60s\"}\n");
}

TEST_CASE("without a file there are no lines, and without JSON there is a sentence") {
  CHECK(explanation_text(answer, {})->find("c.json") == std::string::npos);
  CHECK(explanation_text(answer, {"c.json", "{"})->find("c.json") == std::string::npos);
  for (const std::string wrong :
       {"", "[]", "{}", R"({"reasons":[{"sentence":1}]})", R"({"reasons":[{"sentence":"a","keys":[1]}]})"}) {
    CHECK_FALSE(explanation_text(wrong, file));
  }
}
