// A writer of metrics as text: families, labels, numbers, and what the two formats do not have in common.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "common/base/instant.hpp"
#include "supervisor/control/histogram.hpp"
#include "supervisor/control/metrics.hpp"

namespace corral::control {

/// A label's value with its backslashes, quotes and line breaks escaped; what is no UTF-8 becomes U+FFFD.
void append_label_value(std::string& out, std::string_view value);

/// Seconds, exactly: "0.0025", "12.0".
void append_seconds(std::string& out, Duration duration);

struct Label {
  std::string_view name;
  std::string_view value;
};

/// `{program="crunch",state="running"}`; nothing for no labels.
[[nodiscard]] std::string label_set(std::initializer_list<Label> labels);

class Exposition {
 public:
  enum class Type : std::uint8_t { gauge, counter, histogram, info };

  explicit Exposition(MetricsFormat format) : format_(format) {}

  /// All samples up to the next family are of this one. `name` has neither _total nor _info; `unit` is its end, or empty.
  void family(std::string_view name, Type type, std::string_view help, std::string_view unit = {});

  void sample(std::string_view labels, std::uint64_t value);
  void sample(std::string_view labels, Duration value);
  void histogram(const Histogram& histogram);

  [[nodiscard]] std::string finish() &&;
  void reserve(std::size_t bytes) { text_.reserve(bytes); }

 private:
  void begin_sample(std::string_view suffix, std::string_view labels);

  MetricsFormat format_;
  std::string text_;
  std::string name_;         ///< Of the family at hand.
  std::string_view suffix_;  ///< Of its samples.
};

}  // namespace corral::control
