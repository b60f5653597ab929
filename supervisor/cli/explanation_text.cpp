#include "supervisor/cli/explanation_text.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "common/base/fingerprint.hpp"
#include "common/base/text.hpp"

namespace corral::cli {
namespace {

using nlohmann::json;

/// "corral.json:12: "delay": "1s"", once where several keys stand in one line.
std::string lines_of(const std::vector<std::string>& keys, const config::Source& file) {
  std::string out;
  std::size_t last = 0;
  std::string defaults;
  for (std::size_t i = 0; const config::KeyPlace& place : config::locate(file, keys)) {
    const std::string& key = keys[i++];
    if (place.line != 0 && !place.written) {
      defaults += (defaults.empty() ? "" : ", ") + key.substr(key.rfind('/') + 1);
    } else if (place.line != 0 && std::exchange(last, place.line) != place.line) {
      out += fmt::format("      {}:{}: {}\n", file.name, place.line, place.text);
    }
  }
  return defaults.empty() ? out : out + fmt::format("      by default: {}\n", defaults);
}

bool is_in_force(const config::Source& file, const json& answer) {
  const auto loaded = answer.find("configuration");
  return loaded == answer.end() || !loaded->is_string() || *loaded == fmt::format("{:016x}", fingerprint(file.text));
}

std::string in_words(const json& answer, const config::Source& file) {
  std::string out;
  const bool shows_lines = !file.name.empty() && is_in_force(file, answer);
  for (const json& reason : answer.at("reasons")) {
    out += out.empty() ? "" : "  - ";
    append_printable(out, reason.at("sentence").get<std::string>());
    out += '\n';
    if (shows_lines) {
      out += lines_of(reason.at("keys").get<std::vector<std::string>>(), file);
    }
  }
  return file.name.empty() || shows_lines
             ? out
             : out + fmt::format(
                         "  '{}' has changed since it was loaded, so no line of it is shown; corral reload --plan says what it "
                         "would change\n",
                         file.name);
}

}  // namespace

Result<std::string> explanation_text(std::string_view answer, const config::Source& file) {
  try {
    return in_words(json::parse(answer), file);
  } catch (const json::exception&) {
    return failure("the supervisor's answer is no explanation; is it of another version?");
  }
}

}  // namespace corral::cli
