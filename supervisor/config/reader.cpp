#include "supervisor/config/reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "common/base/check.hpp"
#include "supervisor/config/text.hpp"
#include "supervisor/config/tokens.hpp"

namespace corral::config {
namespace {

/// What nlohmann's SAX parser calls, one call a token; the cursor follows it token by token.
class TreeBuilder {
 public:
  TreeBuilder(std::string_view text, Report& report) : text_(text), report_(report) {}

  bool null() { return add({}); }
  bool boolean(bool truth) {
    Value value;
    value.kind = Kind::boolean;
    value.truth = truth;
    return add(std::move(value));
  }
  bool number_integer(std::int64_t number) {
    Value value;
    value.kind = Kind::integer;
    value.integer = number;
    return add(std::move(value));
  }
  bool number_unsigned(std::uint64_t number) {
    return number <= INT64_MAX ? number_integer(static_cast<std::int64_t>(number))
                               : number_float(static_cast<double>(number), {});
  }
  bool number_float(double number, const std::string& /*written*/) {
    Value value;
    value.kind = Kind::real;
    value.real = number;
    return add(std::move(value));
  }
  bool string(std::string& string) {
    Value value;
    value.kind = Kind::string;
    value.text = std::move(string);
    return add(std::move(value));
  }
  bool binary(std::vector<std::uint8_t>& /*bytes*/) { return false; }  // Not in JSON text.

  bool start_object(std::size_t /*size*/) { return open(Kind::object); }
  bool start_array(std::size_t /*size*/) { return open(Kind::list); }
  bool end_object() {
    report_duplicates(*open_.back());
    return close();
  }
  bool end_array() { return close(); }
  bool key(std::string& key) {
    last_ = next_token();
    pending_key_ = std::move(key);
    pending_key_range_ = last_;
    key_pending_ = true;
    return true;
  }

  bool parse_error(std::size_t /*position*/, const std::string& /*token*/, const nlohmann::json::exception& /*why*/) {
    explain_syntax(text_, {last_, {open_.begin(), open_.end()}, key_pending_, done_}, report_);
    return false;
  }

  [[nodiscard]] Value take() { return std::move(root_); }

 private:
  /// The token behind the last one. It is there: the parser has just read it.
  Range next_token() {
    std::size_t at = last_.end;
    for (at = skip_blanks(text_, at); at < text_.size() && (text_[at] == ',' || text_[at] == ':'); at = skip_blanks(text_, at)) {
      ++at;
    }
    CORRAL_CHECK(at < text_.size());
    return {at, token_end(text_, at)};
  }

  bool add(Value value) {
    place(std::move(value));
    done_ = open_.empty();
    return within_limits();
  }

  bool open(Kind kind) {
    Value value;
    value.kind = kind;
    open_.push_back(place(std::move(value)));
    if (open_.size() > deepest) {
      report_.add_at(pointer(), last_, fmt::format("nested more than {} levels deep", deepest),
                     "no configuration needs that: is this the right file?");
      return false;
    }
    return within_limits();
  }

  bool close() {
    last_ = next_token();
    CORRAL_CHECK(text_[last_.begin] == '}' || text_[last_.begin] == ']');
    open_.back()->range.end = last_.end;
    open_.pop_back();
    done_ = open_.empty();
    return true;
  }

  /// Puts the value where it belongs. The address stays good until the value is closed: only what is open grows.
  Value* place(Value value) {
    last_ = next_token();
    value.range = last_;
    if (key_pending_) {
      value.key = std::move(pending_key_);
      value.key_range = pending_key_range_;
      key_pending_ = false;
    }
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    open_.back()->parts.push_back(std::move(value));
    return &open_.back()->parts.back();
  }

  bool within_limits() {
    if (++values_ <= most_values) {
      return true;
    }
    report_.add_at(pointer(), last_, fmt::format("more than {} values", most_values),
                   "no configuration needs that many: is this the right file?");
    return false;
  }

  /// Of the innermost open object or list. The deepest steps say little: what is bounded is shown.
  std::string pointer() const {
    std::string out;
    for (std::size_t level = 1; level < open_.size() && level < 10; ++level) {
      const Value& parent = *open_[level - 1];
      out += '/' + (parent.kind == Kind::object ? pointer_step(open_[level]->key) : std::to_string(parent.parts.size() - 1));
    }
    return out;
  }

  /// By sorting, so that a hostile object costs no more than a long one.
  void report_duplicates(const Value& object) {
    std::vector<std::size_t> order(object.parts.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t i) -> std::string_view { return object.parts[i].key; });
    const Value* first = nullptr;
    for (const std::size_t index : order) {
      const Value& part = object.parts[index];
      if (first == nullptr || first->key != part.key) {
        first = &part;
      } else if (report_.full()) {
        return;
      } else {
        const Diagnostic place = make_diagnostic({}, text_, first->key_range.begin, first->key_range.end);
        report_.add_beyond_schema(
            part.key_range,
            fmt::format("duplicate key {}: it is already in line {}, column {}", in_quotes(part.key), place.line, place.column),
            "remove one of the two, or rename it");
      }
    }
  }

  std::string_view text_;
  Report& report_;
  Value root_;
  std::vector<Value*> open_;
  Range last_;
  std::string pending_key_;
  Range pending_key_range_;
  bool key_pending_ = false;
  bool done_ = false;
  std::size_t values_ = 0;
};

/// The report of a byte that JSON text never holds.
void report_byte(std::string_view text, std::size_t at, std::string_view what, Report& report) {
  const Diagnostic place = make_diagnostic({}, text, at, at + 1);
  report.add_at({}, {at, at + 1}, fmt::format("{} at byte {} (line {}, column {})", what, at, place.line, place.column),
                "save the file as plain UTF-8 text");
}

/// What makes a text not even worth parsing.
bool is_text(std::string_view text, Report& report) {
  constexpr std::string_view utf8_mark = "\xEF\xBB\xBF";
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    report_byte(text, 0, "UTF-16 text, which begins with a byte order mark", report);
  } else if (text.starts_with(utf8_mark)) {
    report.add_at({}, {0, utf8_mark.size()}, "the file begins with a byte order mark, which JSON does not allow",
                  "save it as \"UTF-8\" and not as \"UTF-8 with BOM\"");
  } else if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    report_byte(text, nul, "NUL byte", report);
  } else if (const std::optional<std::size_t> bad = find_invalid_utf8(text)) {
    report_byte(text, *bad, fmt::format("invalid UTF-8: {}", printable(text.substr(*bad, 1))), report);
  } else if (skip_blanks(text, 0) == text.size()) {
    report.add_at({}, {text.size(), text.size()}, text.empty() ? "the file is empty" : "the file holds nothing",
                  R"(the least that works is {"programs": {"hello": {"command": ["echo", "hello"]}}})");
  }
  return report.empty();
}

}  // namespace

std::optional<Value> read_json(std::string_view text, Report& report) {
  if (!is_text(text, report)) {
    return std::nullopt;
  }
  TreeBuilder builder(text, report);
  if (!nlohmann::json::sax_parse(WithoutBlanks(text, 0), WithoutBlanks(text, text.size()), &builder)) {
    CORRAL_CHECK(!report.empty());
    return std::nullopt;
  }
  return builder.take();
}

}  // namespace corral::config
