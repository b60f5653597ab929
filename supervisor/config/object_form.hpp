// Forms of objects: with a fixed set of keys (object_form), or with names of the user's choice (names_form).
//
// Inside this room only.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <type_traits>

#include "supervisor/config/form.hpp"
#include "supervisor/config/text.hpp"

namespace corral::config {

/// What people want to know of a key. String literals.
struct Meaning {
  std::string_view meaning;
  std::string_view example;         ///< JSON text.
  std::string_view otherwise = {};  ///< What holds without the key, in words, where no JSON value says it.
  bool required = false;
};

/// One key of an object that is decoded into an Owner.
template <class Owner>
struct Field {
  std::string_view name;
  bool required = false;
  std::string_view example;
  std::function<KeyDescription()> about;
  Lazy schema;
  std::function<std::vector<Section>()> sections;  ///< May be missing.
  std::function<void(Owner&, const Value&, Context&)> read;
};

/// What all fields have in common, whatever they fill. `default_value` is JSON text or empty.
template <class Owner>
Field<Owner> plain_field(std::string_view name, Lazy words, Meaning meaning, Lazy default_value) {
  Field<Owner> field;
  field.name = name;
  field.required = meaning.required;
  field.example = meaning.example;
  field.about = [=, words = std::move(words), default_value = std::move(default_value)] {
    const bool none = !meaning.otherwise.empty() || meaning.required || !default_value;
    return KeyDescription{.path = "/" + std::string(name),
                          .name = std::string(name),
                          .words = words(),
                          .default_value = none ? "" : default_value(),
                          .otherwise = std::string(meaning.otherwise),
                          .meaning = std::string(meaning.meaning),
                          .example = std::string(meaning.example),
                          .required = meaning.required};
  };
  return field;
}

/// A form that is built when it is first needed: a configuration has few of all keys, and a start builds no more.
template <class Make>
class Late {
 public:
  explicit Late(Make make) : make_(std::move(make)) {}
  const auto& operator*() {
    if (!form_) {
      form_.emplace(make_());
    }
    return *form_;
  }
  const auto* operator->() { return &**this; }

 private:
  Make make_;
  std::optional<std::invoke_result_t<Make>> form_;
};

/// One key. `access` yields the member that the key fills, `make` its form. Its default is what a new Owner holds.
template <class Owner, class Access, class Make>
Field<Owner> field(std::string_view name, Access access, Make make, Meaning meaning) {
  const auto form = std::make_shared<Late<Make>>(std::move(make));
  const auto default_value = [=] {
    Owner fresh{};
    return (*form)->write ? (*form)->write(access(fresh)) : std::string{};
  };
  Field<Owner> field = plain_field<Owner>(name, [=] { return (*form)->words; }, meaning, default_value);
  field.schema = [=] { return (*form)->schema(); };
  field.sections = [=] { return (*form)->sections ? (*form)->sections() : std::vector<Section>{}; };
  field.read = [=](Owner& owner, const Value& value, Context& context) {
    if (auto decoded = decode(**form, value, context)) {
      access(owner) = std::move(*decoded);
    }
  };
  return field;
}

/// The schema of a key inside "properties".
[[nodiscard]] std::string property_schema(const KeyDescription& about, std::string_view schema);

void refuse_unknown_key(const Value& part, const std::vector<std::string_view>& known, Context& context);
void refuse_missing_key(const Value& object, std::string_view name, std::string_view example, Context& context);

/// `sections` with `step` in front of every path.
[[nodiscard]] std::vector<Section> below(const std::string& step, std::vector<Section> sections);

/// A rule about several keys at once, asked when each is right by itself. It reports beyond the schema.
template <class Owner>
using Rule = std::function<void(const Owner&, const Value&, Context&)>;

template <class Owner>
using Fields = std::shared_ptr<const std::vector<Field<Owner>>>;

template <class Owner>
std::string object_schema(const std::vector<Field<Owner>>& fields) {
  std::string properties;
  std::string required;
  for (const Field<Owner>& field : fields) {
    properties += (properties.empty() ? "" : ",") + property_schema(field.about(), field.schema());
    if (field.required) {
      required += (required.empty() ? "" : ",") + json_string(field.name);
    }
  }
  return R"("type":"object","additionalProperties":false,"properties":{)" + properties + "}" +
         (required.empty() ? "" : ",\"required\":[" + required + "]");
}

template <class Owner>
std::vector<Section> object_sections(Section own, const std::vector<Field<Owner>>& fields) {
  std::vector<Section> inner;
  for (const Field<Owner>& field : fields) {
    own.keys.push_back(field.about());
    if (field.sections) {
      std::ranges::move(below("/" + std::string(field.name), field.sections()), std::back_inserter(inner));
    }
  }
  inner.insert(inner.begin(), std::move(own));
  return inner;
}

/// An object of fixed keys, each at most once, in any order.
template <class Owner>
class ObjectDecoder {
 public:
  ObjectDecoder(Fields<Owner> fields, Rule<Owner> rule) : fields_(std::move(fields)), rule_(std::move(rule)) {}

