#include "supervisor/cli/map_line.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <functional>
#include <string_view>

#include "common/base/units.hpp"
#include "supervisor/cli/complaint.hpp"
#include "supervisor/cli/map_state.hpp"
#include "supervisor/cli/values.hpp"

namespace corral::cli {
namespace {

constexpr std::uint32_t most_retries = 1000;
constexpr std::uint32_t most_descriptors = 1U << 20U;

/// "soon,fail=3", "now,fail=10%": as users of GNU parallel know it.
core::Halt parse_halt(const std::string& text) {
  const std::size_t comma = text.find(',');
  const std::string when = text.substr(0, comma);
  const std::string what = comma == std::string::npos ? "" : text.substr(comma + 1);
  constexpr std::string_view prefix = "fail=";
  if ((when != "now" && when != "soon") || !what.starts_with(prefix) || what.size() == prefix.size()) {
    refuse(fmt::format("'{}' is not WHEN,fail=N or WHEN,fail=P% with now or soon for WHEN, such as soon,fail=3 or now,fail=10%",
                       text));
  }
  std::string number = what.substr(prefix.size());
  core::Halt halt;
  halt.at_once = when == "now";
  if (number.ends_with('%')) {
    number.pop_back();
    halt.share = parse_count(number, 1, 100) / 100.0;
  } else {
    halt.failures = parse_count(number, 1, 1'000'000'000);
  }
  return halt;
}

/// "30s", or "300%" of what tasks take.
void parse_timeout(const std::string& text, core::TaskPolicy& policy) {
  if (text.ends_with('%')) {
    policy.timeout_of_median = parse_count(text.substr(0, text.size() - 1), 100, 1'000'000) / 100.0;
  } else {
    policy.timeout = accept(parse_duration(text));
  }
}

/// From what a HELLO needs to what the header of a frame can say.
std::uint64_t parse_payload(const std::string& text) {
  const std::uint64_t size = accept(parse_size(text));
  if (size < core::least_payload || size > UINT32_MAX) {
    refuse(fmt::format("--max-payload {}: from 1KiB to 4GiB less a byte, such as 256MiB", text));
  }
  return size;
}

void add_task_options(CLI::App& app, MapOptions& options) {
  core::TaskPolicy& policy = options.policy;
  app.add_option("tasks", options.tasks, "a file with one task a line; - or nothing: stdin")->each([&](const std::string&) {
    options.tasks_given = true;
  });
  app.add_flag("--lines", options.lines, "COMMAND is a filter: a line in on stdin, a line out on stdout");
  app.add_option("-o,--output", options.output, "where the results go; stdout if not given");
  app.add_flag("--raw", options.raw, "write what workers answer and nothing else");
  app.add_flag("--ordered", options.ordered, "results in the order of the tasks");
  app.add_option_function<std::string>(
      "--retries", [&](const std::string& t) { policy.retries = parse_count(t, 0, most_retries); },
      "how often a task is tried again after it has taken a worker down (2)");
  app.add_option_function<std::string>(
      "--retry-errors", [&](const std::string& t) { policy.retry_errors = parse_count(t, 0, most_retries); },
      "how often after an error that the worker reports (0)");
  app.add_option_function<std::string>(
      "--timeout", [&](const std::string& t) { parse_timeout(t, policy); },
      "how long a task may take, or 300%: of the median; beyond it its worker is replaced and the task given up");
  app.add_option_function<std::string>(
      "--halt", [&](const std::string& t) { policy.halt = parse_halt(t); },
      "soon,fail=3: begin no other task after 3 that failed; now,fail=10%: and stop the workers, after a tenth of them");
  app.add_option_function<std::string>(
      "--limit", [&](const std::string& t) { options.limit = parse_count(t, 1, 4'000'000'000U); },
      "take no more tasks than that");
  app.add_option_function<std::string>(
      "--max-tasks", [&](const std::string& t) { policy.max_tasks = parse_count(t, 1, 4'000'000'000U); },
      "replace a worker that has done so many tasks");
  app.add_option_function<std::string>(
      "--max-memory", [&](const std::string& t) { policy.max_memory = accept(parse_size(t)); },
      "replace a worker that has more, such as 500MiB, when its task is done");
  app.add_option_function<std::string>(
      "--max-age", [&](const std::string& t) { policy.max_age = accept(parse_duration(t)); },
      "replace a worker that is so old, when its task is done; they go up to a tenth earlier, one after another");
  app.add_option_function<std::string>(
      "--max-payload", [&](const std::string& t) { options.max_payload = parse_payload(t); },
      "how long a task or a result may be (64MiB)");
  app.add_option_function<std::string>(
      "--client", [&](const std::string& t) { options.client = static_cast<int>(parse_count(t, 0, most_descriptors)); },
      "a program gives tasks and takes answers in frames, over this descriptor: docs/protocol.md");
  app.add_flag("--led", options.led,
               "with --client: SIGINT goes to the workers, SIGTERM and SIGHUP are left to the client to decide about");
}

void add_report_options(CLI::App& app, MapOptions& options) {
  app.add_flag("--tag", options.tag, "with --raw: the task and a tabulator in front of each line of its result");
  app.add_flag("--shuf", options.shuffle, "take the tasks of a file in a random order");
  app.add_flag("--dry-run", options.dry_run, "show what would be run, and run nothing");
  app.add_option("--quarantine", options.quarantine,
                 "a file for tasks that were given up, as they stand in the input; why is in FILE.stories");
  app.add_option("--crashes", options.crashes,
                 "a folder for a record of each worker that dies, as \"crashes\" of a configuration");
  app.add_option("--keep-crashes", options.crashes_kept, "so many records at most; the oldest go (100)")
      ->check(CLI::Range(1U, 100'000U));
  app.add_option("--timeline", options.timeline, "a page (HTML) that shows which worker did what when");
  app.add_option("--trace", options.trace, "the same as trace events (JSON) for Perfetto");
}

void add_state_options(CLI::App& app, StateOptions& state) {
  using enum StateOptions::Look;
  app.add_option_function<std::string>(
      "--state",
      [&state](const std::string& path) {
        if (path.empty()) {
          refuse("the file has an empty name (an unset variable?)");
        }
        state.file = path;
      },
      "a file that knows what is done: the same command goes on where it was stopped");
  const auto add_look = [&](const char* name, StateOptions::Look look, const char* what) {
    const auto choose = [&state, look](std::int64_t) {
      if (state.look != StateOptions::Look::none && state.look != look) {
        refuse("--status, --failed and --results print one thing each: one of them at a time");
      }
      state.look = look;
    };
    app.add_flag_function(name, choose, what);
  };
  add_look("--status", status, "print how far the --state is, and run nothing");
  add_look("--failed", failed, "print its tasks that failed, as lines of input");
  add_look("--results", results, "print all of its results");
  app.add_flag("--retry-failed", state.retry_failed, "run what failed again: that alone, or beside what is new in TASKS");
  app.add_flag("--new-command", state.new_command, "go on with the --state of another command");
}

/// What does not go together, before there is a command.
void check_state_options(const MapOptions& options) {
  const StateOptions& state = options.state;
  const bool looks = state.look != StateOptions::Look::none;
  if (state.file.empty() && (looks || state.retry_failed || state.new_command)) {
    refuse("--status, --failed, --results, --retry-failed and --new-command are for a --state FILE");
  }
  if (looks && (!options.program.launch.command.empty() || options.tasks_given || state.retry_failed)) {
    refuse("--status, --failed and --results print what the --state knows: no TASKS, COMMAND or --retry-failed goes with them");
  }
  if (options.dry_run && !state.file.empty()) {
    refuse(
        "--dry-run shows the whole input, whatever a --state knows: leave one of them out (--failed shows what --retry-failed "
        "would run)");
  }
  if (options.tag && !state.file.empty()) {
    refuse("--tag and --state do not go together: results of earlier runs are told without their tasks");
  }
  if (options.client && !state.file.empty()) {
    refuse("--client keeps no --state: the client knows which answers it has");
  }
}

void add_worker_options(CLI::App& app, MapOptions& options, MapExtras& extras) {
  core::ProgramSpec& program = options.program;
  app.add_option_function<std::string>(
      "-j,--workers", [&](const std::string& t) { program.launch.workers = parse_workers(t); },
      "how many workers: a number, or auto for one on every core (auto)");
  app.add_option_function<std::string>(
      "--cores", [&](const std::string& t) { program.launch.cores = parse_cores(t); },
      "separate, shared, or a list such as 0-3,8");
  app.add_option_function<std::string>(
      "--grace", [&](const std::string& t) { program.stop.grace = accept(parse_duration(t)); },
      "from the stop signal to SIGKILL, and from the last task to the stop signal (10s)");
  app.add_option_function<std::string>(
      "--stop-signal", [&](const std::string& t) { program.stop.signal = parse_signal_or_refuse(t); },
      "what asks a worker to stop (TERM)");
  app.add_option("-e,--env", extras.variables, "NAME=VALUE for the workers")->allow_extra_args(false);
  app.add_flag_callback(
      "--no-drain", [&] { options.drains = false; }, "the first signal stops the workers: what is in work is left");
  app.add_option("--directory", program.launch.directory, "where the workers run");
}

}  // namespace

void add_map_options(CLI::App& app, MapOptions& options, MapExtras& extras) {
  options.program.launch.workers = core::AutoWorkers{};
  add_task_options(app, options);
  add_report_options(app, options);
  add_state_options(app, options.state);
  add_worker_options(app, options, extras);
}

int map_with(MapOptions& options, const MapExtras& extras) {
  core::ProgramSpec& program = options.program;
  program.name = "map";
  check_state_options(options);
  if (options.state.look != StateOptions::Look::none) {
    return look_at_state(options);
  }
  if (program.launch.command.empty() && options.state.retry_failed) {
    if (const Result<void> taken = take_command_from_state(options); !taken) {
      return complain(taken.error());
    }
  }
  if (program.launch.command.empty()) {
    refuse("a command is required, behind --: corral map tasks.jsonl -- python3 worker.py");
  }
  for (const std::string& text : extras.variables) {
    program.launch.environment.push_back(parse_variable(text));
  }
  program.launch.task_arguments =
      std::ranges::any_of(program.launch.command, [](const std::string& word) { return word.find("{}") != std::string::npos; });
  if (program.launch.task_arguments && options.lines) {
    refuse("--lines and {} exclude each other: a filter is given its tasks on stdin");
  }
  if (options.client && (options.lines || program.launch.task_arguments)) {
    refuse("--client is for workers that speak the task protocol: neither --lines nor {} go with it");
  }
  if (options.led && !options.client) {
    refuse("--led goes with --client: otherwise nobody would decide when it ends");
  }
  if (options.client && options.max_payload) {
    refuse("--client takes what its client takes, as its HELLO says: no --max-payload goes with it");
  }
  if (options.client && (options.raw || options.ordered || options.limit || !options.output.empty() || options.tasks != "-")) {
    refuse("--client takes the place of the files: no TASKS, -o, --raw, --ordered or --limit go with it");
  }
  if (options.client && (options.tag || options.shuffle || options.dry_run || !options.quarantine.empty())) {
    refuse("--client takes the place of the files: no --tag, --shuf, --dry-run or --quarantine go with it");
  }
  if (options.tag && !options.raw) {
    refuse("--tag goes with --raw: in a line of JSON the task has its number");
  }
  if (options.shuffle && options.ordered) {
    refuse("--shuf and --ordered exclude each other: results in the order of the tasks would have to wait for all of them");
  }
  if ((options.policy.max_tasks || options.policy.max_memory || options.policy.max_age) && program.launch.task_arguments) {
    refuse("--max-tasks, --max-memory and --max-age are for workers that stay: with {} there is a process for each task anyway");
  }
  if (options.policy.max_memory == 0U) {
    refuse("--max-memory 0 would replace every worker after its first task; leave it out for none");
  }
  if (options.policy.max_age == Duration::zero()) {
    refuse("--max-age 0 would replace every worker before it has done anything; leave it out for none");
  }
  if (program.launch.command.front().find("{}") != std::string::npos) {
    refuse("the command itself cannot be {}: a task is data; write sh -c and mean it, or name the program");
  }
  if (options.policy.timeout == Duration::zero()) {
    refuse("--timeout 0 would give up every task; leave it out for none");
  }
  return map(std::move(options));
}

}  // namespace corral::cli
