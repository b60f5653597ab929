// What a client asks, understood or refused; and which workers it means.
//
// A table of routes, and nothing else, leads from the text of a request to what is done: no name of ours can be reached by
// way of a client's text. Pure: text in, values out.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/instant.hpp"
#include "supervisor/control/metrics_format.hpp"
#include "supervisor/control/view.hpp"
#include "supervisor/core/spec.hpp"

namespace corral::control {

/// Of HTTP, as far as it matters here.
struct Asked {
  std::string_view method;  ///< GET, HEAD, POST, …
  std::string_view target;  ///< "/v1/workers/crunch/0?wait=false"
  std::string_view content_type;
  std::string_view body;
  std::string_view accept{};
  std::string_view last_event_id{};  ///< Of a reader that comes back to a stream.
};

/// Patterns of workers: `crunch` and `crunch/*` are all of a program, `*` is everything.
using Patterns = std::vector<std::string>;

struct GetStatus {};
struct GetPrograms {};
struct GetWorkers {
  std::string name;  ///< One; empty: all.
};
/// The supervisor answers at all.
struct GetHealth {};
/// Every worker that is wanted runs.
struct GetReadiness {};

struct GetMetrics {
  MetricsFormat format = MetricsFormat::prometheus;
};

/// What has happened, and with `follow` what happens from now on.
struct GetEvents {
  Patterns whom;                        ///< Empty: everybody, and what concerns no one in particular.
  std::vector<std::string> events;      ///< By name; empty: all.
  std::optional<std::uint64_t> most{};  ///< The latest so many. Not of what follows.
  std::optional<std::uint64_t> after{};
  bool follow = false;
};
/// Why a worker is what it is, and what comes next.
struct GetExplanation {
  std::string worker;
};

struct Start {
  Patterns targets;
};
struct Stop {
  Patterns targets;
};
struct Restart {
  Patterns targets;
  bool rolling = false;
  std::uint32_t parallel = 1;
  Duration pause{};
};
struct Signal {
  Patterns targets;
  int signal = 0;
};
struct Scale {
  std::string program;
  core::WorkerCount workers;
};
struct Reload {
  bool plan = false;               ///< Only say what would happen.
  std::optional<bool> rollback{};  ///< Unless it holds; nothing: as the configuration says.
};
/// Log files are opened anew under their names.
struct ReopenLogs {};
struct Shutdown {};

using Wish = std::variant<GetStatus, GetPrograms, GetWorkers, GetHealth, GetReadiness, GetMetrics, GetEvents, GetExplanation,
                          Start, Stop, Restart, Signal, Scale, Reload, ReopenLogs, Shutdown>;

struct Request {
  Wish wish;
  bool wait = true;                    ///< For it to be true.
  std::optional<Duration> patience{};  ///< Not longer than this.
};

struct Refusal {
  int status = 400;
  std::string error;  ///< One sentence for people.
  std::string allow;  ///< With 405: the methods that there are.
};

[[nodiscard]] std::expected<Request, Refusal> understand(const Asked& asked);

struct Route {
  std::string_view method;
  std::string_view path;  ///< "/v1/programs/{program}/scale"
};
/// All that there are; HEAD is understood wherever GET is.
[[nodiscard]] std::vector<Route> routes();

/// The workers that the patterns mean, in the order of the view and each once. A pattern that means nobody is refused.
[[nodiscard]] std::expected<std::vector<WorkerId>, Refusal> resolve(const Patterns& patterns, const View& view);
/// 404 where there is no program of that name: no pattern.
[[nodiscard]] std::optional<Refusal> refuse_unknown(std::string_view program, const View& view);
/// "; did you mean 'crunch'?", for a name or a worker's name of a program that there is not; or nothing.
[[nodiscard]] std::string suggestion(std::string_view name, const View& view);

}  // namespace corral::control
