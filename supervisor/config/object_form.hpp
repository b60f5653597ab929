// Forms of objects: with a fixed set of keys (object_form), or with names of the user's choice (names_form).
//
// Inside this room only.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "supervisor/config/form.hpp"
#include "supervisor/config/text.hpp"

namespace corral::config {

/// What people want to know of a key.
struct Meaning {
  std::string meaning;
  std::string example;         ///< JSON text.
  std::string otherwise = {};  ///< What holds without the key, in words, where no JSON value says it.
  bool required = false;
};

/// One key of an object that is decoded into an Owner.
template <class Owner>
struct Field {
  KeyDescription about;
  std::string schema;
  std::vector<Section> sections;
  std::function<void(Owner&, const Value&, Context&)> read;
};

/// `access` yields the member that the key fills. Its default is what a new Owner holds.
template <class Owner, class Member, class Access>
Field<Owner> field(std::string name, Access access, Form<Member> form, Meaning meaning) {
  Field<Owner> field;
  Owner fresh{};
  field.about = {.path = "/" + name,
                 .name = name,
                 .words = form.words,
                 .default_value = {},
                 .otherwise = meaning.otherwise,
                 .meaning = meaning.meaning,
                 .example = meaning.example,
                 .required = meaning.required};
  if (form.write && meaning.otherwise.empty() && !meaning.required) {
    field.about.default_value = form.write(access(fresh));
  }
  field.schema = form.schema;
  field.sections = form.sections;
  field.read = [access, form = std::move(form)](Owner& owner, const Value& value, Context& context) {
    if (std::optional<Member> decoded = decode(form, value, context)) {
      access(owner) = std::move(*decoded);
    }
  };
  return field;
}

/// The schema of a key inside "properties".
[[nodiscard]] std::string property_schema(const KeyDescription& about, std::string_view schema);

void refuse_unknown_key(const Value& part, const std::vector<std::string_view>& known, Context& context);
void refuse_missing_key(const Value& object, const KeyDescription& about, Context& context);

/// `sections` with `step` in front of every path.
[[nodiscard]] std::vector<Section> below(const std::string& step, std::vector<Section> sections);

/// A rule about several keys at once, asked when each is right by itself. It reports beyond the schema.
template <class Owner>
using Rule = std::function<void(const Owner&, const Value&, Context&)>;

template <class Owner>
Form<Owner> object_form(std::string title, std::string intro, std::vector<Field<Owner>> fields, Rule<Owner> rule = {}) {
  Form<Owner> form;
  Section section{std::move(title), std::move(intro), {}};
  std::vector<std::string_view> known;
  std::string properties;
  std::string required;
  for (const Field<Owner>& field : fields) {
    section.keys.push_back(field.about);
    properties += (properties.empty() ? "" : ",") + property_schema(field.about, field.schema);
    if (field.about.required) {
      required += (required.empty() ? "" : ",") + json_string(field.about.name);
    }
  }
  form.words = "an object";
  form.kinds = only(Kind::object);
  form.schema = R"("type":"object","additionalProperties":false,"properties":{)" + properties + "}";
  form.schema += required.empty() ? "" : ",\"required\":[" + required + "]";
  form.sections.push_back(section);
  for (const Field<Owner>& field : fields) {
    std::ranges::move(below(field.about.path, field.sections), std::back_inserter(form.sections));
  }
  auto shared = std::make_shared<const std::vector<Field<Owner>>>(std::move(fields));
  for (const Field<Owner>& field : *shared) {
    known.push_back(field.about.name);
  }
  form.decode = [shared, known, rule](const Value& value, Context& context) -> std::optional<Owner> {
    Owner owner{};
    const std::size_t before = context.report.count();
    for (const Value& part : value.parts) {
      const auto field = std::ranges::find(*shared, part.key, [](const auto& one) { return one.about.name; });
      if (field == shared->end()) {
        refuse_unknown_key(part, known, context);
      } else {
        field->read(owner, part, context);
      }
    }
    for (const Field<Owner>& field : *shared) {
      if (field.about.required && value.find(field.about.name) == nullptr) {
        refuse_missing_key(value, field.about, context);
      }
    }
    if (rule && context.report.count() == before) {
      rule(owner, value, context);
    }
    return context.report.count() == before ? std::optional(std::move(owner)) : std::nullopt;
  };
  return form;
}

/// The names that the user may choose: a pattern for the schema, and the reason why a name is refused, if it is.
struct NameRule {
  std::string pattern;
  std::function<std::optional<std::string>(std::string_view)> refuse;
};

void refuse_count(const Value& object, std::size_t least, std::size_t most, Context& context);

template <class T>
Form<std::vector<std::pair<std::string, T>>> names_form(std::string words, NameRule rule, Form<T> each,
                                                        std::size_t least, std::size_t most) {
  Form<std::vector<std::pair<std::string, T>>> form;
  form.schema = fmt::format(
      R"("type":"object","minProperties":{},"maxProperties":{},"propertyNames":{{"pattern":{}}},"additionalProperties":{{{}}})",
      least, most, json_string(rule.pattern), each.schema);
  form.words = std::move(words);
  form.kinds = only(Kind::object);
  form.sections = below("/NAME", each.sections);
  form.decode = [=, each = std::move(each)](const Value& value, Context& context) {
    std::vector<std::pair<std::string, T>> all;
    if (value.parts.size() < least || value.parts.size() > most) {
      refuse_count(value, least, most, context);
    }
    for (const Value& part : value.parts) {
      if (const std::optional<std::string> why = rule.refuse(part.key)) {
        context.report.add(part.key_range, *why);
      }
      if (std::optional<T> decoded = decode(each, part, context)) {
        all.emplace_back(part.key, std::move(*decoded));
      }
    }
    return std::optional(std::move(all));
  };
  return form;
}

}  // namespace corral::config
