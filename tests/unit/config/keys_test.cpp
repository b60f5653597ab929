// The table of keys: its defaults, its examples, its two documents.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/unit/config/support.hpp"

using namespace corral;
using namespace corral::config::test;
using nlohmann::json;

namespace {

/// A configuration that says nothing but what must be said where `key` stands.
json surroundings(const config::KeyDescription& key) {
  json whole = json::parse(R"({"programs": {"NAME": {"command": ["x"]}}})");
  if (key.path.find("/tasks/") != std::string::npos) {
    whole[json::json_pointer(key.path).parent_pointer()] = {{"from", "a"}, {"to", "b"}};
  }
  if (key.path.ends_with("/tasks/tag")) {
    whole["programs"]["NAME"]["tasks"]["raw"] = true;
  }
  if (key.path.find("/log/") != std::string::npos && !key.path.ends_with("/to")) {
    whole["programs"]["NAME"]["log"] = {{"to", "file"}};
  }
  if (key.path.starts_with("/on_event/")) {
    whole["on_event"] = {{"command", {"x"}}};
  }
  if (key.path.starts_with("/crashes/")) {
    whole["crashes"] = {{"folder", "x"}};
  }
  if (key.path == "/control/listen") {
    whole["control"] = {{"token_file", "x"}};
  }
  return whole;
}

/// The same, and `value` under the key.
std::string document(const config::KeyDescription& key, const std::string& value) {
  json whole = surroundings(key);
  const auto place = json::json_pointer(key.path);
  if (key.path.ends_with("/soft") || key.path.ends_with("/hard")) {
    whole[place.parent_pointer()] = {{"soft", 5}, {"hard", 5000}};
  }
  whole[place] = json::parse(value);
  return whole.dump();
}

}  // namespace

TEST_CASE("every example is a value that the key takes") {
  for (const config::KeyDescription& key : config::keys()) {
    CAPTURE(key.path);
    REQUIRE_FALSE(key.example.empty());
    good(document(key, key.example));
  }
}

TEST_CASE("a default that is written out changes nothing") {
  int written = 0;
  for (const config::KeyDescription& key : config::keys()) {
    CAPTURE(key.path);
    if (key.default_value.empty()) {
      CHECK((key.required || !key.otherwise.empty()));
      continue;
    }
    ++written;
    core::SupervisorSpec with_default = good(document(key, key.default_value));
    core::SupervisorSpec without = good(surroundings(key).dump());
    CHECK(with_default == without);
  }
  CHECK(written > 15);
}

TEST_CASE("every key has words, a meaning and a place of its own") {
  std::vector<std::string> paths;
  for (const config::KeyDescription& key : config::keys()) {
    CAPTURE(key.path);
    CHECK_FALSE(key.words.empty());
    CHECK(key.meaning.ends_with('.'));
    CHECK(key.path.ends_with("/" + key.name));
    paths.push_back(key.path);
  }
  std::ranges::sort(paths);
  CHECK(std::ranges::adjacent_find(paths) == paths.end());
  CHECK(paths.size() > 40);
}

TEST_CASE("the schema knows the same keys as the reference page") {
  const json schema = json::parse(config::json_schema());
  CHECK(schema["$schema"] == "https://json-schema.org/draft/2020-12/schema");
  const json& program = schema["properties"]["programs"]["additionalProperties"];
  CHECK(program["required"] == json::array({"command"}));
  std::vector<std::string> named;
  for (const config::KeyDescription& key : config::keys()) {
    if (key.path == "/programs/NAME/" + key.name) {
      CHECK(program["properties"].contains(key.name));
      named.push_back(key.name);
    }
  }
  CHECK(program["properties"].size() == named.size());
}

TEST_CASE("docs/reference/configuration.md is up to date") {
  const auto page = std::filesystem::path(__FILE__).parent_path() / "../../../docs/reference/configuration.md";
  std::ifstream file(page);
  REQUIRE_MESSAGE(file.good(),
                  "docs/reference/configuration.md is missing; make it with "
                  "corral schema --reference > docs/reference/configuration.md");
  std::stringstream text;
  text << file.rdbuf();
  CHECK_MESSAGE(text.str() == config::reference_page(),
                "the table of keys has changed; run: corral schema --reference > docs/reference/configuration.md");
}
