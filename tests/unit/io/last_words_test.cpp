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
