#include "supervisor/config/object_form.hpp"

#include <array>

#include "supervisor/config/forms.hpp"

namespace corral::config {
namespace {

/// What other process managers call our keys.
struct Alias {
  std::string_view word;
  std::string_view key;
};
constexpr std::array<Alias, 26> aliases{{{"args", "command"},        {"cmd", "command"},
                                         {"exec", "command"},        {"script", "command"},
                                         {"entrypoint", "command"},  {"env", "environment"},
                                         {"vars", "environment"},    {"cwd", "directory"},
                                         {"workdir", "directory"},   {"working_directory", "directory"},
                                         {"chdir", "directory"},     {"numprocs", "workers"},
                                         {"instances", "workers"},   {"replicas", "workers"},
                                         {"processes", "workers"},   {"count", "workers"},
                                         {"cpus", "cores"},          {"affinity", "cores"},
                                         {"autorestart", "restart"}, {"uid", "user"},
                                         {"gid", "group"},           {"ulimit", "limits"},
                                         {"rlimits", "limits"},      {"timeout", "grace"},
                                         {"services", "programs"},   {"policy", "when"}}};

}  // namespace

std::string property_schema(const KeyDescription& about, std::string_view schema) {
  std::string out = fmt::format("{}:{{{},\"description\":{}", json_string(about.name), schema, json_string(about.meaning));
  out += about.default_value.empty() ? "" : ",\"default\":" + about.default_value;
  out += about.example.empty() ? "" : ",\"examples\":[" + about.example + "]";
  return out + "}";
}

void refuse_unknown_key(const Value& part, const std::vector<std::string_view>& known, Context& context) {
  std::string suggestion = did_you_mean(part.key, known);
  const auto* const alias = std::ranges::find(aliases, std::string_view(part.key), &Alias::word);
  if (alias != aliases.end() && std::ranges::find(known, alias->key) != known.end()) {
    suggestion = fmt::format("did you mean \"{}\"?", alias->key);
  }
  if (suggestion.empty()) {
    suggestion = fmt::format("known here: {}", fmt::join(known, ", "));
  }
  context.report.add(part.key_range, fmt::format("unknown key {}", in_quotes(part.key)), std::move(suggestion));
}

void refuse_missing_key(const Value& object, std::string_view name, std::string_view example, Context& context) {
  context.report.add({object.range.begin, object.range.begin + 1}, fmt::format("the key \"{}\" is missing", name),
                     fmt::format("add \"{}\": {}", name, example));
}

void refuse_count(const Value& object, std::size_t least, std::size_t most, Context& context) {
  const std::size_t count = object.parts.size();
  context.report.add({object.range.begin, object.range.begin + 1},
                     count < least ? fmt::format("at least {} entry is needed here", least)
                                   : fmt::format("{} entries where at most {} are allowed", count, most));
}

std::vector<Section> below(const std::string& step, std::vector<Section> sections) {
  for (Section& section : sections) {
    for (KeyDescription& key : section.keys) {
      key.path = step + key.path;
    }
  }
  return sections;
}

}  // namespace corral::config
