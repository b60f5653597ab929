#include "supervisor/control/request.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <functional>
#include <nlohmann/json.hpp>

#include "common/base/signals.hpp"
#include "common/base/suggest.hpp"
#include "common/base/units.hpp"

namespace corral::control {
namespace {

using Json = nlohmann::json;
using Outcome = std::expected<Wish, Refusal>;

constexpr std::size_t most_patterns = 1000;
constexpr std::size_t longest_pattern = 256;
constexpr std::uint32_t most_workers = 100'000;

std::unexpected<Refusal> refuse(int status, std::string error) { return std::unexpected(Refusal{status, std::move(error), {}}); }

/// What the members of a body say, each taken once: one that nobody has taken is a mistake.
class Members {
 public:
  explicit Members(Json object) : object_(std::move(object)) {}

  std::optional<Json> take(const char* name) {
    known_.emplace_back(name);
    const auto found = object_.find(name);
    if (found == object_.end()) {
      return std::nullopt;
    }
    Json value = std::move(*found);
    object_.erase(found);
    return value;
  }

  template <class T>
  std::expected<T, Refusal> take_or(const char* name, T otherwise, const char* what) {
    const std::optional<Json> value = take(name);
    if (!value) {
      return otherwise;
    }
    const bool fits = std::is_same_v<T, bool> ? value->is_boolean() : value->is_string();
    if (!fits) {
      return refuse(400, fmt::format("'{}' is {}", name, what));
    }
    return value->template get<T>();
  }

  [[nodiscard]] std::optional<Refusal> left_over() const {
    if (object_.empty()) {
      return std::nullopt;
    }
    const std::string& name = object_.items().begin().key();
    const std::string_view near = nearest(name, std::vector<std::string_view>(known_.begin(), known_.end()));
    return Refusal{
        400, fmt::format("there is no '{}' here{}", name, near.empty() ? "" : fmt::format("; did you mean '{}'?", near)), {}};
  }

