#include "supervisor/control/exposition.hpp"

#include <array>
#include <charconv>

#include "common/base/text.hpp"

namespace corral::control {
namespace {

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

std::string_view name_of(Exposition::Type type, MetricsFormat format) {
  switch (type) {
    case Exposition::Type::gauge: return "gauge";
    case Exposition::Type::counter: return "counter";
    case Exposition::Type::histogram: return "histogram";
    case Exposition::Type::info: return format == MetricsFormat::openmetrics ? "info" : "gauge";
  }
  return "";
}

}  // namespace

void append_label_value(std::string& out, std::string_view value) {
  while (!value.empty()) {
    const char c = value.front();
    const std::size_t length = utf8_length(value);
    if (length == 0) {
      out += "\xef\xbf\xbd";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else {
      out += value.substr(0, length);
    }
    value.remove_prefix(length == 0 ? 1 : length);
  }
}

void append_seconds(std::string& out, Duration duration) {
  if (duration < Duration::zero()) {
    out += '-';
    duration = -duration;
  }
  constexpr std::uint64_t second = 1'000'000'000;
  const auto nanoseconds = static_cast<std::uint64_t>(duration.count());
  append_number(out, nanoseconds / second);
  std::string fraction = std::to_string(second + nanoseconds % second);  // A leading 1 keeps the zeros.
  fraction.erase(fraction.find_last_not_of('0') + 1);
  out += '.';
  out += fraction.size() > 1 ? std::string_view(fraction).substr(1) : "0";
}

std::string label_set(std::initializer_list<Label> labels) {
  std::string text;
  for (const Label& label : labels) {
    text += text.empty() ? '{' : ',';
    text.append(label.name).append("=\"");
    append_label_value(text, label.value);
    text += '"';
  }
  return text.empty() ? text : text + '}';
}

void Exposition::family(std::string_view name, Type type, std::string_view help, std::string_view unit) {
  name_ = name;
  suffix_ = type == Type::counter ? "_total" : type == Type::info ? "_info" : "";
  // OpenMetrics names the family, the older format the samples.
  const std::string subject =
      format_ == MetricsFormat::openmetrics || type == Type::histogram ? name_ : name_ + std::string(suffix_);
  text_.append("# HELP ").append(subject).append(" ").append(help).append("\n# TYPE ").append(subject).append(" ");
  text_.append(name_of(type, format_)).append("\n");
  if (!unit.empty() && format_ == MetricsFormat::openmetrics) {
    text_.append("# UNIT ").append(subject).append(" ").append(unit).append("\n");
  }
}

void Exposition::begin_sample(std::string_view suffix, std::string_view labels) {
  text_.append(name_).append(suffix).append(labels) += ' ';
}

void Exposition::sample(std::string_view labels, std::uint64_t value) {
  begin_sample(suffix_, labels);
  append_number(text_, value);
  text_ += '\n';
}

void Exposition::sample(std::string_view labels, Duration value) {
  begin_sample(suffix_, labels);
  append_seconds(text_, value);
  text_ += '\n';
}

void Exposition::histogram(const Histogram& histogram) {
  std::uint64_t sum = 0;
  for (std::size_t bucket = 0; bucket < histogram.counts().size(); ++bucket) {
    sum += histogram.counts()[bucket];
    std::string end;
    if (bucket < Histogram::ends.size()) {
      append_seconds(end, Histogram::ends[bucket]);
    }
    begin_sample("_bucket", label_set({{"le", end.empty() ? "+Inf" : end}}));
    append_number(text_, sum);
    text_ += '\n';
  }
  begin_sample("_sum", {});
  append_seconds(text_, histogram.sum());
  text_ += '\n';
  begin_sample("_count", {});
  append_number(text_, sum);
  text_ += '\n';
}

std::string Exposition::finish() && {
  if (format_ == MetricsFormat::openmetrics) {
    text_ += "# EOF\n";
  }
  return std::move(text_);
}

}  // namespace corral::control
