#include "supervisor/control/reply.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "common/base/text.hpp"
#include "common/base/units.hpp"

namespace corral::control {
namespace {

using Document = nlohmann::ordered_json;
using core::StateKind;

double seconds(Duration duration) {
  constexpr double thousand = 1000;
  return static_cast<double>(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()) / thousand;
}

/// Never throws for text that is not UTF-8: a name of ours is, and a path need not be.
Reply reply(int status, const Document& document) {
  return {status, document.dump(-1, ' ', false, Document::error_handler_t::replace) + "\n", "application/json", {}};
}

Reply in_error(int status, std::string_view error) { return reply(status, Document{{"error", error}}); }

std::string_view phase_name(core::Phase phase) {
  switch (phase) {
    case core::Phase::running: return "running";
    case core::Phase::stopping: return "stopping";
    case core::Phase::sweeping: return "sweeping";
    case core::Phase::done: return "done";
  }
  return "?";
}

/// Text as it is: a thousand workers are asked for again and again, and a document of them costs ten times its text.
void append(std::string& out, const ProgramView& program, const WorkerView& worker, Instant now) {
  const core::WorkerSnapshot& state = worker.state;
  const auto text = [&](std::string_view key, std::string_view value) {
    out += key;
    append_json_string(out, value);
  };
  const auto value = [&](std::string_view key, auto number) {
    out += key;
    if constexpr (std::is_integral_v<decltype(number)>) {
      const fmt::format_int digits(number);
      out.append(digits.data(), digits.size());
    } else {
      fmt::format_to(std::back_inserter(out), "{}", number);
    }
  };
  const auto maybe = [&](std::string_view key, const auto& number) {
    if (number) {
      value(key, *number);
    } else {
      out += key;
      out += "null";
    }
  };
  const bool lives = state.pid != 0;
  const auto* backoff = std::get_if<core::Backoff>(&state.state);
  const auto now_or_never = [](bool there, auto made) { return there ? std::optional(made) : std::nullopt; };
  text(R"({"worker":)", worker.name);
  text(R"(,"program":)", program.name);
  value(R"(,"index":)", state.index);
  text(R"(,"state":)", core::name(core::kind(state.state)));
  text(R"(,"wanted":)", state.wanted_up ? "up" : "down");
  maybe(R"(,"pid":)", now_or_never(lives, state.pid));
  value(R"(,"incarnation":)", number(state.incarnation));
  if (worker.cores.empty()) {
    out += R"(,"cores":null)";
  } else {
    text(R"(,"cores":)", worker.cores);
  }
  maybe(R"(,"uptime_seconds":)", now_or_never(lives, seconds(now - state.launched_at)));
  value(R"(,"restarts":)", state.restarts);
  maybe(R"(,"cpu_seconds":)", worker.measure ? std::optional(worker.measure->cpu_seconds) : std::nullopt);
  maybe(R"(,"memory_bytes":)", worker.measure ? std::optional(worker.measure->memory_bytes) : std::nullopt);
  const Duration waits = backoff != nullptr ? std::max(backoff->until - now, Duration::zero()) : Duration::zero();
  maybe(R"(,"next_start_seconds":)", now_or_never(backoff != nullptr, seconds(waits)));
  maybe(R"(,"tasks_done":)", program.tasks ? std::optional(program.tasks->done) : std::nullopt);
  out += '}';
}

/// The state of a program is that of its worst worker, as far as anybody is to look into it.
std::string_view state_of(const ProgramView& program) {
  if (program.failed) {
    return "failed";
  }
  for (const StateKind kind :
       {StateKind::failed, StateKind::backoff, StateKind::killing, StateKind::stopping, StateKind::draining, StateKind::starting,
        StateKind::waiting, StateKind::running, StateKind::stopped}) {
    if (std::ranges::any_of(program.workers,
                            [kind](const WorkerView& worker) { return core::kind(worker.state.state) == kind; })) {
      return core::name(kind);
    }
  }
  return "exited";
}

Document describe(const core::TaskCounts& tasks) {
  return {{"accepted", tasks.accepted}, {"queued", tasks.queued},       {"in_work", tasks.in_work},
          {"done", tasks.done},         {"failed", tasks.failed},       {"quarantined", tasks.quarantined},
          {"left", tasks.left},         {"cancelled", tasks.cancelled}, {"retries", tasks.retries}};
}

Document describe(const ProgramView& program) {
  const auto running = std::ranges::count_if(
      program.workers, [](const WorkerView& worker) { return core::kind(worker.state.state) == StateKind::running; });
  return {{"program", program.name},           {"state", state_of(program)},
          {"workers", program.workers.size()}, {"running", running},
          {"failed", program.failed},          {"tasks", program.tasks ? describe(*program.tasks) : Document(nullptr)}};
}

Document all_programs(const View& view) {
  Document list = Document::array();
  for (const ProgramView& program : view.programs) {
    list.push_back(describe(program));
  }
  return list;
}

/// As the last member of an object that `document` is without it.
Reply with_workers(const Document& document, const View& view) {
  Reply made = reply(200, document);
  std::string& out = made.body;
  out.resize(out.rfind('}'));
  out += out.size() > 1 ? R"(,"workers":[)" : R"("workers":[)";
  const std::size_t first = out.size();
  for (const ProgramView& program : view.programs) {
    for (const WorkerView& worker : program.workers) {
      out += out.size() > first ? "," : "";
      append(out, program, worker, view.now);
    }
  }
  out += "]}\n";
  return made;
}

}  // namespace

Reply refusal(const Refusal& refusal) {
  Reply made = in_error(refusal.status, refusal.error);
  made.allow = refusal.allow;
  return made;
}

Reply status(const View& view) {
  const SupervisorView& own = view.supervisor;
  return with_workers({{"supervisor",
                        {{"pid", own.pid},
                         {"version", CORRAL_VERSION},
                         {"config", own.config},
                         {"uptime_seconds", seconds(view.now - own.started_at)},
                         {"phase", phase_name(view.phase)},
                         {"containment", own.containment},
                         {"socket", own.socket}}},
                       {"programs", all_programs(view)}},
                      view);
}

Reply programs(const View& view) { return reply(200, {{"programs", all_programs(view)}}); }

Reply workers(const View& view) { return with_workers(Document::object(), view); }

Reply worker(const View& view, std::string_view name) {
  for (const ProgramView& program : view.programs) {
    for (const WorkerView& worker : program.workers) {
      if (worker.name == name) {
        Reply made;
        append(made.body, program, worker, view.now);
        made.body += '\n';
        return made;
      }
    }
  }
  return in_error(404, fmt::format("there is no worker '{}'{}", name, suggestion(name, view)));
}

Reply health() { return reply(200, {{"ok", true}}); }

Reply readiness(const View& view) {
  Document waits_for = Document::array();
  for (const ProgramView& program : view.programs) {
    for (const WorkerView& worker : program.workers) {
      const StateKind kind = core::kind(worker.state.state);
      const bool is_well =
          kind == StateKind::running || kind == StateKind::exited || (kind == StateKind::stopped && !worker.state.wanted_up);
      if (!is_well) {
        waits_for.push_back(worker.name);
      }
    }
  }
  const bool ready = waits_for.empty() && view.phase == core::Phase::running;
  return reply(ready ? 200 : 503, {{"ready", ready}, {"phase", phase_name(view.phase)}, {"waits_for", std::move(waits_for)}});
}

Reply events(const std::vector<std::string>& events, std::uint64_t last) {
  Reply made = reply(200, {});
  made.body = fmt::format(R"({{"last":{},"events":[{}]}})", last, fmt::join(events, ",")) + "\n";
  return made;
}

Reply explanation(std::optional<std::string> explanation, std::string_view worker) {
  if (!explanation) {
    return in_error(404, fmt::format("there is no worker '{}'", worker));
  }
  Reply made = reply(200, {});
  made.body = std::move(*explanation) + "\n";
  return made;
}

Reply too_many_followers() { return in_error(503, "too many follow the events already; try again when one of them has left"); }

Reply reopened(std::string_view trouble) {
  return trouble.empty() ? reply(200, {{"result", "done"}})
                         : in_error(500, fmt::format("not every log file is open again: {}", trouble));
}

Reply accepted() { return reply(202, {{"result", "accepted"}}); }

Reply too_slow(Duration patience) {
  return reply(504,
               {{"result", "accepted"},
                {"error", fmt::format("it is not yet so after {}; it goes on, see the status", describe_duration(patience))}});
}

namespace {

/// What a rolling restart that ends early leaves.
std::string rest_of(const core::CommandOutcome& outcome) {
  return outcome.left == 0
             ? ""
             : fmt::format(": {} {} new and healthy, {} {} not touched", outcome.workers,
                           outcome.workers == 1 ? "worker is" : "workers are", outcome.left, outcome.left == 1 ? "was" : "were");
}

}  // namespace

Reply outcome(const core::CommandOutcome& outcome, std::string_view culprit) {
  using enum core::CommandOutcome::Kind;
  const auto not_done = [&](int status, std::string_view result, std::string error) {
    return reply(status, {{"result", result},
                          {"workers", outcome.workers},
                          {"worker", culprit.empty() ? Document(nullptr) : Document(culprit)},
                          {"error", std::move(error)}});
  };
  switch (outcome.kind) {
    case done: return reply(200, {{"result", "done"}, {"workers", outcome.workers}});
    case failed:
      return not_done(500, "failed", fmt::format("{} did not get there{}; corral explain says why", culprit, rest_of(outcome)));
    case rolled_back:
      return not_done(
          500, "rolled_back",
          fmt::format("{} did not become healthy: the configuration before is in force again; corral events says why", culprit));
    case overtaken:
      return not_done(409, "overtaken", fmt::format("{} was told something else meanwhile{}", culprit, rest_of(outcome)));
    case trial_ended:
      return not_done(
          409, "overtaken",
          fmt::format("{} was told something else meanwhile: the new configuration stays, without having proven itself",
                      culprit));
    case superseded: return not_done(409, "overtaken", "another configuration has come meanwhile, and is in force");
    case stopping: return not_done(503, "stopping", "the supervisor is stopping: nothing is started any more");
    case busy: return not_done(503, "busy", "too many commands wait for their end already; try again when some are done");
  }
  return in_error(500, "?");
}

Reply invalid_configuration(std::string_view why) {
  return in_error(422, fmt::format("the configuration stays as it was: {}", why));
}

Reply reload_plan(const std::vector<core::WorkerChange>& changes) {
  Document list = Document::array();
  for (const core::WorkerChange& change : changes) {
    list.push_back({{"worker", change.worker}, {"does", core::name(change.kind)}, {"why", change.why}});
  }
  return reply(200, {{"plan", std::move(list)}});
}

}  // namespace corral::control
