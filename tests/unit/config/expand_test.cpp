// ${VAR} and ${VAR:-default}.
#include "tests/unit/config/support.hpp"

using namespace corral;
using namespace corral::config::test;

namespace {

std::string expanded(std::string_view written) {
  return program("\"directory\": \"/" + std::string(written) + "\"").launch.directory.substr(1);
}

}  // namespace

TEST_CASE("variables are filled in, everything else stays") {
  CHECK(expanded("${HOME}/x") == "/home/somebody/x");
  CHECK(expanded("${HOME}${HOME}") == "/home/somebody/home/somebody");
  CHECK(expanded("${UNSET:-a b}") == "a b");
  CHECK(expanded("${UNSET:-}") == "");
  CHECK(expanded("${EMPTY}") == "");
  CHECK(expanded("${EMPTY:-x}") == "x");
  CHECK(expanded("${HOME:-x}") == "/home/somebody");
  CHECK(expanded("${UNSET:-$HOME:-{}") == "$HOME:-{");
  CHECK(expanded("$HOME $$ $1 $") == "$HOME $$ $1 $");
  CHECK(expanded("{index} {{index}} {x}") == "{index} {{index}} {x}");
}

TEST_CASE("$${ is a literal ${") {
  CHECK(expanded("$${HOME}") == "${HOME}");
  CHECK(expanded("$$${HOME}") == "$${HOME}");
  CHECK(expanded("$${") == "${");
  CHECK(expanded("$$") == "$$");
}

TEST_CASE("in command and environment values, and nowhere else") {
  const core::ProgramSpec spec =
      good(R"({"programs": {"p": {"command": ["${HOME}/x", "${HOME}"], "environment": {"A": "${HOME}"}}}})").programs.at(0);
  CHECK(spec.launch.command == std::vector<std::string>{"/home/somebody/x", "/home/somebody"});
  CHECK(spec.launch.environment.at(0).second == "/home/somebody");
  CHECK(only_mistake(with(R"("user": "${HOME}")")).contains("/programs/p/user"));
}

TEST_CASE("an unset variable is shown where it stands in the string, escapes or not") {
  const auto plain = bad(with(R"("directory": "/ä/${UNSET}/x")"));
  CHECK(under_caret(plain.at(0)) == "${UNSET}");
  CHECK(plain.at(0).message == "the environment variable UNSET is not set");
  CHECK(plain.at(0).suggestion.ends_with("${UNSET:-value}"));
  const auto escaped = bad(with(R"("directory": "\/\u00e4\ud83d\ude00\"${UNSET}")"));
  CHECK(under_caret(escaped.at(0)) == "${UNSET}");
  CHECK(escaped.at(0).pointer == "/programs/p/directory");
}

TEST_CASE("a substitution that is none") {
  const auto mistake = [](std::string_view text) { return only_mistake(with("\"directory\": \"" + std::string(text) + "\"")); };
  CHECK(mistake("${HOME").contains("this ${ is never closed"));
  CHECK(mistake("${").contains("this ${ is never closed"));
  CHECK(mistake("${HOME:-x").contains("never closed"));
  CHECK(mistake("${}").contains("no name of a variable after ${"));
  CHECK(mistake("${1}").contains("no name of a variable"));
  CHECK(mistake("${HOME-x}").contains("only } or :-default} may follow"));
  CHECK(mistake("${HOME:x}").contains("only } or :-default} may follow"));
}

TEST_CASE("NUL is refused, in the file and from the environment") {
  CHECK(under_caret(bad(with(R"("directory": "a\u0000b")")).at(0)) == "\\u0000");
  const auto loaded = config::parse({"f", with(R"("directory": "${X}")")}, [](std::string_view) { return std::string(1, '\0'); });
  REQUIRE_FALSE(loaded.has_value());
  CHECK(loaded.error().at(0).message.contains("NUL"));
}

TEST_CASE("what the kernel would refuse as too long is refused at load") {
  const auto loads = [](std::string text) { return load(std::move(text)).has_value(); };
  const auto argument = [](std::size_t length) {
    return R"({"programs": {"p": {"command": ["x", ")" + std::string(length, 'a') + R"("]}}})";
  };
  CHECK(loads(argument(config::longest_argument - 1)));
  CHECK_FALSE(loads(argument(config::longest_argument)));
  // NAME=value and its NUL count together.
  const auto variable = [](std::size_t length) {
    return with(R"("environment": {"NAME": ")" + std::string(length, 'a') + "\"}");
  };
  CHECK(loads(variable(config::longest_argument - 6)));
  CHECK_FALSE(loads(variable(config::longest_argument - 5)));
  CHECK(bad(variable(config::longest_argument - 5)).at(0).pointer == "/programs/p/environment/NAME");
}

TEST_CASE("what grows by substitution is bounded") {
  const std::string big(config::longest_argument - 1, 'a');
  const config::Environment lookup = [&](std::string_view) { return std::optional(big); };
  std::string arguments;
  for (int i = 0; i < 30; ++i) {
    arguments += R"(, "${X}")";
  }
  const auto one = config::parse({"f", R"({"programs": {"p": {"command": ["x")" + arguments + "]}}}"}, lookup);
  REQUIRE_FALSE(one.has_value());
  CHECK(one.error().at(0).message.contains("longer than 2097152 bytes"));
  std::string variables = R"("A": "x")";
  for (int i = 0; i < 30; ++i) {
    variables += ", \"A" + std::to_string(i) + R"(": "${X:-}x")";
  }
  const auto two = config::parse({"f", with("\"environment\": {" + variables + "}")}, lookup);
  REQUIRE_FALSE(two.has_value());
}
