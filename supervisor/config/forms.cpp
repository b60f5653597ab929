#include "supervisor/config/forms.hpp"

#include <charconv>
#include <cmath>

#include "common/base/signals.hpp"
#include "common/base/units.hpp"
#include "supervisor/config/expand.hpp"

namespace corral::config {
namespace {

constexpr std::array<std::string_view, 7> duration_units{"ns", "us", "ms", "s", "m", "h", "d"};
constexpr std::array<std::string_view, 9> size_units{"B", "kB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB"};

std::string quantity_pattern(std::span<const std::string_view> units) {
  return fmt::format("0|[0-9]+(?:\\.[0-9]+)?(?:{})", fmt::join(units, "|"));
}

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

std::size_t digits_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
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
  return !count || *count < 0
             ? ""
             : fmt::format("add a unit and quotes: \"{0}s\" is {0} seconds, \"{0}ms\" milliseconds", *count);
}

std::string quotes_advice(const Value& value) {
  if (const std::optional<std::int64_t> count = whole_number(value)) {
    return fmt::format("put it in quotes: \"{}\"", *count);
  }
  return value.kind == Kind::boolean ? fmt::format("put it in quotes: \"{}\"", value.truth) : "";
}

std::string number_advice(const Value& value) {
  const bool numeric = value.kind == Kind::string && !value.text.empty() && digits_of(value.text) == value.text.size();
  return numeric && value.text.size() < 20 ? fmt::format("leave out the quotes: {}", value.text) : "";
}

Form<std::string> string_form(std::string words, std::string schema) {
  Form<std::string> form;
  form.schema = std::move(schema);
  form.words = std::move(words);
  form.kinds = only(Kind::string);
  form.write = [](const std::string& text) { return json_string(text); };
  form.advice = quotes_advice;
  return form;
}

constexpr std::uint64_t most_account = 4'294'967'294;  // One more is -1, which means "leave it" to setuid.

bool is_account_number(std::string_view text) {
  return !text.empty() && digits_of(text) == text.size() && (text == "0" || !text.starts_with('0'));
}

bool is_account_name(std::string_view text) {
  constexpr std::string_view first = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
  if (text.ends_with('$')) {
    text.remove_suffix(1);
  }
  return !text.empty() && text.size() <= 255 && first.contains(text.front()) && std::ranges::all_of(text, [&](char c) {
    return first.contains(c) || is_digit(c) || c == '.' || c == '-' || c == '@';
  });
}

std::vector<std::string_view> signal_names() {
  std::vector<std::string_view> names;
  for (const SignalName& signal : standard_signals()) {
    names.push_back(signal.name);
  }
  return names;
}

/// RTMIN, RTMIN+3, RTMAX-1; how far, the machine decides.
bool is_real_time(std::string_view name) {
  const char sign = name.starts_with("RTMIN") ? '+' : name.starts_with("RTMAX") ? '-' : '\0';
  const std::string_view rest = name.substr(std::min<std::size_t>(name.size(), 5));
  return sign != '\0' && (rest.empty() || (rest.front() == sign && (rest.size() == 2 || rest.size() == 3) &&
                                           digits_of(rest.substr(1)) == rest.size() - 1));
}

}  // namespace

void refuse_kind(const Value& value, std::string_view words, const Advice& advice, Context& context) {
  const std::string found = value.kind == Kind::string    ? "the string " + in_quotes(value.text)
                            : value.kind == Kind::integer ? fmt::format("the number {}", value.integer)
                                                          : std::string(name(value.kind));
  context.report.add(value.range, fmt::format("expected {}, found {}", words, found), advice ? advice(value) : "");
}

void refuse_short_list(const Value& value, std::size_t least, std::string_view words, Context& context) {
  context.report.add(value.range, value.parts.empty()
                                      ? fmt::format("expected {}, found an empty list", words)
                                      : fmt::format("expected {}, with at least {} entries", words, least));
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
  const std::string_view near = nearest(word, candidates);
  return near.empty() ? "" : fmt::format("did you mean \"{}\"?", near);
}

bool looks_like_duration(std::string_view text) { return looks_like(text, duration_units); }
bool looks_like_size(std::string_view text) { return looks_like(text, size_units); }
std::string size_pattern() { return quantity_pattern(size_units); }

