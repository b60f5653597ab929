#include "supervisor/cli/control_line.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include "supervisor/cli/values.hpp"

namespace corral::cli {
namespace {

constexpr const char* exits =
    "\n\nExit status: 0 it is so; 1 it did not come to be so; 2 usage, nobody of that name, an invalid configuration;\n"
    "3 no supervisor answers; 124 not within --timeout (it goes on).";

constexpr const char* status_about = R"(Show the workers of a running supervisor.

  corral status                   of ./corral.json; where there is none, of the only one that runs
  corral status crunch 'web/*'    these alone
  corral status --watch           again and again
  corral status --all             which supervisors run on this machine (root: root's; otherwise your own)
  corral status --ready           for health checks: 0 when every worker that is wanted runs, otherwise 1)";

struct About {
  Change::Kind kind;
  const char* name;
  const char* text;
};
constexpr std::array<About, 7> abouts{{
    {Change::Kind::start, "start", R"(Start workers that are down, and return when they run.

  corral start crunch/0
  corral start crunch             all of a program, one that has failed too
  corral start '*')"},
    {Change::Kind::stop, "stop",
     R"(Stop workers, and return when nothing of them is left. They stay down until they are started again.

  corral stop crunch/0
  corral stop 'web/*' --no-wait)"},
    {Change::Kind::restart, "restart", R"(Restart workers, and return when the new processes run.

  corral restart crunch
  corral restart crunch --rolling                        one after another, each when the one before is healthy
  corral restart crunch --rolling --parallel 2 --pause 5s)"},
    {Change::Kind::signal, "signal", R"(Send a signal to the process group of each of these workers.

  corral signal USR1 crunch
  corral signal HUP '*'

Where none of them has a process it is sent to nobody, and the exit status is 1.)"},
    {Change::Kind::scale, "scale", R"(Change how many workers a program has; those that stay go on where they are,
but for a single one: with company it gets cores of its own, without it may use all that corral may.

  corral scale crunch=8
  corral scale crunch=auto web=2

It holds until the program's definition changes in the file, or the supervisor ends. CORRAL_WORKERS of workers that go on keeps its
old value; where {workers} stands in the definition, all of them are replaced.)"},
    {Change::Kind::reload, "reload",
     R"(Read the configuration again, and return when every worker that changed is where it belongs.

  corral reload --plan            only say what would happen to each worker, and why
  corral reload
  corral reload --rollback        go back to the configuration before if any of them does not stay up

With --rollback it returns when each has run for its restart.healthy_after, or has finished, or when the one before is in force
again (exit status 1). "reload": {"rollback": true} in the configuration means that for every reload, by SIGHUP too;
--no-rollback does without.)"},
    {Change::Kind::shutdown, "shutdown", R"(Stop everything, and return when the supervisor has ended.

  corral shutdown)"},
}};

std::pair<std::string, core::WorkerCount> parse_scale(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    refuse(fmt::format("'{}' is not PROGRAM=NUMBER, such as crunch=8 or crunch=auto", text));
  }
  const std::string program = text.substr(0, equals);
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
  if (const std::size_t slash = program.find('/'); slash != std::string::npos && slash > 0) {
    refuse(fmt::format("'{}' names a worker; how many there are is said of a program, such as {}=8", program,
                       program.substr(0, slash)));
  }
  if (program.find_first_not_of(letters) != std::string::npos) {
    refuse(fmt::format("'{}' is no name of a program: it has letters, digits and _ . - alone", program));
  }
  return {program, parse_workers(text.substr(equals + 1))};
}

}  // namespace

void add_whose(CLI::App& app, Whose& whose) {
  auto* config = app.add_option("-c,--config", whose.config, "the configuration file of the supervisor that is meant");
  auto* name = app.add_option("--name", whose.name, "or its name: that of the file, without folder and ending");
  auto* socket = app.add_option("--socket", whose.socket, "or the path of its socket");
  config->excludes(name)->excludes(socket);
  name->excludes(socket);
}

