// The two dialects that metrics are written in, and who gets which.
#pragma once

#include <cstdint>
#include <string_view>

namespace corral::control {

enum class MetricsFormat : std::uint8_t {
  openmetrics,  ///< OpenMetrics 1.0.
  prometheus,   ///< Prometheus' text format 0.0.4, the older one.
};

/// What an Accept header asks for: OpenMetrics where it names that, with a weight that is no less than that of plain text.
[[nodiscard]] MetricsFormat metrics_format(std::string_view accept);
[[nodiscard]] std::string_view content_type(MetricsFormat format);

}  // namespace corral::control
