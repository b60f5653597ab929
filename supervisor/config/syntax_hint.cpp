// Why a text is not JSON, and how to mend it, for the mistakes that people make.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>

#include "supervisor/config/reader.hpp"
#include "supervisor/config/text.hpp"

namespace corral::config {
namespace {

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }
bool begins_word(char letter) {
  const auto byte = static_cast<unsigned char>(letter);
  return std::isalpha(byte) != 0 || letter == '_' || letter == '$' || byte >= 0x80;
}

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

class Explainer {
 public:
  Explainer(std::string_view text, const Progress& progress, Report& report)
      : text_(text), progress_(progress), report_(report) {}

  void explain() {
    const std::size_t at = skip_blanks(text_, progress_.last.end);
    if (at < text_.size() && (text_[at] == '/' || text_[at] == '#')) {
      comment(at);
    } else if (progress_.done) {
      say({at, end_of(at)}, fmt::format("{} after the end of the configuration", shown(at)),
          "a file holds one object; is a bracket closed too early?");
    } else if (progress_.open.empty()) {
      value(at);
    } else if (progress_.key_pending) {
      colon(at);
    } else if (progress_.open.back()->parts.empty()) {
      element(at);
    } else {
      behind_value(at);
    }
  }

 private:
  [[nodiscard]] bool in_object() const {
    return !progress_.open.empty() && progress_.open.back()->kind == Kind::object;
  }
  [[nodiscard]] char closer() const { return in_object() ? '}' : ']'; }
  [[nodiscard]] std::size_t end_of(std::size_t at) const { return at < text_.size() ? token_end(text_, at) : at; }
  [[nodiscard]] std::string shown(std::size_t at) const {
    const std::string_view token = text_.substr(at, end_of(at) - at);
    constexpr std::size_t most = 40;
    return token.starts_with('"') && token.size() <= most ? printable(token) : in_quotes(token, most);
  }
  [[nodiscard]] std::size_t line_of(std::size_t at) const {
    return 1 + static_cast<std::size_t>(std::ranges::count(text_.substr(0, at), '\n'));
  }
  /// From `at` to the end of the line, for what was never closed.
  [[nodiscard]] Range to_line_end(std::size_t at) const {
    return {at, std::min(text_.find_first_of("\r\n", at), text_.size())};
  }

  void say(Range where, std::string message, std::string suggestion = {}) {
    std::string pointer;
    for (std::size_t level = 1; level < progress_.open.size(); ++level) {
      const Value& parent = *progress_.open[level - 1];
      pointer += '/' + (parent.kind == Kind::object ? pointer_step(progress_.open[level]->key)
                                                    : std::to_string(parent.parts.size() - 1));
    }
    report_.add_at(std::move(pointer), where, std::move(message), std::move(suggestion));
  }

  void comment(std::size_t at) {
    if (text_[at] == '#') {
      say(to_line_end(at), "'#' does not begin a comment in JSON", "write // for a comment");
    } else if (text_.substr(at).starts_with("/*")) {
      say(to_line_end(at), "this comment is never closed", "end it with */");
    } else {
      say({at, at + 1}, "a lone '/'", "a comment begins with // or with /*");
    }
  }

  /// The file ends although something is still open.
  void unfinished() {
    const Range end{progress_.last.end, progress_.last.end};
    if (progress_.open.empty()) {
      say(end, "the file ends where a value is expected");
      return;
    }
    const std::size_t opened = progress_.open.back()->range.begin;
    say(end,
        fmt::format("the file ends inside the {} that was opened in line {}", in_object() ? "object" : "list",
                    line_of(opened)),
        fmt::format("add the missing '{}'", closer()));
  }

  void behind_value(std::size_t at) {
    if (last_is_glued()) {
      value(progress_.last.begin);
    } else if (at >= text_.size()) {
      unfinished();
    } else if (text_[at] == ',') {
      behind_comma(at);
    } else if (text_[at] == '}' || text_[at] == ']') {
      mismatch(at);
    } else if (text_[at] == ';') {
      say({at, at + 1}, "';' between two values", "separate them with a comma");
    } else {
      missing_comma(at);
    }
  }

  void behind_comma(std::size_t comma) {
    const std::size_t at = skip_blanks(text_, comma + 1);
    if (at >= text_.size()) {
      unfinished();
    } else if (text_[at] == '}' || text_[at] == ']') {
      say({comma, comma + 1}, fmt::format("trailing comma: nothing follows it before '{}'", text_[at]), "remove it");
    } else if (text_[at] == ',') {
      say({at, at + 1}, "two commas with nothing between them", "remove one");
    } else if (text_[at] == '/' || text_[at] == '#') {
      comment(at);
    } else {
      element(at);
    }
  }

