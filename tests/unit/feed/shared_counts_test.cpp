#include "supervisor/shell/tasks/shared_counts.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

using namespace corral;
using namespace corral::shell;

namespace {

/// As one that inherits `fd` has it.
std::optional<CountsWriter> inherit(int fd) {
  ::setenv(counts_variable, std::to_string(fd).c_str(), 1);
  auto writer = CountsWriter::from_environment();
  CHECK(std::getenv(counts_variable) == nullptr);  // Its own children are not to take it for theirs.
  return writer;
}

core::TaskCounts some(std::uint64_t base) {
  return {.accepted = base + 45,
          .queued = 1,
          .in_work = 2,
          .done = base + 33,
          .failed = 4,
          .quarantined = 5,
          .retries = 9,
          .dropped = 10};
}

}  // namespace

TEST_CASE("what one side counts the other sees") {
  const auto counts = SharedCounts::make();
  REQUIRE(counts);
  CHECK_FALSE(counts->read());  // Nobody has counted yet.
  auto writer = inherit(::dup(counts->descriptor()));
  REQUIRE(writer);
  writer->write({});
  REQUIRE(counts->read());
  CHECK(counts->read()->accepted == 0);
  for (std::uint64_t base = 0; base < 100; ++base) {
    writer->write(some(base));
    const auto seen = counts->read();
    REQUIRE(seen);
    CHECK(seen->done == base + 33);
    CHECK(seen->dropped == 10);
    CHECK(seen->balanced());
  }
  SUBCASE("also when it has ended") {
    writer.reset();
    CHECK(counts->read()->done == 132);
  }
  SUBCASE("and nothing of what is half written") {
    const std::uint64_t other = 7;
    REQUIRE(::pwrite(counts->descriptor(), &other, sizeof other, 8) == sizeof other);
    CHECK_FALSE(counts->read());
  }
}

TEST_CASE("neither side can make it smaller") {
  const auto counts = SharedCounts::make();
  REQUIRE(counts);
  CHECK(::ftruncate(counts->descriptor(), 0) != 0);
  CHECK(::ftruncate(counts->descriptor(), 1 << 20) != 0);
}

TEST_CASE("another descriptor is left alone") {
  const int file = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  CHECK_FALSE(inherit(file));
  CHECK(::fcntl(file, F_GETFD) >= 0);
  ::close(file);
  CHECK_FALSE(inherit(file));
  for (const char* text : {"", "x", "2", "-1", "3x", "99999999999"}) {
    ::setenv(counts_variable, text, 1);
    CHECK_FALSE(CountsWriter::from_environment());
  }
  CHECK_FALSE(CountsWriter::from_environment());
}
