#include "common/wire/frame.hpp"

#include <algorithm>

namespace corral::wire {
namespace {

template <class Integer>
void put(char* at, Integer value) {
  for (std::size_t i = 0; i < sizeof value; ++i) {
    at[i] = static_cast<char>(value >> (8 * i) & 0xffU);
  }
}

template <class Integer>
Integer take(const char* at) {
  Integer value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i) {
    value |= static_cast<Integer>(Integer{static_cast<unsigned char>(at[i])} << (8 * i));
  }
  return value;
}

constexpr std::size_t hello_size = 8;

}  // namespace

std::string_view name(FrameType type) {
  switch (type) {
    case FrameType::hello: return "HELLO";
    case FrameType::task: return "TASK";
    case FrameType::result: return "RESULT";
    case FrameType::error: return "ERROR";
    case FrameType::progress: return "PROGRESS";
    case FrameType::cancel: return "CANCEL";
    case FrameType::drain: return "DRAIN";
  }
  return "?";
}

std::array<char, header_size> encode(const Header& header) {
  std::array<char, header_size> bytes{};
  put(bytes.data(), header.length);
  bytes[4] = static_cast<char>(header.type);
  put(bytes.data() + 8, header.task);
  return bytes;
}

std::string encode(const Hello& hello) {
  std::string bytes(hello_size, '\0');
  put(bytes.data(), hello.version);
  put(bytes.data() + 4, hello.longest_payload);
  bytes += hello.name;
  return bytes;
}

std::optional<Hello> decode_hello(std::string_view payload) {
  if (payload.size() < hello_size) {
    return std::nullopt;
  }
  return Hello{take<std::uint32_t>(payload.data()), take<std::uint32_t>(payload.data() + 4), payload.substr(hello_size)};
}

void append_frame(std::string& out, FrameType type, std::uint64_t task, std::string_view payload) {
  const auto header = encode(Header{static_cast<std::uint32_t>(payload.size()), type, task});
  out.append(header.data(), header.size());
  out.append(payload);
}

std::size_t FrameParser::lacking() const {
  if (part_.size() < header_size) {
    return 0;
  }
  return header_size + take<std::uint32_t>(part_.data()) - part_.size();
}

bool FrameParser::refuse(std::string problem) {
  problem_ = std::move(problem);
  std::string().swap(part_);
  return false;
}

std::optional<Header> FrameParser::decode(std::string_view bytes) {
  const Header header{take<std::uint32_t>(bytes.data()), static_cast<FrameType>(bytes[4]), take<std::uint64_t>(bytes.data() + 8)};
  const bool known = header.type >= FrameType::hello && header.type <= FrameType::drain;
  if (!known || bytes[5] != 0 || bytes[6] != 0 || bytes[7] != 0) {
    static_cast<void>(refuse("wrote bytes that are no frame of the task protocol"));
    return std::nullopt;
  }
  if (header.length > most_) {
    static_cast<void>(refuse("sent a " + std::string(name(header.type)) + " of " + std::to_string(header.length) +
                             " bytes, more than the " + std::to_string(most_) + " that a frame may have"));
    return std::nullopt;
  }
  return header;
}

bool FrameParser::fill_part(std::string_view& bytes, std::size_t size) {
  const std::size_t taken = std::min(size - std::min(size, part_.size()), bytes.size());
  part_.append(bytes.substr(0, taken));
  bytes.remove_prefix(taken);
  return part_.size() >= size;
}

}  // namespace corral::wire
