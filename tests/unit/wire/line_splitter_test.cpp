#include "common/wire/line_splitter.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using corral::wire::LineSplitter;
using corral::wire::longest_line;

namespace {

using Lines = std::vector<std::pair<std::string, bool>>;

/// Everything that comes out when `bytes` go in in pieces of `step`.
Lines lines_of(std::string_view bytes, std::size_t step) {
  LineSplitter splitter;
  Lines lines;
  const auto sink = [&](std::string_view line, bool goes_on) { lines.emplace_back(line, goes_on); };
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    splitter.feed(bytes.substr(at, step), sink);
  }
  splitter.finish(sink);
  return lines;
}

}  // namespace

TEST_CASE("lines come out whole, however the bytes are cut") {
  const Lines expected{{"one", false}, {"", false}, {"three", false}, {"last", false}};
  for (std::size_t step = 1; step < 20; ++step) {
    CHECK(lines_of("one\n\nthree\nlast", step) == expected);
  }
}

TEST_CASE("a last line without a line break is not lost, and an end without one adds nothing") {
  CHECK(lines_of("half", 2) == Lines{{"half", false}});
  CHECK(lines_of("whole\n", 2) == Lines{{"whole", false}});
  CHECK(lines_of("", 1).empty());
}

TEST_CASE("a line that is too long comes in marked pieces that make up the line") {
  const std::string long_line = std::string(longest_line, 'a') + std::string(longest_line, 'b') + "c";
  for (const std::size_t step : {std::size_t{1000}, longest_line - 1, longest_line, longest_line + 1, long_line.size() + 1}) {
    const Lines lines = lines_of(long_line + "\nnext\n", step);
    REQUIRE(lines.size() == 4);
    CHECK(lines[0] == std::pair(std::string(longest_line, 'a'), true));
    CHECK(lines[1] == std::pair(std::string(longest_line, 'b'), true));
    CHECK(lines[2] == std::pair(std::string("c"), false));
    CHECK(lines[3] == std::pair(std::string("next"), false));
  }
}

TEST_CASE("a line of exactly the bound is one line") {
  const Lines lines = lines_of(std::string(longest_line, 'x') + "\n", 4096);
  REQUIRE(lines.size() == 1);
  CHECK_FALSE(lines[0].second);
}

TEST_CASE("bytes are exact: NUL, escape sequences and bad UTF-8 pass unchanged") {
  const std::string bytes("a\0b\x1b[31m\xff\xfe", 9);
  CHECK(lines_of(bytes + "\n", 3) == Lines{{bytes, false}});
}