  void mismatch(std::size_t at) {
    say({at, at + 1},
        fmt::format("'{}' does not close the {} that was opened in line {}", text_[at], in_object() ? "object" : "list",
                    line_of(progress_.open.back()->range.begin)),
        fmt::format("close it with '{}'", closer()));
  }

  void missing_comma(std::size_t at) {
    if (in_object() && text_[at] != '"' && !begins_word(text_[at]) && text_[at] != '\'') {
      say({at, end_of(at)}, fmt::format("{} where a comma or '}}' is expected", shown(at)));
    } else {
      say({progress_.last.end, progress_.last.end}, fmt::format("a comma is missing here, before {}", shown(at)),
          "add a comma");
    }
  }

  /// Something stands directly behind a number or a word: 10s, 007, 0x10, truely. The parser took the front of it.
  [[nodiscard]] bool last_is_glued() const {
    const std::string_view token = text_.substr(progress_.last.begin, progress_.last.end - progress_.last.begin);
    return !std::string_view("\"}]").contains(token.back()) && !nlohmann::json::accept(token);
  }

  void colon(std::size_t at) {
    if (at >= text_.size()) {
      unfinished();
    } else if (text_[at] == ':') {
      value(skip_blanks(text_, at + 1));
    } else if (text_[at] == '=') {
      say({at, at + 1}, "'=' between a key and its value", "write ':'");
    } else {
      say({progress_.last.end, progress_.last.end},
          fmt::format("a colon is missing here, between the key {} and its value",
                      in_quotes(text_.substr(progress_.last.begin + 1, progress_.last.end - progress_.last.begin - 2))),
          "add ':'");
    }
  }

  void element(std::size_t at) { in_object() ? key(at) : value(at); }

  void key(std::size_t at) {
    if (at >= text_.size()) {
      unfinished();
    } else if (text_[at] == '"') {
      string(at);
    } else if (text_[at] == '\'') {
      single_quotes(at);
    } else if (text_[at] == ']') {
      mismatch(at);
    } else if (text_[at] == ',') {
      say({at, at + 1}, "a comma where a key is expected", "remove it");
    } else if (begins_word(text_[at]) || is_digit(text_[at])) {
      say({at, end_of(at)}, "a key needs double quotes",
          fmt::format("write \"{}\"", printable(text_.substr(at, end_of(at) - at))));
    } else {
      say({at, end_of(at)}, fmt::format("{} where a key in double quotes is expected", shown(at)));
    }
  }

  void value(std::size_t at) {
    if (at >= text_.size()) {
      unfinished();
      return;
    }
    const char letter = text_[at];
    if (letter == '"') {
      string(at);
    } else if (letter == '\'') {
      single_quotes(at);
    } else if (is_digit(letter) || std::string_view("+-.").contains(letter)) {
      number(at);
    } else if (begins_word(letter)) {
      word(at);
    } else if (letter == '/' || letter == '#') {
      comment(at);
    } else if (letter == closer() || std::string_view("}],:").contains(letter)) {
      value_missing(at);
    } else {
      say({at, end_of(at)}, fmt::format("{} where a value is expected", shown(at)));
    }
  }

  void value_missing(std::size_t at) {
    if (!progress_.open.empty() && !in_object() && text_[at] == '}') {
      mismatch(at);
    } else {
      say({at, at + 1}, fmt::format("'{}' where a value is expected", text_[at]),
          progress_.open.empty() ? "a configuration begins with '{'" : "");
    }
  }

  void single_quotes(std::size_t at) {
    const Range line = to_line_end(at);
    const std::size_t close = text_.substr(0, line.end).find('\'', at + 1);
    const std::size_t end = close == std::string_view::npos ? at + 1 : close + 1;
    say({at, end}, "JSON strings have double quotes, not single ones",
        end == at + 1 ? "" : fmt::format("write {}", in_quotes(text_.substr(at + 1, end - at - 2))));
  }

  void word(std::size_t at) {
    const std::string_view word = text_.substr(at, end_of(at) - at);
    const auto* const known = std::ranges::find(almost_json, word, &Word::word);
    if (known != almost_json.end()) {
      say({at, end_of(at)}, fmt::format("{} is not JSON", word), fmt::format("write {}", known->meant));
    } else if (word == "NaN" || word == "Infinity") {
      say({at, end_of(at)}, fmt::format("{} is not a number in JSON", word));
    } else {
      say({at, end_of(at)}, "a string needs double quotes", fmt::format("write {}", in_quotes(word)));
    }
  }

