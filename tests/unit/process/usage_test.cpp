#include "supervisor/shell/process/usage.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

namespace corral::process {
namespace {

TEST_CASE("many processes, some of them gone: each in its place, however many threads look") {
  constexpr std::int32_t no_such_process = 2'000'000'000;
  for (const std::size_t count : {1U, 255U, 256U, 2000U}) {
    std::vector<std::int32_t> pids(count, ::getpid());
    for (std::size_t i = 1; i < count; i += 2) {
      pids[i] = no_such_process;
    }
    const auto usages = usages_of(pids);
    REQUIRE(usages.size() == count);
    for (std::size_t i = 0; i < count; ++i) {
      REQUIRE(usages[i].has_value() == (i % 2 == 0));
      REQUIRE((!usages[i] || usages[i]->resident_bytes > 0));
    }
  }
  CHECK(usages_of({}).empty());
}

}  // namespace
}  // namespace corral::process
