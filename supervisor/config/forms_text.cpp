// The forms of strings: free text, accounts, signals, file modes.
#include <charconv>

#include "common/base/signals.hpp"
#include "supervisor/config/expand.hpp"
#include "supervisor/config/forms.hpp"

namespace corral::config {
namespace {

std::string quotes_advice(const Value& value) {
  if (const std::optional<std::int64_t> count = whole_number(value)) {
    return fmt::format("put it in quotes: \"{}\"", *count);
  }
  return value.kind == Kind::boolean ? fmt::format("put it in quotes: \"{}\"", value.truth) : "";
}

Form<std::string> string_form(std::string words, Lazy schema) {
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
  return !text.empty() && text.size() <= 255 && first.contains(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return first.contains(c) || is_digit(c) || c == '.' || c == '-' || c == '@'; });
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

/// Of at most so many digits, the first of which is no zero, unless it is alone.
std::optional<unsigned> small_number(std::string_view text, std::size_t most_digits) {
  if (text.empty() || text.size() > most_digits || digits_of(text) != text.size() || (text.size() > 1 && text.front() == '0')) {
    return std::nullopt;
  }
  unsigned number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// Of 127.A.B.C, the highest of the three, which may be too high; nothing for any other text.
std::optional<unsigned> highest_of_loopback(std::string_view host) {
  constexpr std::string_view net = "127.";
  if (!host.starts_with(net)) {
    return std::nullopt;
  }
  host.remove_prefix(net.size());
  std::optional<unsigned> highest = 0;
  for (int parts = 3; parts > 0 && highest; --parts) {
    const std::size_t dot = host.find('.');
    const std::optional<unsigned> part =
        (dot == std::string_view::npos) == (parts == 1) ? small_number(host.substr(0, dot), 3) : std::nullopt;
    highest = part ? std::optional(std::max(*highest, *part)) : std::nullopt;
    host.remove_prefix(std::min(dot == std::string_view::npos ? host.size() : dot + 1, host.size()));
  }
  return highest;
}

}  // namespace

Form<std::string> plain_string(std::string words) {
  Form<std::string> form = string_form(std::move(words), literal(R"("type":"string","pattern":"^[^\\u0000]*$")"));
  form.decode = [](const Value& value, Context& context) {
    return refuse_nul(value, context) ? std::optional(value.text) : std::nullopt;
  };
  return form;
}

Form<std::string> expandable_string(std::string words, std::size_t least) {
  Form<std::string> form = string_form(std::move(words), [least] {
    const std::string length = least > 0 ? fmt::format(R"(,"minLength":{})", least) : "";
    return fmt::format(R"("type":"string","pattern":{}{})", json_string(expandable_pattern), length);
  });
  form.decode = [=, words = form.words](const Value& value, Context& context) -> std::optional<std::string> {
    if (value.text.size() < least) {
      context.report.add(value.range, fmt::format("expected {}, found an empty string", words));
      return std::nullopt;
    }
    std::optional<std::string> text = expand(value, context);
    if (text && text->size() < least) {
      context.report.add_beyond_schema(value.range, fmt::format("expected {}; its variables leave nothing of it", words));
      return std::nullopt;
    }
    return text;
  };
  return form;
}

Form<std::string> socket_path() {
  static constexpr std::size_t longest = longest_socket_path;
  Form<std::string> form = expandable_string("a path", 1);
  form.decode = [decode = form.decode](const Value& value, Context& context) -> std::optional<std::string> {
    std::optional<std::string> path = decode(value, context);
    if (path && path->size() > longest) {
      context.report.add_beyond_schema(
          value.range, fmt::format("the path of a socket has at most {} bytes, this one has {}", longest, path->size()));
      return std::nullopt;
    }
    return path;
  };
  return form;
}

Form<core::LoopbackAddress> loopback_address() {
  static constexpr std::string_view v6 = "[::1]";
  Form<core::LoopbackAddress> form;
  form.words = "a loopback address and a port such as \"127.0.0.1:8080\" or \"[::1]:8080\"";
  form.schema = literal(R"("type":"string","pattern":"^(?:127(?:\\.(?:0|[1-9][0-9]{0,2})){3}|\\[::1\\]):[1-9][0-9]{0,4}$")");
  form.kinds = only(Kind::string);
  form.decode = [words = form.words](const Value& value, Context& context) -> std::optional<core::LoopbackAddress> {
    const std::string_view text = value.text;
    const std::size_t colon = std::min(text.rfind(':'), text.size());
    const std::string_view host = text.substr(0, colon);
    const std::optional<unsigned> port = small_number(text.substr(std::min(colon + 1, text.size())), 5);
    const std::optional<unsigned> highest = host == v6 ? 0U : highest_of_loopback(host);
    if (!port || *port == 0 || !highest) {
      context.report.add(value.range, fmt::format("expected {}, found {}", words, in_quotes(text)),
                         host == "localhost" ? "write it as a number: 127.0.0.1" : "only this machine may reach it");
      return std::nullopt;
    }
    constexpr unsigned most_of_byte = 255;
    constexpr unsigned most_of_port = 65535;
    if (*highest > most_of_byte || *port > most_of_port) {
      context.report.add_beyond_schema(
          value.range, fmt::format("there is no {}: a part of an address is at most {}, a port at most {}", in_quotes(text),
                                   most_of_byte, most_of_port));
      return std::nullopt;
    }
    return core::LoopbackAddress{host == v6 ? "::1" : std::string(host), static_cast<std::uint16_t>(*port)};
  };
  return form;
}

Form<std::string> account(std::string_view what) {
  Form<std::string> form =
      string_form(fmt::format("the name or number of a {}, in quotes", what),
                  literal(R"("type":"string","pattern":"^(?:0|[1-9][0-9]*|[A-Za-z_][A-Za-z0-9_.@-]{0,254}\\$?)$")"));
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
      context.report.add_beyond_schema(value.range, fmt::format("{} is more than {}", in_quotes(value.text), most_account));
      return std::nullopt;
    }
    return value.text;
  };
  return form;
}

Form<int> signal() {
  Form<int> form;
  form.schema = [] {
    return fmt::format(R"("type":"string","pattern":"^(?:SIG)?(?:{}|RTMIN(?:\\+[0-9]{{1,2}})?|RTMAX(?:-[0-9]{{1,2}})?)$")",
                       fmt::join(signal_names(), "|"));
  };
  form.words = "the name of a signal such as \"TERM\"";
  form.kinds = only(Kind::string);
  form.write = [](int number) { return "\"" + signal_name(number) + "\""; };
  form.advice = [](const Value& value) {
    const std::optional<std::int64_t> number = whole_number(value);
    return number && *number > 0 && *number < 32 ? fmt::format("write \"{}\"", signal_name(static_cast<int>(*number))) : "";
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
      context.report.add_beyond_schema(value.range, fmt::format("there is no real-time signal {} here", in_quotes(text)));
    }
    return number;
  };
  return form;
}

Form<int> file_mode_mask() {
  Form<int> form;
  form.schema = literal(R"("type":"string","pattern":"^0?[0-7]{3}$")");
  form.words = "three octal digits in quotes, such as \"022\"";
  form.kinds = only(Kind::string);
  form.advice = [](const Value& value) {
    const std::optional<std::int64_t> digits = whole_number(value);
    return digits && *digits >= 0 && *digits <= 777 ? fmt::format("JSON has no octal numbers: write \"{:03}\"", *digits) : "";
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
