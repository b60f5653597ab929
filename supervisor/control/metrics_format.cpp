#include "supervisor/control/metrics_format.hpp"

#include <algorithm>
#include <charconv>

#include "supervisor/control/matching.hpp"

namespace corral::control {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto begin = std::min(text.find_first_not_of(" \t"), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

/// What is before the first `end`; `text` keeps what is behind it.
std::string_view take(std::string_view& text, char end) {
  const auto at = std::min(text.find(end), text.size());
  const std::string_view taken = trimmed(text.substr(0, at));
  text.remove_prefix(std::min(at + 1, text.size()));
  return taken;
}

/// The q of the parameters; 1 where there is none, 0 where it means nothing.
double weight(std::string_view parameters) {
  while (!parameters.empty()) {
    std::string_view value = take(parameters, ';');
    if (same_word(take(value, '='), "q")) {
      double q = 0;
      const auto read = std::from_chars(value.data(), value.data() + value.size(), q);
      return read.ec == std::errc{} && q >= 0 && q <= 1 ? q : 0;
    }
  }
  return 1;
}

}  // namespace

MetricsFormat metrics_format(std::string_view accept) {
  double openmetrics = 0;
  double plain = 0;
  while (!accept.empty()) {
    std::string_view range = take(accept, ',');
    const std::string_view type = take(range, ';');
    if (same_word(type, "application/openmetrics-text")) {
      openmetrics = std::max(openmetrics, weight(range));
    } else if (same_word(type, "text/plain")) {
      plain = std::max(plain, weight(range));
    }
  }
  return openmetrics > 0 && openmetrics >= plain ? MetricsFormat::openmetrics : MetricsFormat::prometheus;
}

std::string_view content_type(MetricsFormat format) {
  return format == MetricsFormat::openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                              : "text/plain; version=0.0.4; charset=utf-8";
}

}  // namespace corral::control
