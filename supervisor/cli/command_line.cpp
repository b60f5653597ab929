// The one description of the command line: its help, its parsing, its completion and its man page come from here.
#include "supervisor/cli/command_line.hpp"

#include <CLI/CLI.hpp>

#include <string>

#include "supervisor/cli/completion.hpp"
#include "supervisor/cli/manual.hpp"
#include "supervisor/cli/values.hpp"

namespace corral::cli {
namespace {

/// Help with examples first: most people need no more.
constexpr const char* about = R"(corral keeps a worker process busy on every core.

  corral run                            supervise what ./corral.json says
  corral exec -- python3 server.py      a container's init: signals, zombies, exit status
  corral exec -n auto -- ./crunch       one worker on every core
  corral map tasks.jsonl -- ./worker    feed a worker on every core, one line after another
  corral status                         what runs, and how; also start, stop, restart, scale, signal, reload, shutdown
  corral logs -f crunch/0               what it writes, where that goes to a file
  corral events -f                      what happens, and why; corral explain crunch/0
  corral top                            watch it, and restart, stop, signal workers
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
  SIGUSR1, SIGUSR2  passed on to the workers; SIGUSR2 also begins log files anew

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

constexpr const char* completion_about =
    R"(Print what makes a shell complete commands, options, and the names of programs and workers that run.

  source <(corral completion bash)                               in ~/.bashrc, or
  corral completion bash > /etc/bash_completion.d/corral
  corral completion zsh > /usr/local/share/zsh/site-functions/_corral
  corral completion fish > ~/.config/fish/completions/corral.fish)";

constexpr const char* manual_about = R"(Print the man page: all commands and their options.

  corral man | man -l -
  corral man > /usr/local/share/man/man1/corral.1)";

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

}  // namespace

CommandLine::CommandLine(std::string_view word) : owned_(std::make_unique<CLI::App>(about, "corral")), app(*owned_) {
  app.set_version_flag("--version", "corral " CORRAL_VERSION);
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  add_jobs(word);
  check_app = app.add_subcommand("check", check_about);
  check_app->add_option("config", check_options.config, "the configuration file");
  check_app->add_flag("--json", check_options.json, "for programs");
  control_line.add_to(app, word);
  logs_app = app.add_subcommand("logs", logs_about);
  if (word == "logs") {
    add_logs_options(*logs_app, logs_options);
  }
  events_line.add_to(app, word);
  top_line.add_to(app, word);
  schema_app = app.add_subcommand("schema", schema_about);
  schema_app->add_flag("--reference", reference, "print the reference page instead");
  completion_app = app.add_subcommand("completion", completion_about);
  completion_app->add_option("shell", shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  manual_app = app.add_subcommand("man", manual_about);
}

CommandLine::~CommandLine() = default;

/// So many options take longer to describe than `run` to start: only those of the one that is meant.
void CommandLine::add_jobs(std::string_view word) {
  run_app = app.add_subcommand("run", run_about);
  run_app->add_option("config", run_options.config, "the configuration file");
  add_talk(*run_app, run_options.talk);
  exec_app = app.add_subcommand("exec", exec_about);
  if (word == "exec") {
    add_exec_options(*exec_app, exec_options, exec_extras);
    add_talk(*exec_app, exec_options.talk);
  }
  map_app = app.add_subcommand("map", map_about);
  if (word == "map") {
    add_map_options(*map_app, map_options, map_extras);
    add_talk(*map_app, map_options.talk);
  }
}

int CommandLine::run_parsed() {
  if (run_app->parsed()) {
    return run(run_options);
  }
  if (exec_app->parsed()) {
    return exec_with(exec_options, exec_extras);
  }
  if (map_app->parsed()) {
    return map_with(map_options, map_extras);
  }
  if (check_app->parsed()) {
    return check(check_options);
  }
  if (const std::optional<int> status = control_line.run()) {
    return *status;
  }
  if (logs_app->parsed()) {
    return logs(logs_options);
  }
  if (const std::optional<int> status = events_line.run()) {
    return *status;
  }
  if (const std::optional<int> status = top_line.run()) {
    return *status;
  }
  if (completion_app->parsed()) {
    return completion_script(shell);
  }
  if (manual_app->parsed()) {
    return manual();
  }
  return schema(reference);
}

}  // namespace corral::cli
