#include "supervisor/shell/tasks/results.hpp"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/io_context.hpp>

#include "common/base/file_descriptor.hpp"

using namespace corral;
using namespace corral::shell;
using namespace std::chrono_literals;

namespace {

/// What stands in the file after `fill`.
template <class Fill>
std::string written(ResultOptions options, Fill&& fill) {
  boost::asio::io_context loop;
  const FileDescriptor file(::memfd_create("results", MFD_CLOEXEC));
  REQUIRE(file);
  options.fd = file.get();
  Results results(loop, std::move(options), [] {});
  fill(results);
  results.flush();
  REQUIRE(results.wait(10s));
  std::string text(static_cast<std::size_t>(::lseek(file.get(), 0, SEEK_END)), '\0');
  REQUIRE(::pread(file.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  return text;
}

core::RecordTask done(std::uint64_t task, Duration seconds = {}) {
  core::RecordTask record;
  record.task = core::TaskId{task};
  record.seconds = seconds;
  return record;
}

std::string line_of(const core::RecordTask& record, std::string_view payload, ResultOptions options = {},
                    std::uint64_t line = 7) {
  return written(std::move(options), [&](Results& results) { results.add(record, line, payload); });
}

std::string seconds_of(Duration seconds) {
  const std::string line = line_of(done(0, seconds), "1");
  const std::size_t begin = line.find("\"seconds\":") + 10;
  return line.substr(begin, line.find(',', begin) - begin);
}

}  // namespace

TEST_CASE("a result is a line of JSON") {
  CHECK(line_of(done(0, 250ms), R"({"a": 1})") ==
        R"({"task":7,"ok":true,"result":{"a": 1},"attempts":1,"seconds":0.25,"worker":0})"
        "\n");
  CHECK(line_of(done(0), "") == R"({"task":7,"ok":true,"result":null,"attempts":1,"seconds":0,"worker":0})"
                                "\n");
  // Which is white space there.
  CHECK(line_of(done(0), "[1,\n2\r\n]") == R"({"task":7,"ok":true,"result":[1, 2  ],"attempts":1,"seconds":0,"worker":0})"
                                           "\n");
  ResultOptions text;
  text.as_text = true;
  CHECK(line_of(done(0), "a \"b\"\n", text) == R"({"task":7,"ok":true,"result":"a \"b\"","attempts":1,"seconds":0,"worker":0})"
                                               "\n");
}

TEST_CASE("seconds are exact to the nanosecond, without zeros at their end") {
  CHECK(seconds_of(0ns) == "0");
  CHECK(seconds_of(1ns) == "0.000000001");
  CHECK(seconds_of(100ms) == "0.1");
  CHECK(seconds_of(3s) == "3");
  CHECK(seconds_of(61s + 1200us) == "61.0012");
  CHECK(seconds_of(12s + 987654321ns) == "12.987654321");
  CHECK(seconds_of(-5s) == "0");  // Of a clock that nobody has.
}

TEST_CASE("the longest numbers that there are have room") {
  core::RecordTask record = done(0, Duration::max());
  record.attempts = std::numeric_limits<std::uint32_t>::max();
  record.life.worker.index = std::numeric_limits<std::uint32_t>::max() - 1;
  ResultOptions options;
  options.workers = std::numeric_limits<std::uint32_t>::max();
  const std::string expected = R"({"task":18446744073709551615,"ok":true,"result":null,"attempts":4294967295,)"
                               R"("seconds":9223372036.854775807,"worker":4294967294})"
                               "\n";
  CHECK(line_of(record, "", options, std::numeric_limits<std::uint64_t>::max()) == expected);
}

TEST_CASE("what failed says why") {
  core::RecordTask record = done(0);
  record.outcome = core::Outcome::failed;
  record.mishap = core::Mishap::reported;
  CHECK(line_of(record, R"({"type":"E"})") == R"({"task":7,"ok":false,"error":{"type":"E"},"attempts":1,"seconds":0,"worker":0})"
                                              "\n");
  record.outcome = core::Outcome::quarantined;
  record.mishap = core::Mishap::died;
  record.attempts = 3;
  ResultOptions options;
  options.last_words = [](Life) { return std::string(R"(,"stderr":"ouch")"); };
  CHECK(
      line_of(record, "its worker \"died\"", options) ==
      R"({"task":7,"ok":false,"quarantined":true,"error":{"type":"WorkerDied","message":"its worker \"died\"","stderr":"ouch"},)"
      R"("attempts":3,"seconds":0,"worker":0})"
      "\n");
}

TEST_CASE("raw results are the payloads of those that are done") {
  ResultOptions raw;
  raw.raw = true;
  core::RecordTask failed = done(1);
  failed.outcome = core::Outcome::failed;
  failed.mishap = core::Mishap::died;
  const auto fill = [&](Results& results) {
    results.add(done(0), 0, "first");
    results.add(failed, 1, "a story");
    results.add(done(2), 2, "");
  };
  CHECK(written(raw, fill) == "first\n\n");
  ResultOptions tagged = raw;
  tagged.tag = true;
  tagged.text_of = [](core::TaskSlot) { return std::string_view("t\t1"); };
  CHECK(written(tagged, fill) == "t 1\tfirst\nt 1\t\n");
}

TEST_CASE("in order: each when those before it are there, or left") {
  ResultOptions options;
  options.raw = options.ordered = true;
  const auto text = written(options, [&](Results& results) {
    results.add(done(2), 2, "c");
    results.add(done(4), 4, "e");
    CHECK(results.held() == 4);
    results.add(done(0), 0, "a");
    results.skip(core::TaskId{3}, 3);
    results.add(done(1), 1, "b");
    CHECK(results.held() == 0);
  });
  CHECK(text == "a\nb\nc\ne\n");
}
