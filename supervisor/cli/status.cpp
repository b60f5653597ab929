// `corral status`: a table of workers, or of supervisors.
#include <fmt/format.h>
#include <fnmatch.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "common/base/text.hpp"
#include "supervisor/cli/api_client.hpp"
#include "supervisor/cli/complaint.hpp"
#include "supervisor/cli/control_commands.hpp"
#include "supervisor/cli/print.hpp"
#include "supervisor/cli/status.hpp"
#include "supervisor/cli/table.hpp"
#include "supervisor/cli/top/quantities.hpp"
#include "supervisor/cli/top/sample.hpp"

namespace corral::cli {
namespace {

using Json = nlohmann::json;
using namespace std::chrono_literals;

constexpr Duration status_within = 10s;
/// Each of all: one that stands still does not keep the others waiting.
constexpr Duration listed_within = 1s;

/// The colour of a line that says that, if any.
std::string_view colour_of(std::string_view state) {
  return state == "running" || state == "exited" ? "" : state == "failed" ? "\033[31m" : "\033[33m";
}

bool is_meant(const top::WorkerSample& worker, const std::vector<std::string>& patterns) {
  return patterns.empty() || std::ranges::any_of(patterns, [&](const std::string& pattern) {
           const std::string& name = pattern.find('/') == std::string::npos ? worker.program : worker.name;
           return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
         });
}

std::string state_of(const top::WorkerSample& worker) {
  if (worker.state == "backoff" && worker.next_start_seconds) {
    return fmt::format("backoff, {} left", top::short_time(*worker.next_start_seconds));
  }
  return worker.state;
}

/// Of one core, over the whole life of the process.
std::string cpu_of(const top::WorkerSample& worker) {
  if (!worker.cpu_seconds || !worker.uptime_seconds || *worker.uptime_seconds <= 0) {
    return "-";
  }
  return top::short_share(std::min(*worker.cpu_seconds / *worker.uptime_seconds, 1000.0)) + "%";
}

/// "812, 40/s": the average of the life of its process.
std::string tasks_of(const top::WorkerSample& worker) {
  if (!worker.tasks_done) {
    return "-";
  }
  const bool lives = worker.uptime_seconds && *worker.uptime_seconds > 0;
  return lives ? fmt::format("{}, {}/s", *worker.tasks_done,
                             top::short_rate(static_cast<double>(*worker.tasks_done) / *worker.uptime_seconds))
               : std::to_string(*worker.tasks_done);
}

std::string workers_table(const top::Sample& sample, const StatusOptions& options, bool colour) {
  const bool tasks =
      std::ranges::any_of(sample.workers, [](const top::WorkerSample& worker) { return worker.tasks_done.has_value(); });
  std::vector<Column> columns{Column::text,   Column::text,   Column::number, Column::text,
                              Column::number, Column::number, Column::number, Column::number};
  columns.resize(columns.size() + (tasks ? 1 : 0), Column::number);
  Table table(std::move(columns));
  table.add({"WORKER", "STATE", "PID", "CORES", "UPTIME", "RESTARTS", "CPU", "MEMORY"});
  if (tasks) {
    table.add("TASKS");
  }
  std::vector<std::string_view> colours{""};
  for (const top::WorkerSample& worker : sample.workers) {
    if (!is_meant(worker, options.targets)) {
      continue;
    }
    table.add({worker.name, state_of(worker), worker.pid ? std::to_string(*worker.pid) : "-",
               worker.cores.empty() ? "any" : worker.cores, worker.uptime_seconds ? top::short_time(*worker.uptime_seconds) : "-",
               std::to_string(worker.restarts), cpu_of(worker),
               worker.memory_bytes ? top::short_size(*worker.memory_bytes) : "-"});
    if (tasks) {
      table.add(tasks_of(worker));
    }
    colours.push_back(colour ? colour_of(worker.state) : "");
  }
  std::string text = sample.phase == "running" ? "" : "the supervisor is stopping\n";
  for (std::size_t row = 0; row < table.rows(); ++row) {
    text += colours[row];
    table.append_row(text, row);
    text += colours[row].empty() ? "\n" : "\033[0m\n";
  }
  return text;
}

/// Otherwise the exit status: what is wrong has been said.
std::expected<std::pair<top::Sample, std::string>, int> sample_of(const process::Instance& server,
                                                                  const std::vector<std::string>& patterns) {
  Result<Reply> reply = ask(server, {"GET", "/v1/status"}, status_within);
  if (!reply) {
    complain(reply.error());
    return std::unexpected(nobody_answers);
  }
  if (reply->status != 200) {
    return std::unexpected(complain_of(*reply));
  }
  Result<top::Sample> sample = top::read_status(reply->body);
  if (!sample) {
    complain(sample.error());
    return std::unexpected(nobody_answers);
  }
  for (const std::string& pattern : patterns) {
    if (std::ranges::none_of(sample->workers, [&](const top::WorkerSample& one) { return is_meant(one, {pattern}); })) {
      complain(fmt::format("'{}' is no worker and no program of this supervisor", pattern));
      return std::unexpected(refused);
    }
  }
  return std::pair(std::move(*sample), std::move(reply->body));
}

struct Look {
  std::string text;
  int status = 0;
};

Look look(const process::Instance& instance, const StatusOptions& options, bool colour) {
  const auto seen = sample_of(instance, options.targets);
  if (!seen) {
    return {{}, seen.error()};
  }
  const auto& [sample, body] = *seen;
  const bool ready = std::ranges::all_of(sample.workers, [&](const top::WorkerSample& worker) {
    return !is_meant(worker, options.targets) || worker.state == "running" || worker.state == "exited" ||
           (worker.state == "stopped" && !worker.wanted_up);
  });
  const int status = options.ready && !(ready && sample.phase == "running") ? not_so : 0;
  if (!options.json) {
    return {workers_table(sample, options, colour), status};
  }
  if (options.targets.empty()) {
    return {body, status};
  }
  Json document = Json::parse(body);
  Json& workers = document["workers"];
  for (std::size_t i = sample.workers.size(); i-- > 0;) {
    if (!is_meant(sample.workers[i], options.targets)) {
      workers.erase(i);
    }
  }
  return {document.dump() + "\n", status};
}

bool is_asked_for(const std::string& name, const std::vector<std::string>& patterns) {
  return patterns.empty() || std::ranges::any_of(patterns, [&](const std::string& pattern) {
           return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
         });
}

int list_supervisors(const StatusOptions& options) {
  std::vector<process::Instance> instances = process::running_instances();
  for (const std::string& pattern : options.targets) {
    if (std::ranges::none_of(instances, [&](const auto& one) { return is_asked_for(shown_name(one), {pattern}); })) {
      complain(fmt::format("no supervisor of yours with the name '{}' runs", pattern));
      return nobody_answers;
    }
  }
  std::erase_if(instances, [&](const auto& one) { return !is_asked_for(shown_name(one), options.targets); });
  Table table({Column::text, Column::number, Column::number, Column::number, Column::text, Column::text});
  table.add({"NAME", "PID", "WORKERS", "RUNNING", "CONFIG", "SOCKET"});
  Json list = Json::array();
  for (const process::Instance& instance : instances) {
    const Result<Reply> reply = instance.socket.empty() ? failure("") : ask(instance, {"GET", "/v1/status"}, listed_within);
    const Result<top::Sample> sample = sample_in(reply);
    const auto running = sample ? std::ranges::count(sample->workers, "running",
                                                     [](const top::WorkerSample& one) { return std::string_view(one.state); })
                                : 0;
    const std::string name = shown_name(instance);
    table.add({name, std::to_string(instance.pid), sample ? std::to_string(sample->workers.size()) : "?",
               sample ? std::to_string(running) : "?", instance.config, instance.socket.empty() ? "-" : instance.socket});
    list.push_back({{"name", name},
                    {"pid", instance.pid},
                    {"workers", sample ? Json(sample->workers.size()) : Json(nullptr)},
                    {"running", sample ? Json(running) : Json(nullptr)},
                    {"config", instance.config},
                    {"socket", instance.socket.empty() ? Json(nullptr) : Json(instance.socket)}});
  }
  if (options.json) {
    return deliver(list.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n", 0);
  }
  return deliver(table.rows() == 1 ? "no supervisor of yours runs\n" : table.text(), 0);
}

}  // namespace

Result<top::Sample> sample_in(const Result<Reply>& reply) {
  if (!reply) {
    return std::unexpected(reply.error());
  }
  return reply->status == 200 ? top::read_status(reply->body) : failure(top::read_error(reply->body, reply->status));
}

std::expected<Meant, int> workers_meant(const process::Instance& server, const std::vector<std::string>& patterns) {
  const auto seen = sample_of(server, patterns);
  if (!seen) {
    return std::unexpected(seen.error());
  }
  const auto& [sample, body] = *seen;
  Meant meant;
  for (const top::WorkerSample& worker : sample.workers) {
    if (is_meant(worker, patterns)) {
      meant.names.push_back(worker.name);
    }
  }
  const Json document = Json::parse(body, nullptr, false);
  meant.config = document.value(Json::json_pointer("/supervisor/config"), std::string());
  return meant;
}

int status(const StatusOptions& options) {
  if (options.all) {
    return list_supervisors(options);
  }
  const Result<process::Instance> instance = find_supervisor(options.whose);
  if (!instance) {
    complain(instance.error());
    return nobody_answers;
  }
  const bool colour = wants_colour(options.colour, STDOUT_FILENO);
  const bool clears = options.watch && ::isatty(STDOUT_FILENO) != 0 && !options.json;
  for (;;) {
    const Look seen = look(*instance, options, colour);
    const int status = deliver((clears ? "\033[H\033[2J" : "") + seen.text, seen.status);
    if (!options.watch || seen.text.empty() || status != seen.status) {
      return status;
    }
    constexpr std::int64_t longest = 1'000'000'000;
    ::poll(nullptr, 0, static_cast<int>(std::min(std::chrono::ceil<std::chrono::milliseconds>(*options.watch).count(), longest)));
  }
}

}  // namespace corral::cli
