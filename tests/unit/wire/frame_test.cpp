#include "common/wire/frame.hpp"

#include <doctest/doctest.h>

#include <string>
#include <tuple>
#include <vector>

using namespace corral::wire;

namespace {

using Frames = std::vector<std::tuple<FrameType, std::uint64_t, std::string>>;

struct Parsed {
  Frames frames;
  std::string problem;
  bool has_part = false;
};

/// Everything that comes out when `bytes` go in in pieces of `step`.
Parsed parse(std::string_view bytes, std::size_t step, std::uint32_t most = longest_payload) {
  FrameParser parser(most);
  Parsed parsed;
  const auto sink = [&](const Frame& frame) { parsed.frames.emplace_back(frame.type, frame.task, frame.payload); };
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    if (!parser.feed(bytes.substr(at, step), sink)) {
      break;
    }
  }
  parsed.problem = parser.problem();
  parsed.has_part = parser.has_part();
  return parsed;
}

std::string stream_of(const Frames& frames) {
  std::string bytes;
  for (const auto& [type, task, payload] : frames) {
    append_frame(bytes, type, task, payload);
  }
  return bytes;
}

}  // namespace

TEST_CASE("a header is what docs/protocol.md says, byte by byte") {
  const auto bytes = encode(Header{0x01020304, FrameType::result, 0x1122334455667788});
  const unsigned char expected[header_size] = {4, 3, 2, 1, 3, 0, 0, 0, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11};
  for (std::size_t i = 0; i < header_size; ++i) {
    CHECK(static_cast<unsigned char>(bytes[i]) == expected[i]);
  }
}

TEST_CASE("frames come out whole, however the bytes are cut") {
  const Frames frames{{FrameType::hello, 0, encode(Hello{1, 1000, "python 3.11"})},
                      {FrameType::result, 7, ""},
                      {FrameType::error, ~std::uint64_t{0}, std::string("a\0b\n", 4)},
                      {FrameType::progress, 8, std::string(300, 'x')},
                      {FrameType::cancel, 9, ""}};
  const std::string bytes = stream_of(frames);
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    const Parsed parsed = parse(bytes, step);
    CHECK(parsed.frames == frames);
    CHECK(parsed.problem.empty());
    CHECK_FALSE(parsed.has_part);
  }
}

TEST_CASE("half a frame is no frame, and says how much is lacking") {
  std::string bytes = stream_of({{FrameType::task, 1, std::string(100, 'x')}});
  bytes.resize(bytes.size() - 40);
  FrameParser parser;
  int frames = 0;
  CHECK(parser.feed(bytes, [&](const Frame&) { ++frames; }));
  CHECK(frames == 0);
  CHECK(parser.has_part());
  CHECK(parser.lacking() == 40);
}

TEST_CASE("what is no frame ends the stream: an unknown type, a field that must be zero") {
  const std::string good = stream_of({{FrameType::result, 1, "ok"}});
  for (const std::size_t at : {4U, 5U, 6U, 7U}) {
    std::string bad = stream_of({{FrameType::result, 2, "never seen"}});
    bad[at] = '\x7f';
    for (const std::size_t step : {1U, 5U, 1000U}) {
      const Parsed parsed = parse(good + bad + good, step);
      CHECK(parsed.frames.size() == 1);
      CHECK(parsed.problem == "wrote bytes that are no frame of the task protocol");
      CHECK_FALSE(parsed.has_part);
    }
  }
  CHECK(parse("Traceback (most recent call last):\n", 7).problem == "wrote bytes that are no frame of the task protocol");
}

TEST_CASE("the bound on a payload is exact, and is found from the header alone") {
  const auto header = [](std::uint32_t length) {
    const auto bytes = encode(Header{length, FrameType::result, 1});
    return std::string(bytes.data(), bytes.size());
  };
  CHECK(parse(header(10) + std::string(10, 'x'), 3, 10).frames.size() == 1);
  for (const std::size_t step : {1U, 16U}) {
    const Parsed parsed = parse(header(11), step, 10);
    CHECK(parsed.problem == "sent a RESULT of 11 bytes, more than the 10 that a frame may have");
    CHECK_FALSE(parsed.has_part);
  }
}

TEST_CASE("HELLO: version, bound and name; a short one is none") {
  const std::string bytes = encode(Hello{3, 5, "c++"});
  const auto hello = decode_hello(bytes);
  REQUIRE(hello);
  CHECK(hello->version == 3);
  CHECK(hello->longest_payload == 5);
  CHECK(hello->name == "c++");
  CHECK_FALSE(decode_hello("1234567"));
  CHECK(decode_hello("12345678"));
}
