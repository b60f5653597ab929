// Numbers in few cells, as tables have them.
#pragma once

#include <cstdint>
#include <string>

namespace corral::cli::top {

/// "45s", "12m05", "3h20", "41d": at most 6 cells.
[[nodiscard]] std::string short_time(double seconds);

/// "512", "12.3K", "4.0G": in units of 1024, at most 5 cells.
[[nodiscard]] std::string short_size(std::uint64_t bytes);

/// "0.25", "12.5", "1234", "56k": at most 5 cells.
[[nodiscard]] std::string short_rate(double a_second);

/// "99.8" for 0.998, without decimals from 1000 on.
[[nodiscard]] std::string short_share(double share);

}  // namespace corral::cli::top
