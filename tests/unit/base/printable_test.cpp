#include <doctest/doctest.h>

#include <string>

#include "common/base/text.hpp"

namespace corral {
namespace {

std::string printable(std::string_view text) {
  std::string out;
  append_printable(out, text);
  return out;
}

TEST_CASE("what a person is shown drives no terminal and turns no text around") {
  CHECK(printable("a b~") == "a b~");
  CHECK(printable("\x1b[2J") == "\\x1b[2J");
  CHECK(printable("\x7f") == "\\x7f");
  CHECK(printable("\u0085") == "\\xc2\\x85");
  CHECK(printable("\xff") == "\\xff");
  CHECK(printable("gra\u00fc\u00df \u65e5\u672c \U0001f40e") == "gra\u00fc\u00df \u65e5\u672c \U0001f40e");
  CHECK(printable("\u0629\u062d \u05d0") == "\u0629\u062d \u05d0");  // Letters that are written from right to left are text.
  for (const char* turning : {"\u061c", "\u200e", "\u200f", "\u202a", "\u202e", "\u2066", "\u2069"}) {
    CHECK(printable(turning).starts_with("\\x"));
    CHECK(printable(std::string("a") + turning + "b").find(turning) == std::string::npos);
  }
  for (const char* harmless : {"\u061b", "\u200d", "\u2010", "\u2029", "\u202f", "\u2065", "\u206a"}) {
    CHECK(printable(harmless) == harmless);
  }
}

TEST_CASE("what was JSON stays JSON") {
  const auto shown = [](std::string_view text) {
    std::string out;
    append_printable(out, text, Escapes::of_json);
    return out;
  };
  CHECK(shown("\u202e") == "\\u202e");
  CHECK(shown("\u009b31m") == "\\u009b31m");
  CHECK(shown("\u061c\u2069") == "\\u061c\\u2069");
  CHECK(shown("\x7f\x1b") == "\\u007f\\u001b");
  CHECK(shown("\xff") == "\\xff");  // None that corral has written.
  CHECK(shown(R"({"line":"\u001b gr\u00fc"})") == R"({"line":"\u001b gr\u00fc"})");
}

}  // namespace
}  // namespace corral
