// Texts that are not JSON, or not text, or hostile.
#include "tests/unit/config/support.hpp"

using namespace corral;
using namespace corral::config::test;

namespace {

struct Broken {
  std::string_view text;
  std::string_view mistake;  ///< The beginning of "line:column pointer: message / suggestion".
};

}  // namespace

TEST_CASE("every syntax error has its place and its reason") {
  const std::vector<Broken> all{
      {R"({"a": 1,})", "1:8 : trailing comma: nothing follows it before '}' / remove it"},
      {R"([1, ])", "1:3 : trailing comma"},
      {R"({"a": 1 "b": 2})", "1:8 : a comma is missing here, before \"b\""},
      {R"([1 2])", "1:3 : a comma is missing here, before \"2\""},
      {R"({"a": {} "b": 2})", "1:9 : a comma is missing here"},
      {R"({'a': 1})", "1:2 : JSON strings have double quotes, not single ones / write \"a\""},
      {R"({"a": 'x y'})", "1:7 : JSON strings have double quotes, not single ones / write \"x y\""},
      {R"({a: 1})", "1:2 : a key needs double quotes / write \"a\""},
      {R"({"b": 1, a: 1})", "1:10 : a key needs double quotes / write \"a\""},
      {R"({1: 1})", "1:2 : a key needs double quotes"},
      {R"({"a" 1})", "1:5 : a colon is missing here, between the key \"a\" and its value"},
      {R"({"a" = 1})", "1:6 : '=' between a key and its value / write ':'"},
      {R"({"a"})", "1:5 : a colon is missing here"},
      {R"({"a": })", "1:7 : '}' where a value is expected"},
      {R"({"a": , "b": 1})", "1:7 : ',' where a value is expected"},
      {R"({"a": 1, , "b": 1})", "1:10 : two commas with nothing between them"},
      {R"({, "a": 1})", "1:2 : a comma where a key is expected"},
      {R"({"a": 1; "b": 1})", "1:8 : ';' between two values / separate them with a comma"},
      {R"({"a": [1, 2})", "1:12 /a: '}' does not close the list that was opened in line 1 / close it with ']'"},
      {R"({"a": {"b": 1]})", "1:14 /a: ']' does not close the object"},
      {R"({"a": 1}})", "1:9 : \"}\" after the end of the configuration"},
      {"{\n  \"a\": 1\n", "2:9 : the file ends inside the object that was opened in line 1 / add the missing '}'"},
      {R"({"a": [1)", "1:9 /a: the file ends inside the list that was opened in line 1 / add the missing ']'"},
      {R"({"a)", "1:2 : this string is never closed"},
      {"{\"a\": \"x\n}", "1:7 : this string is never closed"},
      {R"({"a": 1 /* x)", "1:9 : this comment is never closed / end it with */"},
      {"# x\n{}", "1:1 : '#' does not begin a comment in JSON / write // for a comment"},
      {R"({"a": 1} / x)", "1:10 : a lone '/'"},
      {R"({"a": 10s})", "1:7 : a value with a unit is a string and needs double quotes / write \"10s\""},
      {R"({"a": 64MiB, "b": 1})", "1:7 : a value with a unit is a string and needs double quotes / write \"64MiB\""},
      {R"({"a": 007})", "1:7 : a number does not begin with 0 in JSON"},
      {R"({"a": 0x1F})", "1:7 : this is not a number in JSON / write it in decimal"},
      {R"({"a": +1})", "1:7 : this is not a number in JSON / leave out the '+'"},
      {R"({"a": .5})", "1:7 : this is not a number in JSON / a decimal point"},
      {R"({"a": 5.})", "1:7 : this is not a number in JSON / a decimal point"},
      {R"({"a": 1e400})", "1:7 : the number \"1e400\" is too large"},
      {R"({"a": [1, -1e400]})", "1:11 /a: the number \"-1e400\" is too large"},
      {R"({"a": NaN})", "1:7 : NaN is not a number in JSON"},
      {R"({"a": -Infinity})", "1:7 : \"-Infinity\" is not a number in JSON"},
      {R"({"a": -})", "1:7 : \"-\" is not a number in JSON"},
      {R"({"a": True})", "1:7 : True is not JSON / write true"},
      {R"({"a": None})", "1:7 : None is not JSON / write null"},
      {R"({"a": yes})", "1:7 : yes is not JSON / write true"},
      {R"({"a": always})", "1:7 : a string needs double quotes / write \"always\""},
      {R"({"a": truely})", "1:7 : a string needs double quotes / write \"truely\""},
      {R"({"a": "\x"})", "1:8 : unknown escape in a string / write \\\\ for a backslash"},
      {R"({"a": "\u12G4"})", "1:8 : \\u needs four hexadecimal digits"},
      {R"({"a": "\ud800"})", "1:8 : half of a surrogate pair"},
      {R"({"a": "\ude00\ud83d"})", "1:8 : half of a surrogate pair"},
      {"{\"a\": \"x\ty\"}", "1:9 : a control character inside a string / write \\t"},
      {"", "1:1 : the file is empty / the least that works is {"},
      {" \n// x\n", "3:1 : the file holds nothing"},
      {"/* x", "1:1 : this comment is never closed"},
      {"\xEF\xBB\xBF{}", "1:1 : the file begins with a byte order mark"},
      {"\xFF\xFE{", "1:1 : UTF-16 text"},
      {std::string_view("{\"a\":\n \"\0\"}", 11), "2:3 : NUL byte at byte 8 (line 2, column 3)"},
      {"{\n\"ä\": \"\xFF\"}", "2:7 : invalid UTF-8: \\xff at byte 9 (line 2, column 7)"},
      {"{} // \xC0\x80", "1:7 : invalid UTF-8: \\xc0 at byte 6 (line 1, column 7)"},
      {"\"\xED\xA0\x80\"", "1:2 : invalid UTF-8"},
      {"\"\xF4\x90\x80\x80\"", "1:2 : invalid UTF-8"},
      {"\"\xE0\x80\xAF\"", "1:2 : invalid UTF-8"},
      {"\"\xF0\x80\x80\xAF\"", "1:2 : invalid UTF-8"},
      {"\"\xE4\xBD\"", "1:2 : invalid UTF-8"}};
  for (const Broken& broken : all) {
    CAPTURE(broken.text);
    CAPTURE(broken.mistake);
    const std::string found = only_mistake(std::string(broken.text));
    CHECK_MESSAGE(found.starts_with(broken.mistake), found);
  }
}

