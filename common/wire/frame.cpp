#include "common/wire/frame.hpp"

#include <algorithm>

namespace corral::wire {
namespace {

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
    case FrameType::quarantined: return "QUARANTINED";
    case FrameType::begun: return "BEGUN";
  }
  return "?";
}

std::array<char, header_size> encode(const Header& header) {
  std::array<char, header_size> bytes{};
  encode(header, bytes.data());
  return bytes;
}

std::string describe(HeaderFault fault, const Header& header, std::uint32_t most) {
  if (fault == HeaderFault::too_long) {
    return "sent a " + std::string(name(header.type)) + " of " + std::to_string(header.length) + " bytes, more than the " +
           std::to_string(most) + " that a frame may have";
  }
  return fault == HeaderFault::none ? std::string() : "wrote bytes that are no frame of the task protocol";
}

std::string encode(const Hello& hello) {
  std::string bytes(hello_size, '\0');
  store(bytes.data(), hello.version);
  store(bytes.data() + 4, hello.longest_payload);
  bytes += hello.name;
  return bytes;
}

std::optional<Hello> decode_hello(std::string_view payload) {
  if (payload.size() < hello_size) {
    return std::nullopt;
  }
  return Hello{load<std::uint32_t>(payload.data()), load<std::uint32_t>(payload.data() + 4), payload.substr(hello_size)};
}

void append_frame(std::string& out, FrameType type, std::uint64_t task, std::string_view payload) {
  const std::size_t begin = out.size();
  const std::size_t end = begin + header_size + payload.size();
  out.resize_and_overwrite(end, [&](char* data, std::size_t /*GCC 12 tells the new capacity here*/) {
    encode(Header{static_cast<std::uint32_t>(payload.size()), type, task}, data + begin);
    std::ranges::copy(payload, data + begin + header_size);
    return end;
  });
}

std::size_t FrameParser::lacking() const {
  if (part_.size() < header_size) {
    return 0;
  }
  return header_size + load<std::uint32_t>(part_.data()) - part_.size();
}

bool FrameParser::refuse(std::string problem) {
  problem_ = std::move(problem);
  std::string().swap(part_);
  return false;
}

bool FrameParser::fill_part(std::string_view& bytes, std::size_t size) {
  const std::size_t taken = std::min(size - std::min(size, part_.size()), bytes.size());
  part_.append(bytes.substr(0, taken));
  bytes.remove_prefix(taken);
  return part_.size() >= size;
}

}  // namespace corral::wire
