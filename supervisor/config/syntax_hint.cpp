// Why a text is not JSON, and how to mend it, for the mistakes that people make.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "supervisor/config/reader.hpp"
#include "supervisor/config/text.hpp"
#include "supervisor/config/token_hint.hpp"
#include "supervisor/config/tokens.hpp"

namespace corral::config {
namespace {

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }
bool begins_word(char letter) {
  const auto byte = static_cast<unsigned char>(letter);
  return std::isalpha(byte) != 0 || letter == '_' || letter == '$' || byte >= 0x80;
}

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
  [[nodiscard]] bool in_object() const { return !progress_.open.empty() && progress_.open.back()->kind == Kind::object; }
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
  void say(Range where, std::string message, std::string suggestion = {}) {
    std::string pointer;
    for (std::size_t level = 1; level < progress_.open.size(); ++level) {
      const Value& parent = *progress_.open[level - 1];
      pointer += '/' + (parent.kind == Kind::object ? pointer_step(progress_.open[level]->key)
                                                    : std::to_string(parent.parts.size() - 1));
    }
    report_.add_at(std::move(pointer), where, std::move(message), std::move(suggestion));
  }

  void say(Hint hint) { say(hint.where, std::move(hint.message), std::move(hint.suggestion)); }

  void comment(std::size_t at) {
    if (text_[at] == '#') {
      say(to_line_end(text_, at), "'#' does not begin a comment in JSON", "write // for a comment");
    } else if (text_.substr(at).starts_with("/*")) {
      say(to_line_end(text_, at), "this comment is never closed", "end it with */");
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
        fmt::format("the file ends inside the {} that was opened in line {}", in_object() ? "object" : "list", line_of(opened)),
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
      say({progress_.last.end, progress_.last.end}, fmt::format("a comma is missing here, before {}", shown(at)), "add a comma");
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
      say(hint_for_string(text_, at));
    } else if (text_[at] == '\'') {
      say(hint_for_single_quotes(text_, at));
    } else if (text_[at] == ']') {
      mismatch(at);
    } else if (text_[at] == ',') {
      say({at, at + 1}, "a comma where a key is expected", "remove it");
    } else if (begins_word(text_[at]) || is_digit(text_[at])) {
      say({at, end_of(at)}, "a key needs double quotes", fmt::format("write {}", in_quotes(text_.substr(at, end_of(at) - at))));
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
      say(hint_for_string(text_, at));
    } else if (letter == '\'') {
      say(hint_for_single_quotes(text_, at));
    } else if (is_digit(letter) || std::string_view("+-.").contains(letter)) {
      say(hint_for_number(text_, at));
    } else if (begins_word(letter)) {
      say(hint_for_word(text_, at));
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

  std::string_view text_;
  const Progress& progress_;
  Report& report_;
};

}  // namespace

void explain_syntax(std::string_view text, const Progress& progress, Report& report) {
  Explainer(text, progress, report).explain();
}

}  // namespace corral::config
