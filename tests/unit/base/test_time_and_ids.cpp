#include <doctest/doctest.h>

#include <cerrno>
#include <string>
#include <unordered_set>

#include "common/base/ids.hpp"
#include "common/base/instant.hpp"
#include "common/base/result.hpp"

using namespace corral;
using namespace std::chrono_literals;

TEST_CASE("a wait that ends after the end of time never ends") {
  const Instant start{5s};
  CHECK(after(start, 3s) == Instant{8s});
  CHECK(after(start, 0s) == start);
  CHECK(after(start, Duration::max()) == never);
  CHECK(after(never, 0s) == never);
  CHECK(after(never, 1ns) == never);
  CHECK(after(Instant{} + 1ns, Duration::max()) == never);
  CHECK(after(never - 2ns, 1ns) == never - 1ns);
}

TEST_CASE("lives of one worker differ by their incarnation, workers by program and index") {
  const WorkerId worker{ProgramId{1}, 2};
  CHECK(Life{worker, Incarnation{1}} != Life{worker, Incarnation{2}});
  CHECK(next(Incarnation{0}) == Incarnation{1});
  CHECK(WorkerId{ProgramId{1}, 2} < WorkerId{ProgramId{1}, 3});
  CHECK(WorkerId{ProgramId{1}, 9} < WorkerId{ProgramId{2}, 0});
  std::unordered_set<WorkerId> all;
  for (std::uint32_t program = 0; program < 10; ++program) {
    for (std::uint32_t index = 0; index < 10; ++index) {
      all.insert({ProgramId{program}, index});
    }
  }
  CHECK(all.size() == 100);
}

TEST_CASE("an error of the system keeps its number and says it in words") {
  const Error error = system_error("cannot open config 'x'", ENOENT);
  CHECK(error.message == "cannot open config 'x': No such file or directory");
  CHECK(error.error_number == ENOENT);
  const Result<int> failed = failure("no");
  CHECK(failed.error() == Error{"no", 0});
  const Result<int> denied = system_failure("cannot read", EACCES);
  CHECK(denied.error().message == "cannot read: Permission denied");
}
