#include "common/wire/block_splitter.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using corral::wire::BlockSplitter;
using corral::wire::longest_line;

namespace {

using Lines = std::vector<std::pair<std::string, bool>>;

/// The blocks that come out when `bytes` go in in pieces of `step`.
Lines blocks_of(std::string_view bytes, std::size_t step) {
  BlockSplitter splitter;
  Lines lines;
  const auto sink = [&](std::string_view block, bool goes_on) { lines.emplace_back(block, goes_on); };
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    splitter.feed(bytes.substr(at, step), sink);
  }
  splitter.finish(sink);
  return lines;
}

}  // namespace

TEST_CASE("a block holds all whole lines there are") {
  CHECK(blocks_of("one\n\nthree\nlast", 100) == Lines{{"one\n\nthree\n", false}, {"last", false}});
  CHECK(blocks_of("one\ntwo\n", 5) == Lines{{"one\n", false}, {"two\n", false}});
  CHECK(blocks_of("", 1).empty());
}

TEST_CASE("a line that came in parts is a block of its own") {
  CHECK(blocks_of("abcdef\nx\ny\n", 4) == Lines{{"abcdef\n", false}, {"x\n", false}, {"y\n", false}});
}

TEST_CASE("a line of exactly the bound is one line, and one more byte makes a piece") {
  for (const std::size_t step : {std::size_t{4096}, longest_line, longest_line + 1, 2 * longest_line}) {
    CAPTURE(step);
    CHECK(blocks_of(std::string(longest_line, 'x') + "\n", step) == Lines{{std::string(longest_line, 'x') + "\n", false}});
    CHECK(blocks_of(std::string(longest_line + 1, 'x') + "\n", step) ==
          Lines{{std::string(longest_line, 'x'), true}, {"x\n", false}});
  }
}
