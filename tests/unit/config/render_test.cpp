// How a diagnostic looks.
#include <nlohmann/json.hpp>

#include "tests/unit/config/support.hpp"

using namespace corral;
using namespace corral::config::test;

TEST_CASE("place, pointer, line, caret, suggestion") {
  const std::string text = "{\n  \"programs\": {\n    \"p\": {\"command\": [\"x\"], \"restart\": \"on-failur\"}\n  }\n}\n";
  CHECK(config::render(bad(text), false) ==
        R"(corral.json:3:40: at /programs/p/restart: expected "always", "on-failure" or "never", found "on-failur"
    3 |     "p": {"command": ["x"], "restart": "on-failur"}
      |                                        ^^^^^^^^^^^
        did you mean "on-failure"?
)");
}

TEST_CASE("the caret stands under what it means, whatever is before it") {
  for (const std::string_view before :
       {"", "\t", "\t\t ", "/* ä */", "/* 日本 */", "/* \x1b[31m */", "/* \x7f */", "/* e\u0301 */"}) {
    CAPTURE(before);
    const std::string shown = config::render(bad(std::string(before) + "[1]"), false);
    const std::size_t line = shown.find('\n') + 1;
    const std::size_t caret_line = shown.find('\n', line) + 1;
    const std::string source = shown.substr(line, caret_line - line - 1);
    const std::string caret = shown.substr(caret_line, shown.find('\n', caret_line) - caret_line);
    // Count columns as a terminal does for these texts: wide ones are two, combining ones none.
    std::size_t columns = 0;
    const std::string_view left = std::string_view(source).substr(0, source.rfind("[1]"));
    for (std::size_t i = 0; i < left.size(); ++i) {
      const auto byte = static_cast<unsigned char>(left[i]);
      columns += byte < 0x80 || byte == 0xC3 ? 1 : byte == 0xE6 ? 2 : 0;
    }
    CHECK(caret.find('^') == columns);
    CHECK(caret.ends_with("^^^"));
  }
}

TEST_CASE("nothing of a file reaches the terminal raw") {
  const std::string evil = "\x1b]0;x\x07\u202e\u200b\r\x7f\u009b";
  const std::string name = "a" + evil;
  const std::vector<std::string> texts{"{\"" + name + "\": 1}",
                                       with("\"restart\": \"" + name + "\""),
                                       "{} " + evil,
                                       "[" + evil,
                                       R"({"programs": {"\u001b[31m\u202e": {"command": ["\u001b"]}}})",
                                       R"({"programs": {"p": {"command": "\u001b[2J\u202e"}}})",
                                       with(R"("user": "\u001b")"),
                                       with(R"("stop": {"grace": "\u001b[2J"})"),
                                       with(R"("limits": {"as": "1\u001b"})"),
                                       with(R"("cores": "\u001b")"),
                                       with(R"("environment": {"=\u001b": ""})")};
  for (const std::string& text : texts) {
    CAPTURE(text);
    const auto loaded = config::parse({"evil\x1b.json", text}, lookup);
    REQUIRE_FALSE(loaded.has_value());
    const std::string shown = config::render(loaded.error(), false);
    for (const std::string_view raw : {"\x1b", "\x07", "\r", "\x7f", "\u202e", "\u200b", "\u009b"}) {
      CHECK_FALSE(shown.contains(raw));
    }
  }
}

TEST_CASE("a long line is cut around the offence") {
  const std::string text = "[" + std::string(500, ' ') + "\"ä\", " + std::string(500, ' ') + "]";
  const auto long_line = bad("{\"a\": \"" + std::string(300, 'x') + "\", \"b\": '" + std::string(300, 'y') + "'}");
  const config::Excerpt& excerpt = long_line.at(0).excerpt;
  CHECK(excerpt.cut_left);
  CHECK(excerpt.cut_right);
  CHECK(excerpt.text.size() <= 100);
  CHECK(excerpt.text.substr(excerpt.caret, 2) == "'y");
  CHECK(config::render(bad(text), false).size() < 400);
}

TEST_CASE("a cut never splits a character") {
  for (std::size_t shift = 0; shift < 8; ++shift) {
    std::string wide;
    for (int i = 0; i < 100; ++i) {
      wide += "日";
    }
    const std::string text = "{\"" + std::string(shift, 'x') + wide + "\": '" + wide + "'}";
    CHECK_FALSE(config::render(bad(text), false).contains("\\x"));
  }
}

TEST_CASE("colour only when asked for") {
  const auto all = bad("{}");
  CHECK_FALSE(config::render(all, false).contains('\033'));
  CHECK(config::render(all, true).contains("\033[1;31m^"));
}

TEST_CASE("without a place there is no excerpt") {
  config::Diagnostic unread;
  unread.file = "x.json";
  unread.message = "cannot read it";
  CHECK(config::render(unread, false) == "x.json: cannot read it\n");
}

TEST_CASE("as JSON for machines") {
  const auto list = nlohmann::json::parse(config::to_json(bad(with(R"("restart": "on-failur")"))));
  REQUIRE(list.size() == 1);
  CHECK(list[0]["file"] == "corral.json");
  CHECK(list[0]["line"] == 1);
  CHECK(list[0]["column"] == 50);
  CHECK(list[0]["offset"] == 49);
  CHECK(list[0]["pointer"] == "/programs/p/restart");
  CHECK(list[0]["suggestion"] == "did you mean \"on-failure\"?");
  // A file name need not be UTF-8; the output must be.
  config::Diagnostic odd;
  odd.file = "\xff";
  CHECK(nlohmann::json::accept(config::to_json(std::vector{odd})));
}

TEST_CASE("a binary file fills no screen, and neither does a key as long as a file") {
  std::string binary;
  for (int i = 0; i < 2000; ++i) {
    binary += static_cast<char>(1 + i * 7 % 31);
    binary += i % 3 == 0 ? "\xc2\x9b" : "x";
  }
  std::ranges::replace(binary, '\n', 'n');
  for (const std::string& text : {binary, "[" + binary, "{" + std::string(5000, 'k') + ": 1}",
                                  R"({"programs": {")" + std::string(5000, 'k') + R"(": {"command": 1}}})",
                                  R"({"programs": {")" + std::string(5000, 'k') + R"(": 1, : }})"}) {
    const std::string shown = config::render(bad(text), false);
    CAPTURE(shown);
    for (std::size_t begin = 0; begin < shown.size(); begin = shown.find('\n', begin) + 1) {
      CHECK(shown.find('\n', begin) - begin < 400);
    }
    CHECK(shown.find_first_of("\x01\x1b\x9b") == std::string::npos);
  }
}

TEST_CASE("one line for a log") {
  CHECK(
      config::in_one_line(bad(with(R"("restart": "on-failur")")).front()) ==
      R"(corral.json:1:50: at /programs/p/restart: expected "always", "on-failure" or "never", found "on-failur" (did you mean "on-failure"?))");
  config::Diagnostic unplaced;
  unplaced.file = "x.json";
  unplaced.message = "cannot read the configuration 'x.json': Permission denied";
  CHECK(config::in_one_line(unplaced) == unplaced.message);
}
