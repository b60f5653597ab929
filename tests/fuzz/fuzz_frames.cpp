// The parser of frames against whatever libFuzzer thinks of, cut into pieces in whatever way.
//
// The first byte decides how long payloads may be, the second one how the rest is cut. What must hold: no crash, no sanitizer's
// report; the same frames, and the same verdict, as a reader that has all bytes at once and nothing to be clever about.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/check.hpp"
#include "common/wire/frame.hpp"

namespace {

struct Seen {
  unsigned type = 0;
  std::uint64_t task = 0;
  std::string payload;
  friend bool operator==(const Seen&, const Seen&) = default;
};

struct Reading {
  std::vector<Seen> frames;
  bool broken = false;
};

std::uint64_t number_at(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t number = 0;
  for (std::size_t i = size; i > 0; --i) {
    number = number << 8U | static_cast<unsigned char>(bytes[at + i - 1]);
  }
  return number;
}

/// From docs/protocol.md alone.
Reading read_all(std::string_view bytes, std::uint64_t most) {
  Reading reading;
  while (bytes.size() >= 16) {
    const std::uint64_t length = number_at(bytes, 0, 4);
    const auto type = static_cast<unsigned char>(bytes[4]);
    if (type < 1 || type > 7 || bytes[5] != 0 || bytes[6] != 0 || bytes[7] != 0 || length > most) {
      reading.broken = true;
      return reading;
    }
    if (bytes.size() - 16 < length) {
      break;
    }
    reading.frames.push_back({type, number_at(bytes, 8, 8), std::string(bytes.substr(16, length))});
    bytes.remove_prefix(16 + length);
  }
  return reading;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  const std::uint32_t most = data[0] < 0x80 ? data[0] : std::uint32_t{1} << (data[0] & 0x1FU);
  const std::size_t piece = data[1] == 0 ? size : data[1];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);  // NOLINT
  const Reading expected = read_all(bytes, most);

  corral::wire::FrameParser parser(most);
  Reading got;
  for (std::size_t at = 0; at < bytes.size() && !got.broken; at += piece) {
    got.broken = !parser.feed(bytes.substr(at, piece), [&](const corral::wire::Frame& frame) {
      got.frames.push_back({static_cast<unsigned>(frame.type), frame.task, std::string(frame.payload)});
    });
    if (!got.broken && parser.has_part()) {
      CORRAL_CHECK(parser.lacking() <= std::size_t{most} + 16);
    }
  }
  CORRAL_CHECK(got.broken == expected.broken && got.frames == expected.frames);
  CORRAL_CHECK(got.broken == !parser.problem().empty());
  return 0;
}
