#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>

#include "common/base/suggest.hpp"

using corral::nearest;

namespace {
constexpr std::array<std::string_view, 6> words{"always", "on-failure", "never", "workers", "cores", "restart"};
}

TEST_CASE("a misspelling finds the word that was meant") {
  CHECK(nearest("on-failur", words) == "on-failure");
  CHECK(nearest("on_failure", words) == "on-failure");
  CHECK(nearest("ON-FAILURE", words) == "on-failure");
  CHECK(nearest("nevre", words) == "never");
  CHECK(nearest("worker", words) == "workers");
  CHECK(nearest("restrat", words) == "restart");
  CHECK(nearest("core", words) == "cores");
}

TEST_CASE("a word unlike all others finds nothing") {
  CHECK(nearest("banana", words).empty());
  CHECK(nearest("", words).empty());
  CHECK(nearest("x", words).empty());
  CHECK(nearest(std::string(100'000, 'a'), words).empty());
  CHECK(nearest("always", std::span<const std::string_view>{}).empty());
}

TEST_CASE("a short word is not taken for another that shares none of its letters") {
  constexpr std::array<std::string_view, 2> short_words{"a", "bc"};
  CHECK(nearest("z", short_words).empty());
  CHECK(nearest("b", short_words) == "bc");
}

TEST_CASE("the nearer of two candidates wins, the first where both are as near") {
  constexpr std::array<std::string_view, 3> near{"grace", "trace", "graces"};
  CHECK(nearest("grac", near) == "grace");
  CHECK(nearest("graces", near) == "graces");
  CHECK(nearest("xrace", near) == "grace");
}
