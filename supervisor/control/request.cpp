#include "supervisor/control/request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "common/base/signals.hpp"
#include "common/base/units.hpp"
#include "supervisor/control/matching.hpp"
#include "supervisor/control/members.hpp"
#include "supervisor/control/query.hpp"
#include "supervisor/control/request_events.hpp"

namespace corral::control {
namespace {

using Json = nlohmann::json;
using Outcome = std::expected<Wish, Refusal>;

constexpr std::size_t most_patterns = 1000;
constexpr std::size_t longest_pattern = 256;
constexpr std::uint32_t most_workers = 100'000;

std::unexpected<Refusal> refuse(int status, std::string error) { return std::unexpected(Refusal{status, std::move(error), {}}); }

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

/// What a request says beside its body.
struct Call {
  std::string_view named;  ///< What stands in the path for the {parts} of its route.
  const Asked& asked;
};

template <class Made>
Outcome just(Members& /*none*/, const Call& /*none*/) {
  return Made{};
}

template <class Made>
Outcome with_targets(Members& members, const Call& /*none*/) {
  auto targets = targets_in(members);
  return targets ? Outcome(Made{std::move(*targets)}) : std::unexpected(std::move(targets.error()));
}

Outcome one_worker(Members& /*none*/, const Call& call) { return GetWorkers{std::string(call.named)}; }

Outcome metrics_in(Members& /*none*/, const Call& call) { return GetMetrics{metrics_format(call.asked.accept)}; }

Outcome events_in(Members& /*none*/, const Call& call) { return events_of(call.asked); }

Outcome explanation_in(Members& /*none*/, const Call& call) { return GetExplanation{std::string(call.named)}; }

Outcome restart_in(Members& members, const Call& /*none*/) {
  auto targets = targets_in(members);
  const bool paced = members.has("parallel") || members.has("pause");
  const auto rolling = members.take_or<bool>("rolling", false, "true or false");
  const auto pause_text = members.take_or<std::string>("pause", "0s", "a duration such as \"2s\"");
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
  if (paced && !*rolling) {
    return refuse(400, R"('parallel' and 'pause' are for a restart with "rolling": true)");
  }
  return Restart{std::move(*targets), *rolling, parallel.get<std::uint32_t>(), *pause};
}

Outcome signal_in(Members& members, const Call& /*none*/) {
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

Outcome scale_in(Members& members, const Call& call) {
  std::string program(call.named);
  const std::optional<Json> value = members.take("workers");
  if (value && value->is_string() && value->get<std::string>() == "auto") {
    return Scale{std::move(program), core::AutoWorkers{}};
  }
  if (!value || !value->is_number_unsigned() || value->get<std::uint64_t>() < 1 || value->get<std::uint64_t>() > most_workers) {
    return refuse(400, R"('workers' is a number from 1, or "auto"; to stop all of them: POST /v1/workers/stop)");
  }
  return Scale{std::move(program), value->get<std::uint32_t>()};
}

Outcome reload_in(Members& members, const Call& /*none*/) {
  const auto plan = members.take_or<bool>("plan", false, "true or false");
  if (!plan) {
    return std::unexpected(plan.error());
  }
  const std::optional<Json> rollback = members.take("rollback");
  if (rollback && !rollback->is_boolean()) {
    return refuse(400, "'rollback' is true or false");
  }
  if (*plan && rollback) {
    return refuse(400, "'rollback' means nothing beside 'plan': a plan changes nothing");
  }
  return Reload{*plan, rollback ? std::optional(rollback->get<bool>()) : std::nullopt};
}

struct Entry {
  Route route;
  Outcome (*read)(Members&, const Call&);
};
constexpr std::array<Entry, 17> entries{{{{"GET", "/v1/status"}, just<GetStatus>},
                                         {{"GET", "/v1/programs"}, just<GetPrograms>},
                                         {{"GET", "/v1/workers"}, just<GetWorkers>},
                                         {{"GET", "/v1/workers/{program}/{index}"}, one_worker},
                                         {{"GET", "/v1/workers/{program}/{index}/explain"}, explanation_in},
                                         {{"GET", "/v1/events"}, events_in},
                                         {{"GET", "/healthz"}, just<GetHealth>},
                                         {{"GET", "/readyz"}, just<GetReadiness>},
                                         {{"GET", "/metrics"}, metrics_in},
                                         {{"POST", "/v1/workers/start"}, with_targets<Start>},
                                         {{"POST", "/v1/workers/stop"}, with_targets<Stop>},
                                         {{"POST", "/v1/workers/restart"}, restart_in},
                                         {{"POST", "/v1/workers/signal"}, signal_in},
                                         {{"POST", "/v1/programs/{program}/scale"}, scale_in},
                                         {{"POST", "/v1/reload"}, reload_in},
                                         {{"POST", "/v1/logs/reopen"}, just<ReopenLogs>},
                                         {{"POST", "/v1/shutdown"}, just<Shutdown>}}};

std::expected<Json, Refusal> object_in(const Asked& asked) {
  if (asked.body.empty()) {
    return Json::object();
  }
  if (!is_json(asked.content_type)) {
    return refuse(415, "the body is JSON: Content-Type: application/json");
  }
  // Deeper than any body of ours: it is refused before it can cost anything.
  constexpr int deepest = 8;
  std::set<std::string> names;
  std::string mistake;
  Json body = Json::parse(
      asked.body,
      [&](int depth, Json::parse_event_t event, Json& value) {
        if (depth > deepest) {
          mistake = "the body is nested too deeply";
        } else if (depth == 1 && event == Json::parse_event_t::key && !names.insert(value.get<std::string>()).second) {
          mistake = fmt::format("'{}' is said twice", value.get_ref<const std::string&>());
        }
        return mistake.empty();
      },
      false);
  if (!mistake.empty() || !body.is_object()) {
    return refuse(400, mistake.empty() ? "the body is not a JSON object" : mistake);
  }
  return body;
}

/// What every command may say: whether, and for how long, it is waited for.
std::expected<Request, Refusal> with_patience(Wish wish, Members& members) {
  const auto wait = members.take_or<bool>("wait", true, "true or false");
  const auto patience = members.take_or<std::string>("timeout", "", "a duration such as \"30s\"");
  if (!wait || !patience) {
    return std::unexpected(!wait ? wait.error() : patience.error());
  }
  Request request{std::move(wish), *wait, {}};
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

std::expected<Request, Refusal> read_body(const Entry& entry, const Call& call) {
  auto object = object_in(call.asked);
  if (!object) {
    return std::unexpected(std::move(object.error()));
  }
  Members members(std::move(*object));
  Outcome wish = entry.read(members, call);
  if (!wish) {
    return std::unexpected(std::move(wish.error()));
  }
  return with_patience(std::move(*wish), members);
}

}  // namespace

std::vector<Route> routes() {
  std::vector<Route> all;
  for (const Entry& entry : entries) {
    all.push_back(entry.route);
  }
  return all;
}

namespace {

/// "http://corral/v1/status" is what a proxy is asked, and a server has to understand it too (RFC 9112, 3.2.2). Whom it names
/// is not looked at here, as the Host is not: who asks was looked at before.
std::string_view origin_form(std::string_view target) {
  constexpr std::string_view scheme = "http://";
  if (!target.starts_with(scheme)) {
    return target;
  }
  const std::size_t path = target.find('/', scheme.size());
  return path == std::string_view::npos ? "/" : target.substr(path);
}

}  // namespace

namespace {

/// The events take parameters and look at them themselves; what others look at has to take what their probes add.
std::optional<Refusal> unknown_parameters(const Route& route, std::string_view target) {
  if (!route.path.starts_with("/v1/") || route.path == "/v1/events") {
    return std::nullopt;
  }
  const auto query = Query::read(target);
  return query ? query->left_over() : std::optional(query.error());
}

}  // namespace

std::expected<Request, Refusal> understand(const Asked& in_any_form) {
  Asked asked = in_any_form;
  asked.target = origin_form(asked.target);
  const std::string_view path = asked.target.substr(0, asked.target.find('?'));
  const std::string_view method = asked.method == "HEAD" ? "GET" : asked.method;
  const Entry* at_path = nullptr;
  for (const Entry& entry : entries) {
    const auto named = named_in(path, entry.route.path);
    if (!named) {
      continue;
    }
    at_path = &entry;
    if (entry.route.method != method) {
      continue;
    }
    if (method == "POST") {
      return read_body(entry, {*named, asked});
    }
    if (auto unknown = unknown_parameters(entry.route, asked.target)) {
      return std::unexpected(std::move(*unknown));
    }
    Members none(Json::object());
    Outcome wish = entry.read(none, {*named, asked});
    return wish ? std::expected<Request, Refusal>(Request{std::move(*wish)}) : std::unexpected(std::move(wish.error()));
  }
  if (at_path == nullptr) {
    return refuse(404, fmt::format("there is nothing at '{}'; docs/reference/openapi.json lists what there is", path));
  }
  if (at_path->route.method == "POST") {
    return std::unexpected(Refusal{405, fmt::format("'{}' changes something: it is a POST", path), "POST"});
  }
  return std::unexpected(Refusal{405, fmt::format("'{}' is only to be looked at", path), "GET, HEAD"});
}

}  // namespace corral::control
