// A form: one way of writing a thing in JSON, described once.
//
// It yields the decoder (decode), the JSON Schema (schema), the words of the reference page and of error messages
// (words), and the text of defaults (write). Whoever adds a key adds a form to the table in keys.cpp and nothing else.
//
// Inside this room only. A form never throws, and reports whatever it refuses.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "supervisor/config/config.hpp"
#include "supervisor/config/report.hpp"
#include "supervisor/config/value.hpp"

namespace corral::config {

/// What decoding needs besides the value.
struct Context {
  Report& report;
  const Environment& lookup;
  std::size_t expanded = 0;  ///< Bytes that all substitutions have made so far.
};

/// A heading and a table of the reference page: one kind of object.
struct Section {
  std::string title;
  std::string intro;
  std::vector<KeyDescription> keys;
};

/// Which kinds of JSON values a form takes: bits of Kind.
using Kinds = std::uint8_t;
[[nodiscard]] constexpr Kinds only(Kind kind) { return static_cast<Kinds>(1U << static_cast<unsigned>(kind)); }
inline constexpr Kinds any_number = only(Kind::integer) | only(Kind::real);

/// A way out for a value of the wrong kind, or nothing.
using Advice = std::function<std::string(const Value&)>;

template <class T>
struct Form {
  std::string schema;  ///< JSON Schema keywords, without braces around them: `"type":"boolean"`.
  std::string words;   ///< "a duration such as \"10s\"".
  Kinds kinds = 0;
  std::function<std::optional<T>(const Value&, Context&)> decode;  ///< Only sees values of its kinds.
  std::function<std::string(const T&)> write;                      ///< As JSON text; may be missing.
  Advice advice;
  std::vector<Section> sections;  ///< Of the objects in it, for the reference page.
};

/// Reports a value of a kind that was not expected.
void refuse_kind(const Value& value, std::string_view words, const Advice& advice, Context& context);

template <class T>
std::optional<T> decode(const Form<T>& form, const Value& value, Context& context) {
  if ((form.kinds & only(value.kind)) == 0) {
    refuse_kind(value, form.words, form.advice, context);
    return std::nullopt;
  }
  return form.decode(value, context);
}

/// The same form for another type.
template <class To, class From, class Convert>
Form<To> converted(Form<From> form, Convert convert, std::function<std::string(const To&)> write = {}) {
  Form<To> out{form.schema, form.words, form.kinds, {}, std::move(write), form.advice, form.sections};
  out.decode = [inner = std::move(form), convert](const Value& value, Context& context) -> std::optional<To> {
    std::optional<From> decoded = decode(inner, value, context);
    return decoded ? std::optional<To>(convert(std::move(*decoded))) : std::nullopt;
  };
  return out;
}

/// One of two forms, told apart by the kind of the value: they have none in common.
template <class T>
Form<T> either(Form<T> left, Form<T> right) {
  Form<T> out;
  out.schema = "\"anyOf\":[{" + left.schema + "},{" + right.schema + "}]";
  out.words = left.words + ", or " + right.words;
  out.kinds = left.kinds | right.kinds;
  out.write = left.write;
  out.advice = left.advice;
  out.sections = left.sections;
  out.sections.insert(out.sections.end(), right.sections.begin(), right.sections.end());
  out.decode = [left = std::move(left), right = std::move(right)](const Value& value, Context& context) {
    return (left.kinds & only(value.kind)) != 0 ? decode(left, value, context) : decode(right, value, context);
  };
  return out;
}

struct ListLimits {
  std::size_t least = 0;
  bool unique = false;
};

void refuse_short_list(const Value& value, std::size_t least, std::string_view words, Context& context);

template <class T>
Form<std::vector<T>> list_of(Form<T> element, std::string words, ListLimits limits = {}) {
  Form<std::vector<T>> out;
  out.schema = "\"type\":\"array\",\"items\":{" + element.schema + "}";
  out.schema += limits.least > 0 ? ",\"minItems\":" + std::to_string(limits.least) : "";
  out.schema += limits.unique ? ",\"uniqueItems\":true" : "";
  out.words = words;
  out.kinds = only(Kind::list);
  if (element.write) {
    out.write = [write = element.write](const std::vector<T>& all) {
      std::string text;
      for (const T& one : all) {
        text += (text.empty() ? "" : ", ") + write(one);
      }
      return "[" + text + "]";
    };
  }
  out.decode = [=, element = std::move(element)](const Value& value,
                                                 Context& context) -> std::optional<std::vector<T>> {
    if (value.parts.size() < limits.least) {
      refuse_short_list(value, limits.least, words, context);
      return std::nullopt;
    }
    std::vector<T> all;
    std::set<T> seen;
    bool good = true;
    for (const Value& part : value.parts) {
      std::optional<T> one = decode(element, part, context);
      good = good && one.has_value();
      if (one && limits.unique && !seen.insert(*one).second) {
        context.report.add(part.range, "listed twice", "remove one of the two");
        good = false;
      } else if (one) {
        all.push_back(std::move(*one));
      }
    }
    return good ? std::optional(std::move(all)) : std::nullopt;
  };
  return out;
}

}  // namespace corral::config
