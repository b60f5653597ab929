// What a process has used so far: the processor time of its clock, the memory of /proc.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace corral::process {

struct Usage {
  double cpu_seconds = 0;  ///< User and system, of the process itself, to a thousandth.
  std::uint64_t resident_bytes = 0;
};

/// Of each, in their order: nothing where it has just gone, or there is no /proc. Five system calls a process, most of them
/// a walk through /proc: where there are hundreds, several threads share them.
[[nodiscard]] std::vector<std::optional<Usage>> usages_of(std::span<const std::int32_t> pids);

}  // namespace corral::process
