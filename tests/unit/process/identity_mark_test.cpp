#include <doctest/doctest.h>

#include <optional>
#include <utility>

#include "supervisor/shell/process/identity_mark.hpp"
#include "supervisor/shell/process/setup.hpp"

namespace corral::process {
namespace {

using enum IdentityMark::Others;

TEST_CASE("a mark tells of others, and of nobody else") {
  const std::string identity = fresh_identity();
  std::optional<IdentityMark> first(std::in_place, identity);
  CHECK(first->others() == none);
  CHECK(IdentityMark(fresh_identity()).others() == none);
  CHECK(IdentityMark("ffffffffffffffff").others() == none);
  SUBCASE("each sees the other, whoever was first") {
    const IdentityMark second(identity);
    CHECK(second.others() == some);
    CHECK(first->others() == some);
  }
  SUBCASE("it lasts as long as its owner") {
    const IdentityMark second(identity);
    first.reset();
    CHECK(second.others() == none);
  }
  SUBCASE("whoever has moved it has it") {
    const IdentityMark moved = std::move(*first);
    first.reset();
    CHECK(IdentityMark(identity).others() == some);
  }
}

TEST_CASE("without a mark nobody knows") { CHECK(IdentityMark().others() == unknown); }

}  // namespace
}  // namespace corral::process
