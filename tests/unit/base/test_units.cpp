#include <doctest/doctest.h>

#include <array>
#include <string>

#include "common/base/units.hpp"

using namespace corral;
using namespace std::chrono_literals;

namespace {

Duration duration(std::string_view text) {
  const Result<Duration> parsed = parse_duration(text);
  REQUIRE_MESSAGE(parsed.has_value(), text, ": ", parsed ? "" : parsed.error().message);
  return *parsed;
}

std::uint64_t size(std::string_view text) {
  const Result<std::uint64_t> parsed = parse_size(text);
  REQUIRE_MESSAGE(parsed.has_value(), text, ": ", parsed ? "" : parsed.error().message);
  return *parsed;
}

bool refused(std::string_view text, std::string_view why) {
  const Result<Duration> parsed = parse_duration(text);
  return !parsed && parsed.error().message.find(why) != std::string::npos &&
         parsed.error().message.find("'" + std::string(text) + "'") != std::string::npos;
}

}  // namespace

TEST_CASE("a duration is a number and a unit") {
  CHECK(duration("1ns") == 1ns);
  CHECK(duration("7us") == 7us);
  CHECK(duration("250ms") == 250ms);
  CHECK(duration("10s") == 10s);
  CHECK(duration("5m") == 5min);
  CHECK(duration("2h") == 2h);
  CHECK(duration("1d") == 24h);
  CHECK(duration("1.5s") == 1500ms);
  CHECK(duration("0.1s") == 100ms);
  CHECK(duration("0") == 0ns);
  CHECK(duration("0s") == 0ns);
  CHECK(duration("3650d") == longest_duration);
}

TEST_CASE("a duration that means nothing is refused with its reason") {
  CHECK(refused("10", "the unit is missing"));
  CHECK(refused("1.5", "the unit is missing"));
  CHECK(refused("", "does not start with a number"));
  CHECK(refused("ms", "does not start with a number"));
  CHECK(refused(" 1s", "does not start with a number"));
  CHECK(refused("+1s", "does not start with a number"));
  CHECK(refused(".5s", "does not start with a number"));
  CHECK(refused("-1s", "negative"));
  CHECK(refused("1.s", "no digit after the decimal point"));
  CHECK(refused("1 s", "unknown unit ' s'"));
  CHECK(refused("1S", "unknown unit 'S'"));
  CHECK(refused("1min", "unknown unit 'min'"));
  CHECK(refused("1e3s", "unknown unit 'e3s'"));
  CHECK(refused("10s5", "unknown unit 's5'"));
  CHECK(refused("3651d", "too large"));
  CHECK(refused("99999999999999999999s", "too large"));
  CHECK(refused("18446744073709551615d", "too large"));
  CHECK(refused("10", "such as 250ms, 10s"));
}

TEST_CASE("a unit of everyday life is understood well enough to name the right one") {
  CHECK(meant_duration("5minutes") == "5m");
  CHECK(meant_duration("5 minutes") == "5m");
  CHECK(meant_duration("1min") == "1m");
  CHECK(meant_duration("10seconds") == "10s");
  CHECK(meant_duration("2hours") == "2h");
  CHECK(meant_duration("1.5hours") == "1.5h");
  CHECK(meant_duration("10S") == "10s");
  CHECK(meant_duration("7\u00b5s") == "7us");
  CHECK(meant_duration("250msecs") == "250ms");
  CHECK(meant_duration("3weeks").empty());
  CHECK(meant_duration("minutes").empty());
  CHECK(meant_duration("10").empty());
  CHECK(meant_duration("").empty());
  CHECK(meant_duration("1.").empty());
  CHECK(meant_size("64mib") == "64MiB");
  CHECK(meant_size("64M") == "64MiB");
  CHECK(meant_size("10kb") == "10kB");
  CHECK(meant_size("100 bytes") == "100B");
  CHECK(meant_size("64 apples").empty());
  for (const char* text : {"5minutes", "1.5hours", "7\u00b5s"}) {
    CHECK(parse_duration(meant_duration(text)).has_value());
  }
}

TEST_CASE("a size has binary and decimal units") {
  CHECK(size("512B") == 512);
  CHECK(size("1KiB") == 1024);
  CHECK(size("64MiB") == 64ULL << 20U);
  CHECK(size("1.5GiB") == 3ULL << 29U);
  CHECK(size("1TiB") == 1ULL << 40U);
  CHECK(size("10kB") == 10'000);
  CHECK(size("10MB") == 10'000'000);
  CHECK(size("2GB") == 2'000'000'000);
  CHECK(size("1TB") == 1'000'000'000'000);
  CHECK(size("0") == 0);
  CHECK_FALSE(parse_size("64").has_value());
  CHECK_FALSE(parse_size("64mib").has_value());
  CHECK_FALSE(parse_size("8388608TiB").has_value());  // 2^63
  CHECK(size("9223372036854775807B") == 9223372036854775807ULL);
  CHECK_FALSE(parse_size("9223372036854775808B").has_value());
}

TEST_CASE("what format_duration writes, parse_duration reads back") {
  CHECK(format_duration(0ns) == "0");
  CHECK(format_duration(250ms) == "250ms");
  CHECK(format_duration(1500ms) == "1500ms");
  CHECK(format_duration(60s) == "1m");
  CHECK(format_duration(90s) == "90s");
  CHECK(format_duration(48h) == "2d");
  CHECK(format_duration(1ns) == "1ns");
  std::uint64_t state = 12345;
  for (int i = 0; i < 2000; ++i) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    const Duration any(static_cast<Duration::rep>((state >> 8U) % static_cast<std::uint64_t>(longest_duration.count())) >>
                       i % 60);
    CHECK(duration(format_duration(any)) == any);
  }
}

TEST_CASE("a duration in a sentence has a unit that fits its length") {
  CHECK(describe_duration(41us) == "41 us");
  CHECK(describe_duration(0ns) == "0 us");
  CHECK(describe_duration(1500us) == "1.5 ms");
  CHECK(describe_duration(200ms) == "200 ms");
  CHECK(describe_duration(999ms) == "999 ms");
  CHECK(describe_duration(999'600us) == "1 s");  // Not "1000 ms".
  CHECK(describe_duration(3200ms) == "3.2 s");
  CHECK(describe_duration(10s) == "10 s");
  CHECK(describe_duration(125s) == "2 min 5 s");
  CHECK(describe_duration(120s) == "2 min");
  CHECK(describe_duration(190min) == "3 h 10 min");
  CHECK(describe_duration(25h) == "1 d 1 h");
}

TEST_CASE("a size in a sentence") {
  CHECK(describe_size(0) == "0 B");
  CHECK(describe_size(1023) == "1023 B");
  CHECK(describe_size(64ULL << 20U) == "64 MiB");
  CHECK(describe_size(1536) == "1.5 KiB");
  CHECK(describe_size(1ULL << 50U) == "1024 TiB");
}
