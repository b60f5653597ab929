#include "supervisor/cli/top/quantities.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace corral::cli::top {

std::string short_time(double seconds) {
  constexpr std::uint64_t minute = 60;
  constexpr std::uint64_t hour = 60 * minute;
  constexpr std::uint64_t day = 24 * hour;
  constexpr double longest = 99'999.0 * day;
  const auto whole = static_cast<std::uint64_t>(std::clamp(seconds, 0.0, longest));
  if (whole < minute) {
    return fmt::format("{}s", whole);
  }
  if (whole < hour) {
    return fmt::format("{}m{:02}", whole / minute, whole % minute);
  }
  if (whole < day) {
    return fmt::format("{}h{:02}", whole / hour, whole % hour / minute);
  }
  return fmt::format("{}d", whole / day);
}

std::string short_size(std::uint64_t bytes) {
  constexpr std::string_view units = "KMGTPE";
  if (bytes < 1000) {
    return std::to_string(bytes);
  }
  auto value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  return value < 99.95 ? fmt::format("{:.1f}{}", value, units[unit]) : fmt::format("{:.0f}{}", value, units[unit]);
}

std::string short_rate(double a_second) {
  const double rate = std::max(a_second, 0.0);
  return rate < 9.995     ? fmt::format("{:.2f}", rate)
         : rate < 99.95   ? fmt::format("{:.1f}", rate)
         : rate < 9999.5  ? fmt::format("{:.0f}", rate)
         : rate < 999'500 ? fmt::format("{:.0f}k", rate / 1000)
                          : fmt::format("{:.0f}M", std::min(rate / 1e6, 9999.0));
}

std::string short_share(double share) {
  const double percent = std::clamp(share * 100, 0.0, 9'999'999.0);
  return percent < 999.95 ? fmt::format("{:.1f}", percent) : fmt::format("{:.0f}", percent);
}

}  // namespace corral::cli::top
