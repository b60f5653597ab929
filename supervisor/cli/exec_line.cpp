#include "supervisor/cli/exec_line.hpp"

#include <CLI/CLI.hpp>

#include <string_view>

#include "supervisor/cli/values.hpp"

namespace corral::cli {
namespace {

/// A text option that is parsed at once, so that a mistake is reported with the option's name.
template <class Apply>
CLI::Option* add_parsed(CLI::App& app, const char* name, Apply apply, const char* help) {
  return app.add_option_function<std::string>(name, std::function<void(const std::string&)>(std::move(apply)), help);
}

void add_exec_policy(CLI::App& app, ExecOptions& options, ExecExtras& extras) {
  core::ProgramSpec& program = options.program;
  add_parsed(
      app, "-n,--workers", [&](const std::string& t) { program.launch.workers = parse_workers(t); },
      "how many workers: a number, or auto for one on every core");
  add_parsed(
      app, "--cores", [&](const std::string& t) { program.launch.cores = parse_cores(t); },
      "separate, shared, or a list such as 0-3,8");
  add_parsed(
      app, "--cores-per-worker",
      [&](const std::string& t) { program.launch.cores = core::SeparateCores{parse_count(t, 1, core::CpuSet::highest + 1U)}; },
      "that many cores for each worker");
  add_parsed(
      app, "--restart",
      [&](const std::string& t) {
        program.restart.when = parse_when(t);
        extras.restart_given = true;
      },
      "always, on-failure or never");
  add_parsed(
      app, "--delay", [&](const std::string& t) { program.restart.delay = parse_wait(t); },
      "before the first restart after an unhealthy exit (100ms)");
  add_parsed(
      app, "--max-delay", [&](const std::string& t) { program.restart.max_delay = parse_wait(t); }, "the longest delay (30s)");
  add_parsed(
      app, "--healthy-after", [&](const std::string& t) { program.restart.healthy_after = parse_wait(t); },
      "a life that long forgets earlier failures (10s)");
  add_parsed(
      app, "--limit", [&](const std::string& t) { program.restart.limit = parse_limit(t); },
      "unhealthy exits within a time that are still tolerated, such as 10/60s, or none");
  add_parsed(
      app, "--stop-signal", [&](const std::string& t) { program.stop.signal = parse_signal_or_refuse(t); },
      "what asks a worker to stop (TERM)");
  add_parsed(
      app, "--grace",
      [&](const std::string& t) {
        program.stop.grace = parse_wait(t);
        options.grace_given = true;
      },
      "from the stop signal to SIGKILL (10s; with one worker there is no SIGKILL unless this is given)");
}

void add_exec_surroundings(CLI::App& app, ExecOptions& options, ExecExtras& extras) {
  core::LaunchSpec& launch = options.program.launch;
  app.add_option("--map-signal", extras.maps, "pass on another signal, such as HUP=QUIT; TERM=0 passes nothing on")
      ->allow_extra_args(false);
  app.add_option("-e,--env", extras.variables, "NAME=VALUE for the workers")->allow_extra_args(false);
  app.add_option("--directory", launch.directory, "where the workers run");
  app.add_option("--user", launch.user, "name or number");
  app.add_option("--group", launch.group, "name or number");
  add_parsed(
      app, "--containment",
      [&](const std::string& t) {
        options.containment = t == "cgroup"      ? core::Containment::cgroup
                              : t == "subreaper" ? core::Containment::subreaper
                                                 : core::Containment::automatic;
      },
      "auto, cgroup or subreaper")
      ->check(CLI::IsMember({"auto", "cgroup", "subreaper"}));
  // What follows "--" never comes here: CLI11 would take "[a,b]" for a list.
  app.add_option("command", launch.command, "the command and its arguments");
  app.positionals_at_end();
}

/// A transparent init hands on the words of the command as they are.
void escape_placeholders(std::vector<std::string>& command) {
  for (std::string& word : command) {
    for (const std::string_view name : {"{index}", "{workers}", "{program}", "{cores}"}) {
      for (std::size_t at = word.find(name); at != std::string::npos; at = word.find(name, at + name.size() + 2)) {
        word.insert(at + name.size(), "}").insert(at, "{");
      }
    }
  }
}

}  // namespace

void add_exec_options(CLI::App& app, ExecOptions& options, ExecExtras& extras) {
  add_exec_policy(app, options, extras);
  add_exec_surroundings(app, options, extras);
}

int exec_with(ExecOptions& options, const ExecExtras& extras) {
  core::ProgramSpec& program = options.program;
  const std::string& command = program.launch.command.front();
  program.name = command.substr(command.rfind('/') + 1);
  for (const std::string& text : extras.variables) {
    program.launch.environment.push_back(parse_variable(text));
  }
  for (const std::string& text : extras.maps) {
    options.map_signals.push_back(parse_map(text));
  }
  const auto* count = std::get_if<std::uint32_t>(&program.launch.workers);
  if (count != nullptr && *count == 1) {
    if (!extras.restart_given) {
      program.restart.when = core::RestartWhen::never;
    }
    // An init is no sandbox: what the image's command may do, it may do.
    program.launch.no_new_privileges = false;
    escape_placeholders(program.launch.command);
  } else if (!options.map_signals.empty()) {
    refuse("--map-signal is for one worker: a pool's signals are corral's own (see corral run --help)");
  }
  if (program.restart.delay > program.restart.max_delay) {
    refuse("--delay is longer than --max-delay");
  }
  return exec(std::move(options));
}

}  // namespace corral::cli
