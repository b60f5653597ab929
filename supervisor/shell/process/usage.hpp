// What a process has used so far: the processor time of its clock, the memory of /proc.
#pragma once

#include <cstdint>
#include <optional>

namespace corral::process {

struct Usage {
  double cpu_seconds = 0;  ///< User and system, of the process itself, to a thousandth.
  std::uint64_t resident_bytes = 0;
};

/// Nothing where it has just gone, or there is no /proc. Five system calls.
[[nodiscard]] std::optional<Usage> usage_of(std::int32_t pid);

}  // namespace corral::process
