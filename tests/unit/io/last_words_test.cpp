#include "supervisor/shell/io/last_words.hpp"

#include <doctest/doctest.h>

using namespace corral;
using namespace corral::shell;

namespace {
Life life(std::uint32_t worker, std::uint32_t incarnation) { return {{ProgramId{0}, worker}, Incarnation{incarnation}}; }
}  // namespace

TEST_CASE("the last lines of a life, and of no other") {
  LastWords words;
  words.hear(life(1, 1), "old");
  words.hear(life(1, 2), "a \"b\"");
  words.hear(life(1, 2), "c");
  CHECK(words.member(life(1, 2)) == R"(,"stderr":["a \"b\"","c"])");
  CHECK(words.member(life(1, 1)) == R"(,"stderr":[])");
  CHECK(words.member(life(7, 1)) == R"(,"stderr":[])");
}

TEST_CASE("so many lines and so many bytes are kept, and one line at least") {
  LastWords words;
  for (int i = 0; i < 100; ++i) {
    words.hear(life(0, 1), std::to_string(i));
  }
  CHECK(words.member(life(0, 1)) == R"(,"stderr":["90","91","92","93","94","95","96","97","98","99"])");
  words.hear(life(0, 1), std::string(100'000, 'x'));
  CHECK(words.member(life(0, 1)).size() == 4095 + std::string_view(R"(,"stderr":[""])").size());
}

TEST_CASE("lines that come together are the lines that they are, and the last of many are kept") {
  LastWords words(LastWords::Limits{.lines = 3, .bytes = 20});
  words.hear_all(life(0, 1), "a\n\nb\n");
  words.hear_all(life(0, 1), "without a break");
  CHECK(words.lines(life(0, 1)) == std::vector<std::string_view>{"", "b", "without a break"});
  std::string many;
  for (int i = 0; i < 1000; ++i) {
    many += std::to_string(i) + "\n";
  }
  words.hear_all(life(0, 1), many);
  CHECK(words.lines(life(0, 1)) == std::vector<std::string_view>{"997", "998", "999"});
  words.hear_all(life(0, 1), std::string(100, 'x') + "end");
  CHECK(words.lines(life(0, 1)) == std::vector<std::string_view>{std::string(16, 'x') + "end"});
  words.hear_all(life(0, 1), "");
  words.hear_all(life(0, 2), "new\n");
  CHECK(words.lines(life(0, 1)).empty());
  CHECK(words.lines(life(0, 2)) == std::vector<std::string_view>{"new"});
}
