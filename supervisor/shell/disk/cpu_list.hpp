// Sets of CPUs in the two ways in which the kernel writes them. Private to this room.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "supervisor/core/cpu_set.hpp"
#include "supervisor/shell/disk/folder.hpp"

namespace corral::disk {

enum class CpuFormat : std::uint8_t {
  list,  ///< "0-3,8"
  mask,  ///< "00000000,0000010f", 32 bits a group, the highest first: what old kernels have.
};

struct CpuFile {
  const char* name;
  CpuFormat format;
};

/// Nothing when it cannot be read or understood.
[[nodiscard]] std::optional<core::CpuSet> read_cpus(const Folder& folder, std::string_view path, CpuFormat format);

[[nodiscard]] std::optional<core::CpuSet> parse_cpu_mask(std::string_view mask);

}  // namespace corral::disk
