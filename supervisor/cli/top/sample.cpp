#include "supervisor/cli/top/sample.hpp"

#include <nlohmann/json.hpp>

namespace corral::cli::top {
namespace {

using nlohmann::json;

const json& member(const json& object, const char* name) {
  static const json nothing;
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() ? *found : nothing;
}

std::string text(const json& object, const char* name) {
  const json& value = member(object, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

/// "crunch/1 (pid 4123) killed by …" and "crunch/1: sent SIGTERM" without the worker.
std::string without_name(std::string message, const std::string& worker) {
  if (!message.starts_with(worker)) {
    return message;
  }
  std::string_view rest = std::string_view(message).substr(worker.size());
  if (rest.starts_with(" (pid ")) {
    const auto end = rest.find(") ");
    return std::string(end == std::string_view::npos ? rest : rest.substr(end + 2));
  }
  return rest.starts_with(": ") ? std::string(rest.substr(2)) : message;
}

Result<json> parse(std::string_view text) {
  json parsed = json::parse(text, nullptr, false);
  if (parsed.is_discarded()) {
    return std::unexpected(not_json());
  }
  return parsed;
}

}  // namespace

Error not_json() { return {"the supervisor's answer is not JSON; is something else listening on its socket?", 0}; }

Result<LastEvents> read_events(std::string_view bytes) {
  const Result<json> answer = parse(bytes);
  if (!answer) {
    return std::unexpected(answer.error());
  }
  const json& list = answer->is_array() ? *answer : member(*answer, "events");
  LastEvents last;
  for (const json& event : list) {
    const std::string worker = text(event, "worker");
    if (!worker.empty()) {
      const std::string said = text(event, "text");  // In a line of the log it is called otherwise.
      last[worker] = without_name(said.empty() ? text(event, "message") : said, worker);
    }
  }
  return last;
}

std::string read_error(std::string_view bytes, int status) {
  const json parsed = json::parse(bytes, nullptr, false);
  const std::string said = text(parsed, "error");
  return said.empty() ? "the supervisor answers with status " + std::to_string(status) : said;
}

}  // namespace corral::cli::top
