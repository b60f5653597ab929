// Words of placement: what a decision says to people. Private to placement.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "supervisor/core/cpu_set.hpp"
#include "supervisor/core/placement.hpp"

namespace corral::core {

/// Workers on each CPU, by its number.
using Loads = std::vector<std::uint32_t>;
void add_loads(const ProgramPlacement& program, Loads& loads);

[[nodiscard]] std::string in_cpus(double quota);                          ///< "1.5".
[[nodiscard]] std::string counted(std::size_t number, const char* noun);  ///< "1 CPU", "2 CPUs".
[[nodiscard]] std::string available(const Machine& machine);              ///< "2 CPUs may be used: 0-1".

/// Why `missing`, a part of an explicit list, cannot be used.
[[nodiscard]] std::string why_not_usable(const Machine& machine, const CpuSet& missing);

/// What was decided for `program` and why; `loads` are those of all programs together.
[[nodiscard]] std::string placement_sentence(const Machine& machine, const ProgramPlacement& program, const Loads& loads);

}  // namespace corral::core
