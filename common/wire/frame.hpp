// The frames of the task protocol (docs/protocol.md): a header of 16 bytes and a payload that nobody here looks into.
//
// Pure: bytes in, frames out. A frame is handed on as soon as its last byte is there; one that lies in the bytes whole is not
// copied. A header that is not one ends the stream, since nothing tells where the next would begin. What this must not do:
// read, write, know what a type means to whom.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace corral::wire {

inline constexpr std::uint32_t protocol_version = 1;
inline constexpr std::size_t header_size = 16;
/// Of a payload, in bytes, unless somebody asks for another bound.
inline constexpr std::uint32_t longest_payload = std::uint32_t{64} << 20U;

enum class FrameType : std::uint8_t {
  hello = 1,
  task,
  result,
  error,
  progress,
  cancel,
  drain,
  // To clients alone; where corral reads, these are no frames.
  quarantined,
  begun,
};

[[nodiscard]] std::string_view name(FrameType type);

struct Header {
  std::uint32_t length = 0;
  FrameType type = FrameType::hello;
  std::uint64_t task = 0;
  friend bool operator==(const Header&, const Header&) = default;
};

/// An integer of the stream, little-endian, at any address.
template <class Integer>
[[nodiscard]] Integer load(const char* at) {
  Integer value;
  std::memcpy(&value, at, sizeof value);
  return std::endian::native == std::endian::little ? value : std::byteswap(value);
}

template <class Integer>
void store(char* at, Integer value) {
  value = std::endian::native == std::endian::little ? value : std::byteswap(value);
  std::memcpy(at, &value, sizeof value);
}

/// Writes the 16 bytes of a header.
inline void encode(const Header& header, char* at) {
  store(at, header.length);
  store(at + 4, std::uint32_t{static_cast<std::uint8_t>(header.type)});
  store(at + 8, header.task);
}
[[nodiscard]] std::array<char, header_size> encode(const Header& header);

enum class HeaderFault : std::uint8_t { none, no_frame, too_long };

/// Reads the 16 bytes of a header. Inline, as encode() is: whoever walks many small frames does little else.
[[nodiscard]] inline HeaderFault decode(const char* at, std::uint32_t most, Header& header) {
  const auto kind = load<std::uint32_t>(at + 4);  // The type, and three bytes that must be 0.
  header = Header{load<std::uint32_t>(at), static_cast<FrameType>(kind & 0xffU), load<std::uint64_t>(at + 8)};
  constexpr auto first = static_cast<std::uint32_t>(FrameType::hello);
  constexpr auto last = static_cast<std::uint32_t>(FrameType::drain);
  if (kind < first || kind > last) {
    return HeaderFault::no_frame;
  }
  return header.length > most ? HeaderFault::too_long : HeaderFault::none;
}

/// One clause, for "the worker ... ".
[[nodiscard]] std::string describe(HeaderFault fault, const Header& header, std::uint32_t most);

struct Frame {
  FrameType type = FrameType::hello;
  std::uint64_t task = 0;
  std::string_view payload;
};

/// What HELLO says.
struct Hello {
  std::uint32_t version = protocol_version;
  std::uint32_t longest_payload = wire::longest_payload;
  std::string_view name;  ///< For messages: "python 3.11". Not checked.
};

[[nodiscard]] std::string encode(const Hello& hello);
/// Nothing where the payload is too short for one.
[[nodiscard]] std::optional<Hello> decode_hello(std::string_view payload);

/// Appends a whole frame. `payload` must not be longer than a header can say.
void append_frame(std::string& out, FrameType type, std::uint64_t task, std::string_view payload);

class FrameParser {
 public:
  explicit FrameParser(std::uint32_t most = longest_payload) : most_(most) {}

  /// Calls `sink(const Frame&)` for every frame that `bytes` completes; a payload is valid during the call alone. False when
  /// what follows is no frame: nothing is taken from then on, and problem() says why.
  template <class Sink>
  bool feed(std::string_view bytes, Sink&& sink);

  /// In the middle of a frame.
  [[nodiscard]] bool has_part() const { return !part_.empty(); }
  /// What the present frame still lacks, once its header is there: room that a reader may make for it at once.
  [[nodiscard]] std::size_t lacking() const;
  /// Why the stream ended: one clause, for "the worker ... ".
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  /// Takes bytes from the front until `part_` has `size` of them. True when it has.
  bool fill_part(std::string_view& bytes, std::size_t size);
  [[nodiscard]] bool refuse(std::string problem);

  std::uint32_t most_;
  std::string part_;  ///< The beginning of a frame whose end has not come.
  std::string problem_;
};

template <class Sink>
bool FrameParser::feed(std::string_view bytes, Sink&& sink) {
  if (!problem_.empty()) {
    return false;
  }
  while (!bytes.empty()) {
    Header header;
    if (part_.empty() && bytes.size() >= header_size) {
      if (const HeaderFault fault = decode(&bytes.front(), most_, header); fault != HeaderFault::none) {
        return refuse(describe(fault, header, most_));
      }
      if (bytes.size() - header_size >= header.length) {
        sink(Frame{header.type, header.task, bytes.substr(header_size, header.length)});
        bytes.remove_prefix(header_size + header.length);
        continue;
      }
    }
    if (!fill_part(bytes, header_size)) {
      return true;
    }
    if (const HeaderFault fault = decode(part_.data(), most_, header); fault != HeaderFault::none) {
      return refuse(describe(fault, header, most_));
    }
    if (!fill_part(bytes, header_size + header.length)) {
      return true;
    }
    // Taken out first: the sink may look at this parser.
    const std::string whole = std::exchange(part_, {});
    sink(Frame{header.type, header.task, std::string_view(whole).substr(header_size)});
  }
  return true;
}

}  // namespace corral::wire
