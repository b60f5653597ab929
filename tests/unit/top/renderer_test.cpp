#include <doctest/doctest.h>

#include "supervisor/cli/top/renderer.hpp"

namespace corral::cli::top {
namespace {

TEST_CASE("only what differs is written") {
  Renderer renderer(false);
  const Size size{3, 5};
  CHECK(renderer.draw({{{Style::plain, "one"}}, {}, {{Style::plain, "three"}}}, size) ==
        "\x1b[2J\x1b[1;1Hone\x1b[K\x1b[3;1Hthree");
  CHECK(renderer.draw({{{Style::plain, "one"}}, {}, {{Style::plain, "three"}}}, size).empty());
  CHECK(renderer.draw({{}, {{Style::plain, "two"}}, {{Style::plain, "three"}}}, size) == "\x1b[1;1H\x1b[K\x1b[2;1Htwo\x1b[K");
}

TEST_CASE("another size, or another program in between, makes everything new") {
  Renderer renderer(false);
  const Screen screen{{{Style::plain, "x"}}};
  static_cast<void>(renderer.draw(screen, {1, 5}));
  CHECK(renderer.draw(screen, {1, 6}) == "\x1b[2J\x1b[1;1Hx\x1b[K");
  renderer.forget();
  CHECK(renderer.draw(screen, {1, 6}) == "\x1b[2J\x1b[1;1Hx\x1b[K");
}

TEST_CASE("styles, and what is left of them without colours") {
  const Screen screen{{{Style::good, "a"}, {Style::plain, "b"}, {Style::selected, "c"}}};
  CHECK(Renderer(true).draw(screen, {1, 3}) == "\x1b[2J\x1b[1;1H\x1b[32ma\x1b[0mb\x1b[7mc\x1b[0m");
  CHECK(Renderer(false).draw(screen, {1, 3}) == "\x1b[2J\x1b[1;1Hab\x1b[7mc\x1b[0m");
}

}  // namespace
}  // namespace corral::cli::top
