// A form: one way of writing a thing in JSON, described once.
//
// It yields the decoder (decode), the JSON Schema (schema), the words of the reference page and of error messages
// (words), and the text of defaults (write). Whoever adds a key adds a form to the table in keys.cpp and nothing else.
//
// Inside this room only. A form never throws, and reports whatever it refuses.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
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

/// Made only when somebody asks for it: a supervisor that starts wants the decoder and nothing else, and at once.
using Lazy = std::function<std::string()>;

[[nodiscard]] inline Lazy literal(std::string_view words) {
  return [words] { return std::string(words); };
}

template <class T>
struct Form {
  Lazy schema;        ///< JSON Schema keywords, without braces around them: `"type":"boolean"`.
  std::string words;  ///< "a duration such as \"10s\"".
  Kinds kinds = 0;
  std::function<std::optional<T>(const Value&, Context&)> decode;  ///< Only sees values of its kinds.
  std::function<std::string(const T&)> write;                      ///< As JSON text; may be missing.
  Advice advice;
  std::function<std::vector<Section>()> sections;  ///< Of the objects in it, for the reference page; may be missing.
};

/// Forms hold the forms of their parts, shared: copying one is cheap.
template <class T>
using Shared = std::shared_ptr<const Form<T>>;

template <class T>
Shared<T> shared(Form<T> form) {
  return std::make_shared<const Form<T>>(std::move(form));
}

/// Reports a value of a kind that was not expected.
void refuse_kind(const Value& value, std::string_view words, const Advice& advice, Context& context);

template <class T>
std::optional<T> decode(const Form<T>& form, const Value& value, Context& context) {
  if (context.report.full()) {
    return std::nullopt;  // Nobody would read what is wrong with this one.
  }
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
  out.decode = [inner = shared(std::move(form)), convert](const Value& value, Context& context) -> std::optional<To> {
    std::optional<From> decoded = decode(*inner, value, context);
    return decoded ? std::optional<To>(convert(std::move(*decoded))) : std::nullopt;
  };
  return out;
}

/// One of two forms, told apart by the kind of the value: they have none in common.
template <class T>
Form<T> either(Form<T> one, Form<T> other) {
  const auto left = shared(std::move(one));
  const auto right = shared(std::move(other));
  Form<T> out;
  out.schema = [=] { return "\"anyOf\":[{" + left->schema() + "},{" + right->schema() + "}]"; };
  out.words = left->words + ", or " + right->words;
  out.kinds = left->kinds | right->kinds;
  out.write = left->write;
  out.advice = left->advice;
  out.sections = [=] {
    std::vector<Section> all = left->sections ? left->sections() : std::vector<Section>{};
    if (right->sections) {
      std::ranges::move(right->sections(), std::back_inserter(all));
    }
    return all;
  };
  out.decode = [=](const Value& value, Context& context) {
    return (left->kinds & only(value.kind)) != 0 ? decode(*left, value, context) : decode(*right, value, context);
  };
  return out;
}

struct ListLimits {
  std::size_t least = 0;
  bool unique = false;
};

void refuse_short_list(const Value& value, std::size_t least, std::string_view words, Context& context);

template <class T>
Form<std::vector<T>> list_of(Form<T> each, std::string words, ListLimits limits = {}) {
  const auto element = shared(std::move(each));
  Form<std::vector<T>> out;
  out.schema = [element, limits] {
    return "\"type\":\"array\",\"items\":{" + element->schema() + "}" +
           (limits.least > 0 ? ",\"minItems\":" + std::to_string(limits.least) : "") +
           (limits.unique ? ",\"uniqueItems\":true" : "");
  };
  out.words = words;
  out.kinds = only(Kind::list);
  out.write = [element](const std::vector<T>& all) {
    std::string list;
    for (const T& one : all) {
      list += (list.empty() ? "" : ", ") + element->write(one);
    }
    return "[" + list + "]";
  };
  out.decode = [element, limits, words = std::move(words)](const Value& value,
                                                           Context& context) -> std::optional<std::vector<T>> {
    if (value.parts.size() < limits.least) {
      refuse_short_list(value, limits.least, words, context);
      return std::nullopt;
    }
    std::vector<T> all;
    std::set<T> seen;
    bool good = true;
    for (const Value& part : value.parts) {
      std::optional<T> one = decode(*element, part, context);
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
