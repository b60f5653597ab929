#include "supervisor/cli/control_commands.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>

#include "common/base/file_descriptor.hpp"
#include "common/base/suggest.hpp"
#include "common/base/units.hpp"
#include "supervisor/cli/api_client.hpp"
#include "supervisor/cli/api_connection.hpp"
#include "supervisor/cli/complaint.hpp"
#include "supervisor/cli/print.hpp"
#include "supervisor/cli/top/sample.hpp"

namespace corral::cli {
namespace {

using Json = nlohmann::json;
using namespace std::chrono_literals;

/// For what is answered at once.
constexpr Duration answer_within = 10s;
/// Beyond the patience that the supervisor itself has with a command.
constexpr Duration margin = 250ms;
constexpr Duration for_ever = std::chrono::hours(24 * 3650);

int exit_status_of(const Change& change, int http, const Json& reply) {
  if (http < 300) {
    // A signal that reached nobody: who sent it waits for something that will not come.
    const bool nobody = change.kind == Change::Kind::signal && reply.is_object() && reply.value("workers", std::uint64_t{0}) == 0;
    return nobody ? not_so : 0;
  }
  constexpr int timeout = 504;
  constexpr std::array refusals{400, 403, 404, 405, 413, 415, 422, 431};
  return http == timeout ? took_too_long : std::ranges::find(refusals, http) != refusals.end() ? refused : not_so;
}

struct Route {
  std::string target;
  Json body = Json::object();
};

std::vector<Route> routes_of(const Change& change) {
  using enum Change::Kind;
  std::vector<Route> routes;
  switch (change.kind) {
    case start: routes.push_back({"/v1/workers/start", {{"targets", change.targets}}}); break;
    case stop: routes.push_back({"/v1/workers/stop", {{"targets", change.targets}}}); break;
    case restart: routes.push_back({"/v1/workers/restart", {{"targets", change.targets}}}); break;
    case signal: routes.push_back({"/v1/workers/signal", {{"targets", change.targets}, {"signal", change.signal}}}); break;
    case reload:
      routes.push_back({"/v1/reload", {{"plan", change.plan}}});
      if (change.rollback) {
        routes.back().body["rollback"] = *change.rollback;
      }
      break;
    case reopen_logs: routes.push_back({"/v1/logs/reopen"}); break;
    case shutdown: routes.push_back({"/v1/shutdown"}); break;
    case scale:
      for (const auto& [program, workers] : change.scales) {
        const auto* count = std::get_if<std::uint32_t>(&workers);
        routes.push_back({"/v1/programs/" + program + "/scale", {{"workers", count != nullptr ? Json(*count) : Json("auto")}}});
      }
      break;
  }
  for (Route& route : routes) {
    if (change.rolling) {
      route.body["rolling"] = true;
      route.body["parallel"] = change.parallel;
      if (change.pause) {
        route.body["pause"] = format_duration(*change.pause);
      }
    }
    if (!change.wait) {
      route.body["wait"] = false;
    }
    if (change.timeout) {
      route.body["timeout"] = format_duration(*change.timeout);
    }
  }
  return routes;
}

std::string plan_text(const Json& reply) {
  std::string text;
  for (const Json& one : reply.value("plan", Json::array())) {
    text += fmt::format("{:<8} {:<20} {}\n", one.value("does", ""), one.value("worker", ""), one.value("why", ""));
  }
  return text.empty() ? "nothing would happen\n" : text;
}

std::string done_text(const Change& change, const Json& reply) {
  using enum Change::Kind;
  if (change.kind == reload && change.plan) {
    return plan_text(reply);
  }
  if (reply.value("result", "") == "accepted") {
    return "under way\n";
  }
  const auto workers = reply.value("workers", std::uint64_t{0});
  const std::string counted = fmt::format("{} worker{}", workers, workers == 1 ? "" : "s");
  switch (change.kind) {
    case start: return counted + (workers == 1 ? " runs\n" : " run\n");
    case stop: return counted + (workers == 1 ? " is down\n" : " are down\n");
    case restart: return counted + " restarted\n";
    case signal: return workers == 0 ? "sent to nobody: none of them has a process\n" : "sent to " + counted + "\n";
    case scale: return counted + " changed\n";
    case reload: return workers == 0 ? "reloaded; no worker had to change\n" : "reloaded; " + counted + " changed\n";
    case reopen_logs:
    case shutdown: return {};
  }
  return {};
}

/// It ends: whether it has, within `patience`.
bool await_end(std::int32_t pid, Duration patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  const FileDescriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  pollfd watched{process.get(), POLLIN, 0};
  while (::kill(pid, 0) == 0 || errno == EPERM) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    if (left <= 0) {
      return false;
    }
    // Without a pidfd (an old kernel) it is looked at again and again.
    constexpr std::int64_t between_looks = 50;
    constexpr std::int64_t an_hour = 3'600'000;
    if (::poll(&watched, process ? 1 : 0, static_cast<int>(std::min(left, process ? an_hour : between_looks))) == 1) {
      return true;
    }
  }
  return true;
}

int await_shutdown(const Change& change, std::int32_t pid) {
  if (!change.wait || pid <= 0 || await_end(pid, change.timeout.value_or(for_ever))) {
    return 0;
  }
  tell(fmt::format("corral: it has not ended within {}; it goes on stopping\n",
                   describe_duration(change.timeout.value_or(for_ever))));
  return took_too_long;
}

/// Several programs are scaled one after another: that there are all of them is known before the first.
std::optional<std::string> unknown_program(const process::Instance& instance, const Change& change) {
  const Result<Reply> reply = ask(instance, {"GET", "/v1/programs"}, answer_within);
  const Json body = reply && reply->status == 200 ? Json::parse(reply->body, nullptr, false) : Json();
  if (!body.is_object()) {
    return std::nullopt;  // The first of them will say what is wrong.
  }
  std::vector<std::string> owned;
  for (const Json& program : body.value("programs", Json::array())) {
    owned.push_back(program.value("program", ""));
  }
  for (const auto& [name, workers] : change.scales) {
    if (std::ranges::find(owned, name) == owned.end()) {
      const std::string_view near = nearest(name, std::vector<std::string_view>(owned.begin(), owned.end()));
      return fmt::format("there is no program '{}', and nothing was changed{}", name,
                         near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
    }
  }
  return std::nullopt;
}

}  // namespace

int complain_of(const Reply& reply) {
  complain(top::read_error(reply.body, reply.status));
  return reply.status < 500 ? refused : nobody_answers;
}

int change(const Change& change) {
  const Result<process::Instance> instance = find_supervisor(change.whose);
  if (!instance) {
    complain(instance.error());
    return nobody_answers;
  }
  if (const auto unknown = change.scales.size() > 1 ? unknown_program(*instance, change) : std::nullopt) {
    return change.json ? deliver(Json{{"error", *unknown}}.dump() + "\n", refused) : complain(*unknown);
  }
  std::size_t changed = 0;
  const bool ends = change.kind == Change::Kind::shutdown;
  // One in a PID namespace of its own has noted the number that it has there.
  const std::int32_t listener = ends ? listener_of(instance->socket) : 0;
  const std::int32_t pid = listener != 0 ? listener : instance->pid;
  for (const Route& route : routes_of(change)) {
    const Duration patience = !change.wait ? answer_within : change.timeout ? *change.timeout + margin : for_ever;
    const Result<Reply> reply = ask(*instance, {"POST", route.target, route.body.dump()}, patience);
    if (!reply && reply.error().error_number == ETIMEDOUT) {
      complain(reply.error().message + " (is it stopped?); it may do what it was told later");
      return change.wait && change.timeout ? took_too_long : nobody_answers;
    }
    if (!reply) {
      complain(reply.error());
      return nobody_answers;
    }
    const Json body = Json::parse(reply->body, nullptr, false);
    const int status = exit_status_of(change, reply->status, body);
    if (change.json) {
      if (const int printed = deliver(reply->body, status); printed != status) {
        return printed;
      }
    } else if (reply->status >= 300) {
      const std::string before =
          changed == 0 ? "" : fmt::format("; what was named before '{}' is scaled", change.scales[changed].first);
      complain(top::read_error(reply->body, reply->status) + before);  // It may quote what a stranger wrote.
    } else if (body.is_object()) {
      const std::string of = change.scales.size() > 1 ? change.scales[changed].first + ": " : "";
      if (const int printed = deliver(of + done_text(change, body), status); printed != status) {
        return printed;
      }
    }
    if (status != 0) {
      return status;
    }
    ++changed;
  }
  return ends ? await_shutdown(change, pid) : 0;
}

}  // namespace corral::cli