void ControlLine::add_to(CLI::App& app, std::string_view word) {
  parsed_status_ = app.add_subcommand("status", status_about);
  if (word == "status") {
    add_status(*parsed_status_);
  }
  for (const About& about : abouts) {
    CLI::App* command = app.add_subcommand(about.name, std::string(about.text) + exits);
    changes_.emplace_back(about.kind, command);
    if (word == about.name) {
      change_.kind = about.kind;
      add_change(*command, about.kind);
    }
  }
}

void ControlLine::add_status(CLI::App& app) {
  add_whose(app, status_.whose);
  app.add_option("workers", status_.targets, "workers, programs or patterns; otherwise all");
  app.add_flag("-a,--all", status_.all, "list the supervisors instead, or those of these names");
  app.add_flag("--json", status_.json, "for programs");
  app.add_flag("--ready", status_.ready, "the exit status says whether every worker that is wanted runs");
  app.add_option_function<std::string>(
         "-w,--watch", [this](const std::string& text) { watch(text); }, "again every so often, 1s if nothing is said")
      ->expected(0, 1)
      ->type_name("[WAIT]");
}

/// What follows may be a worker: a time begins with a digit.
void ControlLine::watch(const std::string& text) {
  const bool is_wait = !text.empty() && text.front() >= '0' && text.front() <= '9';
  status_.watch = is_wait ? parse_wait(text) : std::chrono::seconds(1);
  if (!text.empty() && !is_wait) {
    status_.targets.push_back(text);
  }
}

void ControlLine::add_change(CLI::App& app, Change::Kind kind) {
  using enum Change::Kind;
  if (kind == signal) {
    app.add_option_function<std::string>(
           "signal",
           [this](const std::string& text) {
             static_cast<void>(parse_signal_or_refuse(text));
             change_.signal = text;
           },
           "its name or number")
        ->required();
  }
  if (kind == scale) {
    app.add_option_function<std::vector<std::string>>(
           "programs",
           [this](const std::vector<std::string>& texts) {
             for (const std::string& text : texts) {
               auto scale = parse_scale(text);
               if (std::ranges::count(change_.scales, scale.first, &decltype(scale)::first) > 0) {
                 refuse(fmt::format("'{}' is given two numbers", scale.first));
               }
               change_.scales.push_back(std::move(scale));
             }
           },
           "PROGRAM=NUMBER or PROGRAM=auto")
        ->required();
  } else if (kind != reload && kind != shutdown) {
    app.add_option("workers", change_.targets, "workers, programs or patterns: crunch/0, crunch, 'web-*/*', '*'")->required();
  }
  if (kind == restart) {
    auto* rolling = app.add_flag("--rolling", change_.rolling, "one after another");
    app.add_option_function<std::string>(
           "--parallel", [this](const std::string& text) { change_.parallel = parse_count(text, 1, 100'000); },
           "with --rolling: so many at a time")
        ->needs(rolling);
    app.add_option_function<std::string>(
           "--pause", [this](const std::string& text) { change_.pause = parse_wait(text); },
           "with --rolling: how long to wait before the next goes, once a new one is healthy (0s)")
        ->needs(rolling);
  }
  if (kind == reload) {
    auto* plan = app.add_flag("--plan", change_.plan, "only say what would happen");
    auto* back = app.add_flag_function(
        "--rollback", [this](std::int64_t count) { change_.rollback = count > 0; }, "go back if a worker does not stay up");
    auto* onward = app.add_flag_function(
        "--no-rollback", [this](std::int64_t count) { change_.rollback = count <= 0; },
        "do not, whatever the configuration says");
    back->excludes(plan)->excludes(onward);
    onward->excludes(plan);
  }
  if (kind != signal) {
    app.add_flag_function("--no-wait", [this](std::int64_t) { change_.wait = false; }, "return as soon as it is accepted");
    app.add_option_function<std::string>(
        "--timeout", [this](const std::string& text) { change_.timeout = parse_wait(text); }, "wait no longer than this");
  }
  app.add_flag("--json", change_.json, "print what the supervisor answers");
  add_whose(app, change_.whose);
}

std::optional<int> ControlLine::run() const {
  if (parsed_status_->parsed()) {
    return status(status_);
  }
  for (const auto& [kind, command] : changes_) {
    if (command->parsed()) {
      return change(change_);
    }
  }
  return std::nullopt;
}

}  // namespace corral::cli
