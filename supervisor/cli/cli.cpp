#include "supervisor/cli/cli.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <string_view>

#include "common/base/suggest.hpp"
#include "supervisor/cli/commands.hpp"
#include "supervisor/cli/complaint.hpp"
#include "supervisor/cli/exec_line.hpp"
#include "supervisor/cli/map_line.hpp"
#include "supervisor/cli/print.hpp"
#include "supervisor/cli/values.hpp"
#include "supervisor/shell/process/guardian.hpp"

namespace corral::cli {
namespace {

/// Help with examples first: most people need no more.
constexpr const char* about = R"(corral keeps a worker process busy on every core.

  corral run                            supervise what ./corral.json says
  corral exec -- python3 server.py      a container's init: signals, zombies, exit status
  corral exec -n auto -- ./crunch       one worker on every core
  corral map tasks.jsonl -- ./worker    feed a worker on every core, one line after another
  corral check                          is the configuration right? what would it start?
  corral schema > corral.schema.json    for your editor)";

constexpr const char* run_about =
    R"(Supervise what a configuration says, until all programs have finished or a signal says stop.

  corral run                       ./corral.json, or /etc/corral/corral.json
  corral run crunch.json           that one
  corral run --log-format json     for a log collector

  SIGTERM, SIGINT   stop gracefully; a second one kills at once
  SIGQUIT           kill at once
  SIGHUP            read the configuration again; what did not change keeps running
  SIGUSR1, SIGUSR2  passed on to the workers

Exit status: 0 all finished well or stopped as asked; 1 a program failed; 2 usage or configuration;
3 a stop needed SIGKILL; 125 no worker could be started; 128+N ended at once by a second signal N.)";

constexpr const char* exec_about = R"(Run one command as a perfect init, or a pool of it, without a configuration file.

  corral exec -- python3 server.py                  signals passed on, zombies reaped, its exit status
  corral exec --map-signal TERM=QUIT -- nginx -g 'daemon off;'
  corral exec --restart always --grace 30s -- ./serve
  corral exec -n auto -- ./crunch --shard {index}/{workers}
  docker: ENTRYPOINT ["corral", "exec", "--"]

With one worker the command has corral's stdin, stdout, stderr and terminal, every signal that can be caught
is passed on, and the exit status is the command's own: 128+N for a death by signal N, 127 not found,
126 not executable, 125 corral itself could not. With -n 2 or more, or auto, it is a pool as `corral run` has it.)";

constexpr const char* map_about =
    R"(Run every task of a file through workers that stay alive, one on every core, and write the results.

  corral map tasks.jsonl -- python3 worker.py         workers that speak the task protocol
  seq 1000 | corral map --lines -- sed -u 's/^/n=/'   any filter: a line in, a line out
  corral map tasks.jsonl -o results.jsonl --timeout 30s -- ./worker
  corral map tasks.jsonl -o results.jsonl --state run.db -- ./worker    the same again goes on where it was stopped
  corral map --state run.db --status                  and --failed, --results, --retry-failed

A worker that dies takes down the one task that it was at, which is tried again alone on a fresh worker.

  SIGINT, SIGTERM  no task begins any more, those in work may end; a second one stops the workers, a third kills
  SIGHUP           the same as the first

Exit status: 0 every task is done; 1 some failed or were quarantined; 2 usage; 125 no worker works;
128+N stopped by signal N with tasks left.)";

constexpr const char* check_about = R"(Validate a configuration and print the plan. Starts nothing.

  corral check
  corral check crunch.json --json

Exit status: 0 valid, 2 not.)";

constexpr const char* schema_about = R"(Print the JSON Schema of the configuration.

  corral schema > corral.schema.json       then "$schema": "./corral.schema.json"
  corral schema --reference                every key, as Markdown)";