TEST_CASE("comments and blanks anywhere between tokens") {
  const std::string text =
      "/* a */{//b\n\"programs\"/*,*/:/*:*/{\"p\"\r\n:\t{\"command\"/* \"x\" */:[/*]*/\"x\"/*,*/,\"//no "
      "/*comment*/\"//]\n]}}}// end";
  const core::SupervisorSpec spec = good(text);
  CHECK(spec.programs.at(0).launch.command == std::vector<std::string>{"x", "//no /*comment*/"});
  const auto loaded = load(text);
  CHECK(under_caret(loaded->diagnose("/programs/p/command/1", "x")) == "\"//no /*comment*/\"");
  CHECK(under_caret(loaded->diagnose("/programs/p/command/0", "x")) == "\"x\"");
}

TEST_CASE("places are right behind every kind of value") {
  // The reader's cursor follows the parser token by token; a slip would show in the last value.
  const std::string text =
      R"([0, -1.5e3, true, false, null, "a\"b\\", "ü\u00e4\ud83d\ude00", {}, [], {"k": [1]}, 18446744073709551615, "last"])";
  const auto all = bad(text);
  REQUIRE(all.size() == 1);
  const auto loaded = load(with(R"("environment": {"A": "a\"b\\", "Ü": "ü\u00e4\ud83d\ude00"}, "nice": 3)"));
  REQUIRE(loaded.has_value());
  CHECK(under_caret(loaded->diagnose("/programs/p/environment/A", "")) == R"("a\"b\\")");
  CHECK(under_caret(loaded->diagnose("/programs/p/environment/Ü", "")) == R"("ü\u00e4\ud83d\ude00")");
  CHECK(under_caret(loaded->diagnose("/programs/p/nice", "")) == "3");
}

TEST_CASE("depth is refused before it costs anything") {
  const std::string_view message = "nested more than 64 levels deep";
  CHECK(bad(std::string(65, '[')).at(0).message == message);
  CHECK(bad(std::string(100'000, '[')).at(0).message == message);
  std::string objects;
  for (int i = 0; i < 100'000; ++i) {
    objects += "{\"a\":";
  }
  CHECK(bad(objects).at(0).message == message);
  CHECK(bad(std::string(64, '[') + std::string(64, ']')).at(0).message == "expected an object, found a list");
}

TEST_CASE("what is too long is refused unread") {
  CHECK(bad(std::string(config::longest_file + 1, '[')).at(0).message.contains("at most 4194304"));
  CHECK(bad(std::string(std::size_t{100} << 20U, '[')).size() == 1);
  std::string many = "[0";
  for (int i = 0; i < 500'000; ++i) {
    many += ",0";
  }
  CHECK(bad(many + "]").at(0).message == "more than 500000 values");
}

TEST_CASE("a cut anywhere in a good file is an error inside the file") {
  const std::string whole =
      with(R"("environment": {"Ä": "x\n\u00e4${HOME}"}, "restart": {"delay": "1s", "limit": null} /* c */)");
  REQUIRE(load(whole).has_value());
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    for (const config::Diagnostic& one : bad(whole.substr(0, length))) {
      CHECK(one.offset <= length);
      CHECK(one.line >= 1);
      CHECK_FALSE(one.message.empty());
    }
  }
}

TEST_CASE("every byte put anywhere gives a verdict") {
  const std::string whole = with(R"("nice": 1, "restart": "never")");
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string text = whole;
      text[at] = static_cast<char>(byte);
      if (const auto loaded = load(text); !loaded) {
        CHECK(loaded.error().at(0).offset <= text.size());
        CHECK_FALSE(config::render(loaded.error(), true).empty());
      }
    }
  }
}