  void number(std::size_t at) {
    const std::size_t end = std::min(text_.find_first_of("{}[],:;=\"/ \t\r\n", at), text_.size());
    const std::string_view all = text_.substr(at, end - at);
    const std::string_view bare = all.substr(all.starts_with('-') || all.starts_with('+') ? 1 : 0);
    std::string why = "this is not a number in JSON";
    std::string suggestion;
    if (bare.empty() || bare == "Infinity" || bare == "NaN" || bare == "inf") {
      why = fmt::format("{} is not a number in JSON", in_quotes(all));
    } else if (all.starts_with('+')) {
      suggestion = "leave out the '+'";
    } else if (bare.starts_with('.') || bare.ends_with('.')) {
      suggestion = "a decimal point needs a digit on both sides";
    } else if (bare.starts_with("0x") || bare.starts_with("0X") || bare.starts_with("0o")) {
      suggestion = "write it in decimal";
    } else if (bare.size() > 1 && bare[0] == '0' && is_digit(bare[1])) {
      why = "a number does not begin with 0 in JSON";
      suggestion = fmt::format("leave out the 0, or write {} if it is a string", in_quotes(all));
    } else if (std::ranges::all_of(bare, [](char c) { return is_digit(c) || std::string_view(".eE+-").contains(c); })) {
      why = fmt::format("the number {} is too large, or not written as JSON has it", in_quotes(all, 30));
    } else {
      why = "a value with a unit is a string and needs double quotes";
      suggestion = fmt::format("write {}", in_quotes(all));
    }
    say({at, end}, std::move(why), std::move(suggestion));
  }

  void string(std::size_t at) {
    for (std::size_t i = at + 1; i < text_.size(); ++i) {
      const char letter = text_[i];
      if (letter == '"') {
        say({at, i + 1}, "this string is not JSON");
        return;
      }
      if (letter == '\n' || letter == '\r') {
        break;
      }
      if (static_cast<unsigned char>(letter) < 0x20) {
        say({i, i + 1}, "a control character inside a string", letter == '\t' ? R"(write \t)" : R"(write \u00XX)");
        return;
      }
      if (letter == '\\' && ++i < text_.size() && !escape(i)) {
        return;
      }
    }
    say(to_line_end(at), "this string is never closed",
        "add the missing '\"' (a string does not span lines: write \\n)");
  }

  /// `at` is behind the backslash and stays so. False when it was the mistake, which is then reported.
  bool escape(std::size_t at) {
    if (text_[at] != 'u') {
      if (std::string_view("\"\\/bfnrt").contains(text_[at])) {
        return true;
      }
      const std::size_t length = std::max<std::size_t>(first_character(text_.substr(at)).length, 1);
      say({at - 1, at + length}, "unknown escape in a string", R"(write \\ for a backslash)");
      return false;
    }
    const std::string_view digits = text_.substr(at + 1, 4);
    const bool four =
        digits.size() == 4 && std::ranges::all_of(digits, [](unsigned char c) { return std::isxdigit(c); });
    if (!four) {
      say({at - 1, at + 1}, R"(\u needs four hexadecimal digits)");
      return false;
    }
    if (surrogate(digits, "89ab") && text_.substr(at + 5, 2) == "\\u" && surrogate(text_.substr(at + 7, 4), "cdef")) {
      return true;
    }
    const bool half = surrogate(digits, "89abcdef") && !(surrogate(digits, "cdef") && second_half(at));
    if (half) {
      say({at - 1, at + 5}, "half of a surrogate pair, which is not a character");
    }
    return !half;
  }

  /// The escape whose 'u' is at `at` follows the first half of its pair.
  [[nodiscard]] bool second_half(std::size_t at) const {
    return at >= 7 && text_.substr(at - 7, 2) == "\\u" && surrogate(text_.substr(at - 5, 4), "89ab");
  }

  static bool surrogate(std::string_view digits, std::string_view halves) {
    return digits.size() == 4 && (digits[0] == 'd' || digits[0] == 'D') &&
           halves.contains(static_cast<char>(std::tolower(static_cast<unsigned char>(digits[1]))));
  }

  std::string_view text_;
  const Progress& progress_;
  Report& report_;
};

}  // namespace

void explain_syntax(std::string_view text, const Progress& progress, Report& report) {
  Explainer(text, progress, report).explain();
}

}  // namespace corral::config
