#include "supervisor/cli/top/sample.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

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

std::optional<double> number(const json& object, const char* name) {
  const json& value = member(object, name);
  return value.is_number() && std::isfinite(value.get<double>()) ? std::optional(value.get<double>()) : std::nullopt;
}

std::optional<std::uint64_t> whole(const json& object, const char* name) {
  const json& value = member(object, name);
  return value.is_number_unsigned() ? std::optional(value.get<std::uint64_t>()) : std::nullopt;
}

WorkerSample read_worker(const json& object) {
  return {.name = text(object, "worker"),
          .program = text(object, "program"),
          .index = whole(object, "index").value_or(0),
          .state = text(object, "state"),
          .wanted_up = text(object, "wanted") == "up",
          .pid = whole(object, "pid"),
          .incarnation = whole(object, "incarnation").value_or(0),
          .cores = text(object, "cores"),
          .uptime_seconds = number(object, "uptime_seconds"),
          .restarts = whole(object, "restarts").value_or(0),
          .cpu_seconds = number(object, "cpu_seconds"),
          .memory_bytes = whole(object, "memory_bytes"),
          .next_start_seconds = number(object, "next_start_seconds"),
          .tasks_done = whole(object, "tasks_done")};
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
    return failure("the supervisor's answer is not JSON; is something else listening on its socket?");
  }
  return parsed;
}

}  // namespace

Result<Sample> read_status(std::string_view bytes) {
  const Result<json> status = parse(bytes);
  if (!status) {
    return std::unexpected(status.error());
  }
  const json& workers = member(*status, "workers");
  if (!workers.is_array()) {
    return failure("the supervisor's answer lists no workers; is it of another version?");
  }
  const json& supervisor = member(*status, "supervisor");
  Sample sample{.version = text(supervisor, "version"),
                .config = text(supervisor, "config"),
                .phase = text(supervisor, "phase"),
                .pid = whole(supervisor, "pid").value_or(0),
                .uptime_seconds = number(supervisor, "uptime_seconds").value_or(0),
                .programs = member(*status, "programs").size(),
                .workers = {}};
  sample.workers.reserve(workers.size());
  for (const json& worker : workers) {
    sample.workers.push_back(read_worker(worker));
  }
  return sample;
}

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