 private:
  Json object_;
  std::vector<std::string> known_;
};

std::expected<Duration, Refusal> duration_in(const std::string& text, const char* name) {
  const Result<Duration> duration = parse_duration(text);
  if (!duration) {
    return refuse(400, fmt::format("'{}' is a duration such as \"30s\": {}", name, duration.error().message));
  }
  return *duration;
}

std::expected<Patterns, Refusal> targets_in(Members& members) {
  const std::optional<Json> value = members.take("targets");
  if (!value || !value->is_array() || value->empty() || value->size() > most_patterns) {
    return refuse(400, R"('targets' is a list of workers, programs or patterns, such as ["crunch/0", "web", "*"])");
  }
  Patterns patterns;
  for (const Json& pattern : *value) {
    if (!pattern.is_string() || pattern.get_ref<const std::string&>().size() > longest_pattern) {
      return refuse(400, "each of 'targets' is a short string");
    }
    patterns.push_back(pattern.get<std::string>());
  }
  return patterns;
}

template <class Made>
Outcome with_targets(Members& members) {
  auto targets = targets_in(members);
  return targets ? Outcome(Made{std::move(*targets)}) : std::unexpected(std::move(targets.error()));
}

Outcome restart_in(Members& members) {
  auto targets = targets_in(members);
  const auto rolling = members.take_or<bool>("rolling", false, "true or false");
  const auto pause_text = members.take_or<std::string>("pause", "1s", "a duration such as \"2s\"");
  const Json parallel = members.take("parallel").value_or(Json(1U));
  if (!targets || !rolling || !pause_text) {
    return std::unexpected(!targets ? targets.error() : !rolling ? rolling.error() : pause_text.error());
  }
  const auto pause = duration_in(*pause_text, "pause");
  if (!pause) {
    return std::unexpected(pause.error());
  }
  if (!parallel.is_number_unsigned() || parallel.get<std::uint64_t>() < 1 || parallel.get<std::uint64_t>() > most_workers) {
    return refuse(400, "'parallel' is a number from 1");
  }
  return Restart{std::move(*targets), *rolling, parallel.get<std::uint32_t>(), *pause};
}

Outcome signal_in(Members& members) {
  auto targets = targets_in(members);
  if (!targets) {
    return std::unexpected(std::move(targets.error()));
  }
  const std::optional<Json> value = members.take("signal");
  const std::optional<int> signal = value && value->is_string()            ? parse_signal(value->get<std::string>())
                                    : value && value->is_number_unsigned() ? parse_signal(value->dump())
                                                                           : std::nullopt;
  if (!signal) {
    return refuse(400, R"('signal' is a name such as "USR1", or a number)");
  }
  return Signal{std::move(*targets), *signal};
}

Outcome scale_in(Members& members, std::string program) {
  const std::optional<Json> value = members.take("workers");
  if (value && value->is_string() && value->get<std::string>() == "auto") {
    return Scale{std::move(program), core::AutoWorkers{}};
  }
  if (!value || !value->is_number_unsigned() || value->get<std::uint64_t>() < 1 || value->get<std::uint64_t>() > most_workers) {
    return refuse(400, R"('workers' is a number from 1, or "auto"; to stop all of them: POST /v1/workers/stop)");
  }
  return Scale{std::move(program), value->get<std::uint32_t>()};
}

Outcome reload_in(Members& members) {
  const auto plan = members.take_or<bool>("plan", false, "true or false");
  return plan ? Outcome(Reload{*plan}) : std::unexpected(plan.error());
}

struct PostRoute {
  std::string_view path;
  Outcome (*read)(Members&);
};
constexpr std::array<PostRoute, 6> post_routes{{{"/v1/workers/start", with_targets<Start>},
                                                {"/v1/workers/stop", with_targets<Stop>},
                                                {"/v1/workers/restart", restart_in},
                                                {"/v1/workers/signal", signal_in},
                                                {"/v1/reload", reload_in},
                                                {"/v1/shutdown", [](Members&) { return Outcome(Shutdown{}); }}}};
constexpr std::string_view programs_path = "/v1/programs/";
constexpr std::string_view scale_path = "/scale";
constexpr std::string_view workers_path = "/v1/workers/";

/// "/v1/programs/crunch/scale": crunch.
std::optional<std::string> scaled_program(std::string_view path) {
  if (!path.starts_with(programs_path) || !path.ends_with(scale_path) ||
      path.size() <= programs_path.size() + scale_path.size()) {
    return std::nullopt;
  }
  path.remove_prefix(programs_path.size());
  path.remove_suffix(scale_path.size());
  return path.find('/') == std::string_view::npos ? std::optional(std::string(path)) : std::nullopt;
}

std::expected<Json, Refusal> object_in(const Asked& asked) {
  if (asked.body.empty()) {
    return Json::object();
  }
  if (!asked.content_type.starts_with("application/json")) {
    return refuse(415, "the body is JSON: Content-Type: application/json");
  }
  // Deeper than any body of ours: it is refused before it can cost anything.
  constexpr int deepest = 8;
  bool too_deep = false;
  Json body = Json::parse(
      asked.body,
      [&](int depth, Json::parse_event_t, Json&) {
        too_deep = too_deep || depth > deepest;
        return !too_deep;
      },
      false);
  if (too_deep || !body.is_object()) {
    return refuse(400, "the body is not a JSON object");
  }
  return body;
}

std::expected<Request, Refusal> understand_post(const Asked& asked, std::string_view path) {
  const auto route = std::ranges::find(post_routes, path, &PostRoute::path);
  std::optional<std::string> scaled = scaled_program(path);
  if (route == post_routes.end() && !scaled) {
    return refuse(404, fmt::format("there is nothing to POST to at '{}'; docs/reference/openapi.json lists what there is", path));
  }
  auto object = object_in(asked);
  if (!object) {
    return std::unexpected(std::move(object.error()));
  }
  Members members(std::move(*object));
  Outcome wish = scaled ? scale_in(members, std::move(*scaled)) : route->read(members);
  if (!wish) {
    return std::unexpected(std::move(wish.error()));
  }
  const auto wait = members.take_or<bool>("wait", true, "true or false");
  const auto patience = members.take_or<std::string>("timeout", "", "a duration such as \"30s\"");
  if (!wait || !patience) {
    return std::unexpected(!wait ? wait.error() : patience.error());
  }
  Request request{std::move(*wish), *wait, {}};
  if (!patience->empty()) {
    const auto duration = duration_in(*patience, "timeout");
    if (!duration) {
      return std::unexpected(duration.error());
    }
    request.patience = *duration;
  }
  if (auto unknown = members.left_over()) {
    return std::unexpected(std::move(*unknown));
  }
  return request;
}

std::expected<Request, Refusal> understand_get(std::string_view path, std::string_view accept) {
  if (path == "/v1/status") return Request{GetStatus{}};
  if (path == "/v1/programs") return Request{GetPrograms{}};
  if (path == "/v1/workers") return Request{GetWorkers{}};
  if (path == "/metrics") return Request{GetMetrics{metrics_format(accept)}};
  if (path == "/healthz") return Request{GetHealth{}};
  if (path == "/readyz") return Request{GetReadiness{}};
  if (path.starts_with(workers_path) && path.size() > workers_path.size()) {
    return Request{GetWorkers{std::string(path.substr(workers_path.size()))}};
  }
  return refuse(404, fmt::format("there is nothing at '{}'; docs/reference/openapi.json lists what there is", path));
}

}  // namespace

std::expected<Request, Refusal> understand(const Asked& asked) {
  const std::string_view path = asked.target.substr(0, asked.target.find('?'));
  const bool is_post = std::ranges::find(post_routes, path, &PostRoute::path) != post_routes.end() || scaled_program(path);
  if (asked.method == "GET" || asked.method == "HEAD") {
    if (is_post) {
      return std::unexpected(Refusal{405, fmt::format("'{}' changes something: it is a POST", path), "POST"});
    }
    return understand_get(path, asked.accept);
  }
  if (asked.method != "POST") {
    return std::unexpected(Refusal{405, fmt::format("'{}' is not done here", asked.method), is_post ? "POST" : "GET, HEAD"});
  }
  if (!is_post && understand_get(path, {})) {
    return std::unexpected(Refusal{405, fmt::format("'{}' is only to be looked at", path), "GET, HEAD"});
  }
  return understand_post(asked, path);
}

std::expected<std::vector<WorkerId>, Refusal> resolve(const Patterns& patterns, const View& view) {
  std::vector<bool> meant(patterns.size());
  std::vector<WorkerId> workers;
  for (const ProgramView& program : view.programs) {
    for (const WorkerView& worker : program.workers) {
      bool wanted = false;
      for (std::size_t i = 0; i < patterns.size(); ++i) {
        const std::string& pattern = patterns[i];
        const std::string& name = pattern.find('/') == std::string::npos ? program.name : worker.name;
        if (pattern == name || ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0) {
          wanted = meant[i] = true;
        }
      }
      if (wanted) {
        workers.push_back({program.id, worker.state.index});
      }
    }
  }
  const auto nobody = std::ranges::find(meant, false);
  if (nobody == meant.end()) {
    return workers;
  }
  const std::string& pattern = patterns[static_cast<std::size_t>(nobody - meant.begin())];
  std::vector<std::string_view> names;
  for (const ProgramView& program : view.programs) {
    names.emplace_back(program.name);
  }
  const std::string_view near = nearest(std::string_view(pattern).substr(0, pattern.find('/')), names);
  return refuse(
      404,
      fmt::format("'{}' is no worker and no program of this configuration{}", pattern,
                  near.empty() || near == pattern.substr(0, pattern.find('/')) ? "" : fmt::format("; did you mean '{}'?", near)));
}

}  // namespace corral::control
