#include "supervisor/config/forms.hpp"

#include <cmath>

#include "common/base/units.hpp"

namespace corral::config {
namespace {

constexpr std::array<std::string_view, 7> duration_units{"ns", "us", "ms", "s", "m", "h", "d"};
constexpr std::array<std::string_view, 9> size_units{"B", "kB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB"};

std::string quantity_pattern(std::span<const std::string_view> units) {
  return fmt::format("0|[0-9]+(?:\\.[0-9]+)?(?:{})", fmt::join(units, "|"));
}

bool looks_like(std::string_view text, std::span<const std::string_view> units) {
  const std::size_t whole = digits_of(text);
  std::string_view rest = text.substr(whole);
  if (rest.starts_with('.')) {
    const std::size_t fraction = digits_of(rest.substr(1));
    if (fraction == 0) {
      return false;
    }
    rest.remove_prefix(1 + fraction);
  }
  return text == "0" || (whole > 0 && std::ranges::find(units, rest) != units.end());
}

bool is_zero(std::string_view quantity) { return quantity.find_first_of("123456789") == std::string_view::npos; }

std::string duration_advice(const Value& value) {
  const std::optional<std::int64_t> count = whole_number(value);
  return !count || *count < 0 ? ""
                              : fmt::format("add a unit and quotes: \"{0}s\" is {0} seconds, \"{0}ms\" milliseconds", *count);
}

std::string number_advice(const Value& value) {
  const bool numeric = value.kind == Kind::string && !value.text.empty() && digits_of(value.text) == value.text.size();
  return numeric && value.text.size() < 20 ? fmt::format("leave out the quotes: {}", value.text) : "";
}

}  // namespace

std::size_t digits_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
}

void refuse_kind(const Value& value, std::string_view words, const Advice& advice, Context& context) {
  const std::string found = value.kind == Kind::string    ? "the string " + in_quotes(value.text)
                            : value.kind == Kind::integer ? fmt::format("the number {}", value.integer)
                                                          : std::string(name(value.kind));
  context.report.add(value.range, fmt::format("expected {}, found {}", words, found), advice ? advice(value) : "");
}

void refuse_short_list(const Value& value, std::size_t least, std::string_view words, Context& context) {
  context.report.add(value.range, value.parts.empty() ? fmt::format("expected {}, found an empty list", words)
                                                      : fmt::format("expected {}, with at least {} entries", words, least));
}

std::string did_you_mean(std::string_view near) { return near.empty() ? "" : fmt::format("did you mean \"{}\"?", near); }

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
  return did_you_mean(nearest(word, candidates));
}

bool looks_like_duration(std::string_view text) { return looks_like(text, duration_units); }
bool looks_like_size(std::string_view text) { return looks_like(text, size_units); }
std::string size_pattern() { return quantity_pattern(size_units); }

std::string shared_definitions() {
  const std::string durations = quantity_pattern(duration_units);
  return fmt::format(R"("duration":{{"type":"string","pattern":{}}},"positive_duration":{{"type":"string","pattern":{}}})",
                     json_string("^(?:" + durations + ")$"), json_string("^(?=.*[1-9])(?:" + durations + ")$"));
}

std::optional<std::int64_t> whole_number(const Value& value) {
  constexpr double beyond = 9223372036854775808.0;  // 2^63: the first that does not fit.
  if (value.kind == Kind::integer) {
    return value.integer;
  }
  const bool whole = value.kind == Kind::real && std::trunc(value.real) == value.real;
  return whole && value.real >= -beyond && value.real < beyond ? std::optional(static_cast<std::int64_t>(value.real))
                                                               : std::nullopt;
}

Form<bool> boolean() {
  Form<bool> form;
  form.schema = literal(R"("type":"boolean")");
  form.words = "`true` or `false`";
  form.kinds = only(Kind::boolean);
  form.write = [](bool truth) { return truth ? "true" : "false"; };
  form.advice = [](const Value& value) {
    const bool word = value.kind == Kind::string && (value.text == "true" || value.text == "false");
    return word ? "leave out the quotes: " + value.text : "";
  };
  form.decode = [](const Value& value, Context&) { return std::optional(value.truth); };
  return form;
}