std::string shared_definitions() {
  const std::string durations = quantity_pattern(duration_units);
  return fmt::format(
      R"("duration":{{"type":"string","pattern":{}}},"positive_duration":{{"type":"string","pattern":{}}})",
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
  form.schema = R"("type":"boolean")";
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
  form.schema = fmt::format(R"("type":"integer","minimum":{},"maximum":{})", least, most);
  form.words = most == INT64_MAX ? fmt::format("an integer from {}", least)
                                 : fmt::format("an integer from {} to {}", least, most);
  form.kinds = any_number;
  form.write = [](std::int64_t count) { return std::to_string(count); };
  form.advice = number_advice;
  form.decode = [=, words = form.words](const Value& value, Context& context) -> std::optional<std::int64_t> {
    const std::optional<std::int64_t> count = whole_number(value);
    if (count && *count >= least && *count <= most) {
      return count;
    }
    context.report.add(value.range, fmt::format("expected {}, found {}", words,
                                                count ? std::to_string(*count) : fmt::format("{}", value.real)));
    return std::nullopt;
  };
  return form;
}

Form<double> number(double least, double most) {
  Form<double> form;
  form.schema = fmt::format(R"("type":"number","minimum":{},"maximum":{})", least, most);
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
  form.schema = positive ? R"("$ref":"#/$defs/positive_duration")" : R"("$ref":"#/$defs/duration")";
  form.words = positive ? "a duration such as \"10s\", longer than 0" : "a duration such as \"10s\"";
  form.kinds = only(Kind::string);
  form.write = [](Duration value) { return "\"" + format_duration(value) + "\""; };
  form.advice = duration_advice;
  form.decode = [=, words = form.words](const Value& value, Context& context) -> std::optional<Duration> {
    const Result<Duration> parsed = parse_duration(value.text);
    if (!looks_like_duration(value.text) || (positive && is_zero(value.text))) {
      const bool short_enough = !parsed && value.text.size() < 40;
      context.report.add(value.range, short_enough
                                          ? printable(parsed.error().message)
                                          : fmt::format("expected {}, found {}", words, in_quotes(value.text)));
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

Form<std::string> plain_string(std::string words) {
  Form<std::string> form = string_form(std::move(words), R"("type":"string","pattern":"^[^\\u0000]*$")");
  form.decode = [](const Value& value, Context& context) {
    return refuse_nul(value, context) ? std::optional(value.text) : std::nullopt;
  };
  return form;
}

Form<std::string> expandable_string(std::string words, std::size_t least) {
  const std::string length = least > 0 ? fmt::format(R"(,"minLength":{})", least) : "";
  Form<std::string> form = string_form(
      std::move(words), fmt::format(R"("type":"string","pattern":{}{})", json_string(expandable_pattern), length));
  form.decode = [=, words = form.words](const Value& value, Context& context) -> std::optional<std::string> {
    if (value.text.size() < least) {
      context.report.add(value.range, fmt::format("expected {}, found an empty string", words));
      return std::nullopt;
    }
    std::optional<std::string> text = expand(value, context);
    if (text && text->size() < least) {
      context.report.add_beyond_schema(value.range,
                                       fmt::format("expected {}; its variables leave nothing of it", words));
      return std::nullopt;
    }
    return text;
  };
  return form;
}

Form<std::string> account(std::string_view what) {
  Form<std::string> form =
      string_form(fmt::format("the name or number of a {}, in quotes", what),
                  R"("type":"string","pattern":"^(?:0|[1-9][0-9]*|[A-Za-z_][A-Za-z0-9_.@-]{0,254}\\$?)$")");
  form.decode = [words = form.words](const Value& value, Context& context) -> std::optional<std::string> {
    if (!is_account_number(value.text) && !is_account_name(value.text)) {
      const bool mixed = !value.text.empty() && is_digit(value.text.front());
      context.report.add(value.range, fmt::format("expected {}, found {}", words, in_quotes(value.text)),
                         mixed ? "what begins with a digit must be a number, without leading zeros" : "");
      return std::nullopt;
    }
    std::uint64_t id = 0;
    const auto [end, failed] = std::from_chars(value.text.data(), value.text.data() + value.text.size(), id);
    if (is_digit(value.text.front()) && (failed != std::errc{} || id > most_account)) {
      context.report.add_beyond_schema(value.range,
                                       fmt::format("{} is more than {}", in_quotes(value.text), most_account));
      return std::nullopt;
    }
    return value.text;
  };
  return form;
}

Form<int> signal() {
  Form<int> form;
  form.schema =
      fmt::format(R"("type":"string","pattern":"^(?:SIG)?(?:{}|RTMIN(?:\\+[0-9]{{1,2}})?|RTMAX(?:-[0-9]{{1,2}})?)$")",
                  fmt::join(signal_names(), "|"));
  form.words = "the name of a signal such as \"TERM\"";
  form.kinds = only(Kind::string);
  form.write = [](int number) { return "\"" + signal_name(number) + "\""; };
  form.advice = [](const Value& value) {
    const std::optional<std::int64_t> number = whole_number(value);
    return number && *number > 0 && *number < 32 ? fmt::format("write \"{}\"", signal_name(static_cast<int>(*number)))
                                                 : "";
  };
  form.decode = [words = form.words](const Value& value, Context& context) -> std::optional<int> {
    const std::vector<std::string_view> names = signal_names();
    const std::string_view text = value.text;
    const std::string_view bare = text.substr(text.starts_with("SIG") ? 3 : 0);
    const std::optional<int> number = parse_signal(bare);
    if (std::ranges::find(names, bare) == names.end() && !is_real_time(bare)) {
      context.report.add(value.range, fmt::format("expected {}, found {}", words, in_quotes(text)),
                         number ? fmt::format("write \"{}\"", signal_name(*number)) : did_you_mean(bare, names));
      return std::nullopt;
    }
    if (!number) {
      context.report.add_beyond_schema(value.range,
                                       fmt::format("there is no real-time signal {} here", in_quotes(text)));
    }
    return number;
  };
  return form;
}

Form<int> file_mode_mask() {
  Form<int> form;
  form.schema = R"("type":"string","pattern":"^0?[0-7]{3}$")";
  form.words = "three octal digits in quotes, such as \"022\"";
  form.kinds = only(Kind::string);
  form.advice = [](const Value& value) {
    const std::optional<std::int64_t> digits = whole_number(value);
    return digits && *digits >= 0 && *digits <= 777 ? fmt::format("JSON has no octal numbers: write \"{:03}\"", *digits)
                                                    : "";
  };
  form.decode = [words = form.words](const Value& value, Context& context) -> std::optional<int> {
    const std::string_view text = value.text;
    const bool octal = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '7'; });
    if (!octal || text.size() < 3 || text.size() > 4 || (text.size() == 4 && text.front() != '0')) {
      context.report.add(value.range, fmt::format("expected {}, found {}", words, in_quotes(text)));
      return std::nullopt;
    }
    int mask = 0;
    std::from_chars(text.data(), text.data() + text.size(), mask, 8);
    return mask;
  };
  return form;
}

}  // namespace corral::config
