#include "supervisor/config/token_hint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "supervisor/config/text.hpp"
#include "supervisor/config/tokens.hpp"

namespace corral::config {
namespace {

/// Words of other languages, and what JSON has for them.
struct Word {
  std::string_view word;
  std::string_view meant;
};
constexpr std::array<Word, 13> almost_json{{{"True", "true"},
                                            {"TRUE", "true"},
                                            {"yes", "true"},
                                            {"on", "true"},
                                            {"False", "false"},
                                            {"FALSE", "false"},
                                            {"no", "false"},
                                            {"off", "false"},
                                            {"None", "null"},
                                            {"Null", "null"},
                                            {"NULL", "null"},
                                            {"nil", "null"},
                                            {"undefined", "null"}}};

bool is_decimal(char letter) { return letter >= '0' && letter <= '9'; }

Range word_at(std::string_view text, std::size_t at) {
  return {at, std::min(text.find_first_of(word_ends, at + 1), text.size())};
}

/// Four hexadecimal digits of half a surrogate pair: 'd' and then one of `halves`.
bool is_surrogate(std::string_view digits, std::string_view halves) {
  return digits.size() == 4 && (digits[0] == 'd' || digits[0] == 'D') &&
         halves.contains(static_cast<char>(std::tolower(static_cast<unsigned char>(digits[1]))));
}

/// What is wrong with the \u escape whose 'u' is at `at`, if anything is.
std::optional<Hint> hint_for_unicode_escape(std::string_view text, std::size_t at) {
  constexpr std::string_view first = "89ab";
  constexpr std::string_view second = "cdef";
  const std::string_view digits = text.substr(at + 1, 4);
  const bool four = digits.size() == 4 && std::ranges::all_of(digits, [](unsigned char c) { return std::isxdigit(c); });
  if (!four) {
    return Hint{{at - 1, at + 1}, R"(\u needs four hexadecimal digits)", {}};
  }
  const bool begins_pair = is_surrogate(digits, first) && text.substr(at + 5, 2) == "\\u" &&
                           is_surrogate(text.substr(std::min(at + 7, text.size()), 4), second);
  const bool ends_pair =
      is_surrogate(digits, second) && at >= 7 && text.substr(at - 7, 2) == "\\u" && is_surrogate(text.substr(at - 5, 4), first);
  const bool half = is_surrogate(digits, "89abcdef") && !begins_pair && !ends_pair;
  return half ? std::optional(Hint{{at - 1, at + 5}, "half of a surrogate pair, which is not a character", {}}) : std::nullopt;
}

/// `at` is behind the backslash.
std::optional<Hint> hint_for_escape(std::string_view text, std::size_t at) {
  if (text[at] == 'u') {
    return hint_for_unicode_escape(text, at);
  }
  if (std::string_view("\"\\/bfnrt").contains(text[at])) {
    return std::nullopt;
  }
  const std::size_t length = first_character(text.substr(at)).length;
  return Hint{{at - 1, at + length}, "unknown escape in a string", R"(write \\ for a backslash)"};
}

}  // namespace

Range to_line_end(std::string_view text, std::size_t at) { return {at, std::min(text.find_first_of("\r\n", at), text.size())}; }

Hint hint_for_string(std::string_view text, std::size_t at) {
  for (std::size_t i = at + 1; i < text.size(); ++i) {
    const char letter = text[i];
    if (letter == '"') {
      return {{at, i + 1}, "this string is not JSON", {}};
    }
    if (letter == '\n' || letter == '\r') {
      break;
    }
    if (static_cast<unsigned char>(letter) < 0x20) {
      return {{i, i + 1},
              "a control character inside a string",
              letter == '\t' ? R"(write \t)" : fmt::format(R"(write \u{:04x})", static_cast<unsigned char>(letter))};
    }
    if (letter == '\\' && ++i < text.size()) {
      if (std::optional<Hint> hint = hint_for_escape(text, i)) {
        return *std::move(hint);
      }
    }
  }
  return {to_line_end(text, at), "this string is never closed", "add the missing '\"' (a string does not span lines: write \\n)"};
}

Hint hint_for_single_quotes(std::string_view text, std::size_t at) {
  const std::size_t close = text.substr(0, to_line_end(text, at).end).find('\'', at + 1);
  constexpr std::string_view message = "JSON strings have double quotes, not single ones";
  if (close == std::string_view::npos) {
    return {{at, at + 1}, std::string(message), {}};
  }
  return {{at, close + 1}, std::string(message), fmt::format("write {}", in_quotes(text.substr(at + 1, close - at - 1)))};
}

Hint hint_for_word(std::string_view text, std::size_t at) {
  const Range where = word_at(text, at);
  const std::string_view word = text.substr(at, where.end - at);
  const auto* const known = std::ranges::find(almost_json, word, &Word::word);
  if (known != almost_json.end()) {
    return {where, fmt::format("{} is not JSON", word), fmt::format("write {}", known->meant)};
  }
  if (word == "NaN" || word == "Infinity") {
    return {where, fmt::format("{} is not a number in JSON", word), {}};
  }
  return {where, "a string needs double quotes", fmt::format("write {}", in_quotes(word))};
}

Hint hint_for_number(std::string_view text, std::size_t at) {
  const Range where = word_at(text, at);
  const std::string_view all = text.substr(at, where.end - at);
  const std::string_view bare = all.substr(all.starts_with('-') || all.starts_with('+') ? 1 : 0);
  const std::string why = "this is not a number in JSON";
  if (bare.empty() || bare == "Infinity" || bare == "NaN" || bare == "inf") {
    return {where, fmt::format("{} is not a number in JSON", in_quotes(all)), {}};
  }
  if (all.starts_with('+')) {
    return {where, why, "leave out the '+'"};
  }
  if (bare.starts_with('.') || bare.ends_with('.')) {
    return {where, why, "a decimal point needs a digit on both sides"};
  }
  if (bare.starts_with("0x") || bare.starts_with("0X") || bare.starts_with("0o")) {
    return {where, why, "write it in decimal"};
  }
  if (bare.size() > 1 && bare[0] == '0' && is_decimal(bare[1])) {
    return {where, "a number does not begin with 0 in JSON",
            fmt::format("leave out the 0, or write {} if it is a string", in_quotes(all))};
  }
  if (std::ranges::all_of(bare, [](char c) { return is_decimal(c) || std::string_view(".eE+-").contains(c); })) {
    return {where, fmt::format("the number {} is too large, or not written as JSON has it", in_quotes(all, 30)), {}};
  }
  return {where, "a value with a unit is a string and needs double quotes", fmt::format("write {}", in_quotes(all))};
}

}  // namespace corral::config