Form<std::int64_t> integer(std::int64_t least, std::int64_t most) {
  Form<std::int64_t> form;
  form.schema = [=] { return fmt::format(R"("type":"integer","minimum":{},"maximum":{})", least, most); };
  form.words =
      most == INT64_MAX ? fmt::format("an integer from {}", least) : fmt::format("an integer from {} to {}", least, most);
  form.kinds = any_number;
  form.write = [](std::int64_t count) { return std::to_string(count); };
  form.advice = number_advice;
  form.decode = [=, words = form.words](const Value& value, Context& context) -> std::optional<std::int64_t> {
    const std::optional<std::int64_t> count = whole_number(value);
    if (count && *count >= least && *count <= most) {
      return count;
    }
    context.report.add(
        value.range, fmt::format("expected {}, found {}", words, count ? std::to_string(*count) : fmt::format("{}", value.real)));
    return std::nullopt;
  };
  return form;
}

Form<double> number(double least, double most) {
  Form<double> form;
  form.schema = [=] { return fmt::format(R"("type":"number","minimum":{},"maximum":{})", least, most); };
  form.words = fmt::format("a number from {} to {}", least, most);
  form.kinds = any_number;
  form.write = [](double value) { return fmt::format("{}", value); };
  form.advice = number_advice;
  form.decode = [=, words = form.words](const Value& value, Context& context) -> std::optional<double> {
    const double found = value.kind == Kind::integer ? static_cast<double>(value.integer) : value.real;
    if (found >= least && found <= most) {
      return found;
    }
    context.report.add(value.range, fmt::format("expected {}, found {}", words, found));
    return std::nullopt;
  };
  return form;
}

Form<Duration> duration(Zero zero) {
  Form<Duration> form;
  const bool positive = zero == Zero::refused;
  form.schema = literal(positive ? R"("$ref":"#/$defs/positive_duration")" : R"("$ref":"#/$defs/duration")");
  form.words = positive ? "a duration such as \"10s\", longer than 0" : "a duration such as \"10s\"";
  form.kinds = only(Kind::string);
  form.write = [](Duration value) { return "\"" + format_duration(value) + "\""; };
  form.advice = duration_advice;
  form.decode = [=, words = form.words](const Value& value, Context& context) -> std::optional<Duration> {
    const Result<Duration> parsed = parse_duration(value.text);
    if (!looks_like_duration(value.text) || (positive && is_zero(value.text))) {
      const bool short_enough = !parsed && value.text.size() < 40;
      context.report.add(
          value.range,
          short_enough ? printable(parsed.error().message) : fmt::format("expected {}, found {}", words, in_quotes(value.text)),
          did_you_mean(meant_duration(value.text)));
      return std::nullopt;
    }
    if (!parsed) {
      context.report.add_beyond_schema(value.range, fmt::format("{} is longer than 10 years", in_quotes(value.text)));
      return std::nullopt;
    }
    return std::max(*parsed, positive ? Duration(1) : Duration(0));
  };
  return form;
}

Form<std::uint64_t> size(Zero zero) {
  Form<std::uint64_t> form;
  const bool positive = zero == Zero::refused;
  form.schema = [=] {
    return fmt::format(R"("type":"string","pattern":{})",
                       json_string(fmt::format("^{}(?:{})$", positive ? "(?=.*[1-9])" : "", size_pattern())));
  };
  form.words = positive ? R"(a size such as "64MiB", more than 0)" : R"(a size such as "64MiB")";
  form.kinds = only(Kind::string);
  form.write = [](std::uint64_t bytes) {
    std::string text = bytes == 0 ? "0" : describe_size(bytes);
    std::erase(text, ' ');
    return json_string(text);
  };
  form.advice = [](const Value& value) {
    const std::optional<std::int64_t> count = whole_number(value);
    return !count || *count < 0 ? "" : fmt::format("add a unit and quotes: \"{0}B\" is {0} bytes, \"{0}MiB\" more", *count);
  };
  form.decode = [=, words = form.words](const Value& value, Context& context) -> std::optional<std::uint64_t> {
    if (!looks_like_size(value.text) || (positive && is_zero(value.text))) {
      context.report.add(value.range, fmt::format("expected {}, found {}", words, in_quotes(value.text)),
                         did_you_mean(meant_size(value.text)));
      return std::nullopt;
    }
    const Result<std::uint64_t> parsed = parse_size(value.text);
    if (!parsed) {
      context.report.add_beyond_schema(value.range, fmt::format("{} is too large a size", in_quotes(value.text)));
      return std::nullopt;
    }
    return std::max<std::uint64_t>(*parsed, positive ? 1 : 0);
  };
  return form;
}

}  // namespace corral::config
