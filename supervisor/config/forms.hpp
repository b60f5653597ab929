// The forms of single values: numbers, names, durations, sizes, strings.
//
// Each says the same thing twice, once as a JSON Schema and once as code, side by side; tests/property holds them to
// each other with thousands of documents. Inside this room only.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "common/base/instant.hpp"
#include "common/base/suggest.hpp"
#include "supervisor/config/form.hpp"
#include "supervisor/config/text.hpp"

namespace corral::config {

[[nodiscard]] Form<bool> boolean();

/// 4.0 and 4e0 are integers too, as JSON Schema has it.
[[nodiscard]] Form<std::int64_t> integer(std::int64_t least, std::int64_t most);

[[nodiscard]] Form<double> number(double least, double most);

/// `positive`: zero is refused.
enum class Zero { allowed, refused };
[[nodiscard]] Form<Duration> duration(Zero zero);

/// In bytes, from a text such as "64MiB".
[[nodiscard]] Form<std::uint64_t> size(Zero zero);

/// Any string without NUL.
[[nodiscard]] Form<std::string> plain_string(std::string words);

/// A string that ${VAR} may stand in; `least` characters at least, before and after.
[[nodiscard]] Form<std::string> expandable_string(std::string words, std::size_t least);

/// The path of a Unix socket: as long as sockaddr_un has room for.
constexpr std::size_t longest_socket_path = 107;  ///< In bytes.
[[nodiscard]] Form<std::string> socket_path();

/// "127.0.0.1:8080" or "[::1]:8080".
[[nodiscard]] Form<core::LoopbackAddress> loopback_address();

/// A user or group: a name or a number in quotes. "0day" is neither, and above all it is not 0.
[[nodiscard]] Form<std::string> account(std::string_view what);

/// A signal's name, with or without SIG.
[[nodiscard]] Form<int> signal();

/// An octal text such as "022".
[[nodiscard]] Form<int> file_mode_mask();

/// "did you mean …?", or nothing where no candidate is near.
[[nodiscard]] std::string did_you_mean(std::string_view near);
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

/// The shapes that several forms share, as the schema's $defs: JSON text, `"duration":{…},…`.
[[nodiscard]] std::string shared_definitions();

[[nodiscard]] constexpr bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }
/// How many digits a text begins with.
[[nodiscard]] std::size_t digits_of(std::string_view text);

/// What parse_duration and parse_size take, leaving aside how much: digits, perhaps a fraction, a unit; or "0".
[[nodiscard]] bool looks_like_duration(std::string_view text);
[[nodiscard]] bool looks_like_size(std::string_view text);
[[nodiscard]] std::string size_pattern();

/// An integer, whether it is written as one or as 4.0.
[[nodiscard]] std::optional<std::int64_t> whole_number(const Value& value);

template <class T>
struct Choice {
  std::string_view name;
  T value;
};

/// One of a few words. `or_else`: what may stand in their place, for whoever writes another word.
template <class T>
Form<T> choice(std::vector<Choice<T>> choices, std::string_view or_else = {}) {
  Form<T> form;
  std::vector<std::string_view> names;
  for (const Choice<T>& one : choices) {
    form.words += fmt::format("{}\"{}\"", names.empty() ? "" : &one == &choices.back() ? " or " : ", ", one.name);
    names.push_back(one.name);
  }
  form.schema = [names] { return fmt::format("\"enum\":[\"{}\"]", fmt::join(names, "\",\"")); };
  form.kinds = only(Kind::string);
  form.write = [choices](const T& value) {
    const auto found = std::ranges::find(choices, value, &Choice<T>::value);
    return fmt::format("\"{}\"", found == choices.end() ? std::string_view{} : found->name);
  };
  form.decode = [choices, names, words = fmt::format("{}{}", form.words, or_else)](const Value& value,
                                                                                   Context& context) -> std::optional<T> {
    const auto found = std::ranges::find(choices, std::string_view(value.text), &Choice<T>::name);
    if (found != choices.end()) {
      return found->value;
    }
    context.report.add(value.range, fmt::format("expected {}, found {}", words, in_quotes(value.text)),
                       did_you_mean(value.text, names));
    return std::nullopt;
  };
  return form;
}

}  // namespace corral::config