void add_talk(CLI::App& app, Talk& talk) {
  app.add_option_function<std::string>(
         "--log-format",
         [&talk](const std::string& text) { talk.format = text == "json" ? shell::LogFormat::json : shell::LogFormat::text; },
         "text, or json: one object a line (exec with one worker: of corral's own words alone)")
      ->check(CLI::IsMember({"text", "json"}));
  app.add_option_function<std::string>(
         "--colour,--color",
         [&talk](const std::string& text) {
           talk.colour = text == "always" ? Colour::always : text == "never" ? Colour::never : Colour::automatic;
         },
         "auto, always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}));
  app.add_flag("-q,--quiet", talk.quiet, "say only what is not routine");
}

/// CLI11 says "The following argument was not expected: x": a near name is worth more.
std::string explain(const CLI::App& app, const std::vector<std::string>& words, const CLI::Error& error) {
  std::string message = error.what();
  if (app.get_subcommands().empty() && words.empty()) {
    return "a command is required: run, exec, map, check or schema";
  }
  if (app.get_subcommands().empty() && words.front().starts_with('-')) {
    return fmt::format("there is no option '{}' before a command", words.front());
  }
  if (app.get_subcommands().empty()) {
    const std::vector<std::string_view> names{"run", "exec", "map", "check", "schema"};
    const std::string_view near = nearest(words.front(), names);
    message =
        fmt::format("there is no command '{}'{}", words.front(), near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
  }
  return message;
}

/// `corral run [CONFIG]` and `corral exec -- COMMAND…`, the lines of nearly every start: there is nothing to parse, and
/// the worker starts sooner by a third.
std::optional<int> without_options(const std::vector<std::string>& words) {
  if (words.size() > 2 && words[0] == "exec" && words[1] == "--") {
    ExecOptions options;
    options.program.launch.command.assign(words.begin() + 2, words.end());
    return exec_with(options, {});
  }
  if (!words.empty() && words[0] == "run" &&
      (words.size() == 1 || (words.size() == 2 && !words[1].empty() && !words[1].starts_with('-')))) {
    RunOptions options;
    options.config = words.size() == 2 ? words[1] : options.config;
    return run(options);
  }
  return std::nullopt;
}

/// What a command could not do when nothing more is known, and the status of that.
struct Attempt {
  std::string_view name;
  const char* failed;
  int status;
};
constexpr std::array<Attempt, 5> attempts{{{"run", "cannot start", not_started},
                                           {"exec", "cannot start", not_started},
                                           {"map", "cannot start", not_started},
                                           {"check", "cannot check the configuration", refused},
                                           {"schema", "cannot print the schema", refused}}};
constexpr Attempt any_attempt{"", "cannot understand the command line", refused};

int understand(std::vector<std::string> words) {
  if (!words.empty() && words.front() == "help") {  // As git and docker have it: help, help COMMAND.
    words.erase(words.begin());
    words.insert(words.begin() + std::min<std::ptrdiff_t>(1, std::ssize(words)), "--help");  // And never runs it.
  }
  if (const std::optional<int> status = without_options(words)) {
    return *status;
  }
  CLI::App app(about, "corral");
  app.set_version_flag("--version", "corral " CORRAL_VERSION);
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);

  RunOptions run_options;
  CLI::App& run_app = *app.add_subcommand("run", run_about);
  run_app.add_option("config", run_options.config, "the configuration file");
  add_talk(run_app, run_options.talk);

  ExecOptions exec_options;
  ExecExtras exec_extras;
  CLI::App& exec_app = *app.add_subcommand("exec", exec_about);
  if (!words.empty() && words.front() == "exec") {  // So many options take longer to describe than `run` to start.
    add_exec_options(exec_app, exec_options, exec_extras);
    add_talk(exec_app, exec_options.talk);
  }

  MapOptions map_options;
  MapExtras map_extras;
  CLI::App& map_app = *app.add_subcommand("map", map_about);
  if (!words.empty() && words.front() == "map") {
    add_map_options(map_app, map_options, map_extras);
    add_talk(map_app, map_options.talk);
  }

  CheckOptions check_options;
  CLI::App& check_app = *app.add_subcommand("check", check_about);
  check_app.add_option("config", check_options.config, "the configuration file");
  check_app.add_flag("--json", check_options.json, "for programs");

  bool reference = false;
  CLI::App& schema_app = *app.add_subcommand("schema", schema_about);
  schema_app.add_flag("--reference", reference, "print the reference page instead");

  const auto after_dashes =
      !words.empty() && (words[0] == "exec" || words[0] == "map") ? std::ranges::find(words, "--") : words.end();
  try {
    std::vector<std::string> options(words.begin(), after_dashes);
    std::ranges::reverse(options);
    app.parse(std::move(options));
    if (after_dashes != words.end()) {
      std::vector<std::string>& command =
          map_app.parsed() ? map_options.program.launch.command : exec_options.program.launch.command;
      command.insert(command.end(), after_dashes + 1, words.end());
    }
    if (exec_app.parsed() && exec_options.program.launch.command.empty()) {
      refuse("command is required");
    }
    const bool nameless = (run_app.count("config") > 0 && run_options.config.empty()) ||
                          (check_app.count("config") > 0 && check_options.config.empty());
    if (nameless) {
      refuse("the configuration has an empty name (an unset variable?)");
    }
    if (run_app.parsed()) {
      return run(run_options);
    }
    if (exec_app.parsed()) {
      return exec_with(exec_options, exec_extras);
    }
    if (map_app.parsed()) {
      return map_with(map_options, map_extras);
    }
    if (check_app.parsed()) {
      return check(check_options);
    }
    return schema(reference);
  } catch (const CLI::Success& success) {
    std::ostringstream text;
    const int status = app.exit(success, text, text);
    return deliver(text.str(), status);
  } catch (const CLI::Error& error) {
    tell(fmt::format("corral: {}\nSee: corral {}--help\n", explain(app, words, error),
                     app.get_subcommands().empty() ? "" : app.get_subcommands().front()->get_name() + " "));
    return refused;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (const std::optional<int> status = process::stand_guard(argc, argv)) {
    return *status;
  }
  const std::string_view command = argc > 1 ? argv[1] : "";
  const auto known = std::ranges::find(attempts, command, &Attempt::name);
  const Attempt& attempt = known == attempts.end() ? any_attempt : *known;
  expect_no_memory(attempt.failed, attempt.status);
  try {
    return understand({argv + std::min(argc, 1), argv + argc});
  } catch (...) {
    return complain_of_exception(attempt.failed, attempt.status);
  }
}

}  // namespace corral::cli
