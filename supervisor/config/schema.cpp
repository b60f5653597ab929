// The JSON Schema, from the table.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "supervisor/config/forms.hpp"
#include "supervisor/config/keys.hpp"
#include "supervisor/config/text.hpp"

namespace corral::config {

std::string json_schema() {
  const std::string text =
      fmt::format(R"({{"$schema":"https://json-schema.org/draft/2020-12/schema","title":"corral configuration",)"
                  R"("description":"What corral run supervises. Comments are allowed in the file itself.",{},"$defs":{{{}}}}})",
                  configuration_form().schema(), shared_definitions());
  return nlohmann::ordered_json::parse(text).dump(2) + "\n";
}

}  // namespace corral::config