  std::optional<Owner> operator()(const Value& value, Context& context) const {
    Owner owner{};
    const std::size_t before = context.report.count();
    for (const Value& part : value.parts) {
      if (context.report.full()) {
        return std::nullopt;
      }
      const auto field = std::ranges::find(*fields_, part.key, &Field<Owner>::name);
      if (field == fields_->end()) {
        refuse_unknown_key(part, known(), context);
      } else {
        field->read(owner, part, context);
      }
    }
    for (const Field<Owner>& field : *fields_) {
      if (field.required && value.find(field.name) == nullptr) {
        refuse_missing_key(value, field.name, field.example, context);
      }
    }
    if (rule_ && context.report.count() == before) {
      rule_(owner, value, context);
    }
    return context.report.count() == before ? std::optional(std::move(owner)) : std::nullopt;
  }

 private:
  [[nodiscard]] std::vector<std::string_view> known() const {
    std::vector<std::string_view> names;
    std::ranges::transform(*fields_, std::back_inserter(names), &Field<Owner>::name);
    return names;
  }

  Fields<Owner> fields_;
  Rule<Owner> rule_;
};

template <class Owner>
Form<Owner> object_form(std::string_view title, std::string_view intro, std::vector<Field<Owner>> all, Rule<Owner> rule = {}) {
  const auto fields = std::make_shared<const std::vector<Field<Owner>>>(std::move(all));
  Form<Owner> form;
  form.words = "an object";
  form.kinds = only(Kind::object);
  form.schema = [fields] { return object_schema(*fields); };
  form.sections = [=] { return object_sections({std::string(title), std::string(intro), {}}, *fields); };
  form.decode = ObjectDecoder<Owner>(fields, std::move(rule));
  return form;
}

/// The names that the user may choose: a pattern for the schema, and the reason why a name is refused, if it is.
struct NameRule {
  std::string_view pattern;
  std::optional<std::string> (*refuse)(std::string_view);
};

void refuse_count(const Value& object, std::size_t least, std::size_t most, Context& context);

template <class T>
Form<std::vector<std::pair<std::string, T>>> names_form(std::string words, NameRule rule, Form<T> whole, std::size_t least,
                                                        std::size_t most) {
  const auto each = shared(std::move(whole));
  Form<std::vector<std::pair<std::string, T>>> form;
  form.schema = [=, pattern = rule.pattern] {
    return fmt::format(R"("type":"object","minProperties":{},"maxProperties":{},"propertyNames":{{"pattern":{}}},)"
                       R"("additionalProperties":{{{}}})",
                       least, most, json_string(pattern), each->schema());
  };
  form.words = std::move(words);
  form.kinds = only(Kind::object);
  form.sections = [each] { return below("/NAME", each->sections ? each->sections() : std::vector<Section>{}); };
  form.decode = [=](const Value& value, Context& context) {
    std::vector<std::pair<std::string, T>> all;
    if (value.parts.size() < least || value.parts.size() > most) {
      refuse_count(value, least, most, context);
    }
    for (const Value& part : value.parts) {
      if (context.report.full()) {
        break;
      }
      if (const std::optional<std::string> why = rule.refuse(part.key)) {
        context.report.add(part.key_range, *why);
      }
      if (std::optional<T> decoded = decode(*each, part, context)) {
        all.emplace_back(part.key, std::move(*decoded));
      }
    }
    return std::optional(std::move(all));
  };
  return form;
}

}  // namespace corral::config
