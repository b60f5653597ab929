// The name of a pipe in the relay's epoll set. For the .cpp files of Relay alone.
#pragma once

#include <cstdint>

#include "supervisor/shell/io/relay.hpp"

namespace corral::shell {

/// The key of a pipe in the epoll set: program, index and stream in 64 bits.
constexpr std::uint64_t key_of(WorkerId worker, Stream stream) {
  return std::uint64_t{number(worker.program)} << 33U | std::uint64_t{worker.index} << 1U | static_cast<std::uint64_t>(stream);
}

constexpr WorkerId worker_of(std::uint64_t key) {
  return {ProgramId{static_cast<std::uint32_t>(key >> 33U)}, static_cast<std::uint32_t>(key >> 1U)};
}

constexpr Stream stream_of(std::uint64_t key) { return static_cast<Stream>(key & 1U); }

}  // namespace corral::shell
