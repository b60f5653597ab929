// `corral map`: one program of workers, and a feed for them.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "common/base/file_descriptor.hpp"
#include "supervisor/cli/complaint.hpp"
#include "supervisor/cli/map_files.hpp"
#include "supervisor/cli/map_reports.hpp"
#include "supervisor/cli/map_state.hpp"
#include "supervisor/cli/supervise.hpp"
#include "supervisor/shell/preparation.hpp"
#include "supervisor/shell/process/processes.hpp"

namespace corral::cli {
namespace {

/// No life is long enough to be healthy for its length alone: it has to do something.
constexpr Duration never_by_age = Duration::max();

/// In order, results wait for the oldest task: so many tasks at most.
constexpr std::uint64_t longest_order = 4096;

/// A worker's death is the business of its task, which has a limit of its own. Who never gets as far as that is a program that
/// does not work.
void set_policies(core::ProgramSpec& program, core::TaskPolicy& policy, shell::TaskMode mode) {
  core::RestartPolicy& restart = program.restart;
  restart.when = core::RestartWhen::always;
  restart.healthy_after = never_by_age;
  restart.then = core::ThenDo::shutdown;
  policy.greets = policy.can_give_back = mode == shell::TaskMode::frames;
  policy.each = mode == shell::TaskMode::each;
  policy.leave_within = program.stop.grace;
  policy.greet_within = program.start_timeout;
}

/// Where tasks come from, and where results go. A client is both.
struct Ends {
  FileDescriptor input;
  FileDescriptor output;
};

Result<FileDescriptor> open_input(const MapOptions& options, const process::ProcessSetup& setup) {
  Result<FileDescriptor> input = open_tasks(options.tasks, setup);
  if (input && options.shuffle && !can_be_shuffled(*input)) {
    return failure("--shuf needs a file: of a pipe nobody knows what is still to come; write the tasks to a file first");
  }
  return input;
}

Result<Ends> open_ends(const MapOptions& options, const process::ProcessSetup& setup) {
  const bool no_input = options.client || (options.state.retry_failed && !options.tasks_given);
  Result<FileDescriptor> input = no_input ? FileDescriptor() : open_input(options, setup);
  if (!input) {
    return std::unexpected(std::move(input.error()));
  }
  Result<FileDescriptor> output =
      options.client ? open_client(*options.client) : open_results({options.output, !options.state.file.empty()}, *input, setup);
  if (!output) {
    return std::unexpected(std::move(output.error()));
  }
  return Ends{std::move(*input), std::move(*output)};
}

int dry_run(const MapOptions& options, const process::ProcessSetup& setup) {
  const auto input = open_input(options, setup);
  if (!input) {
    return complain(input.error());
  }
  const bool each = options.program.launch.task_arguments;
  return show_tasks(
      options, *input,
      each ? longest_argument(options.program.launch.command) : options.max_payload.value_or(wire::longest_payload));
}

/// All workers may fail once, and once more: then the command does not work.
void limit_false_starts(core::PlannedProgram& planned) {
  constexpr std::uint32_t least = 5;
  planned.spec.restart.limit = core::RestartLimit{std::max(least, 2 * planned.workers()), std::chrono::minutes(1)};
}

}  // namespace

int map(MapOptions options) {
  std::optional<shell::CountsWriter> counts = shell::CountsWriter::from_environment();
  auto setup = process::ProcessSetup::begin();
  if (!setup) {
    return cannot_open(setup.error(), core::Containment::automatic);
  }
  const shell::TaskMode mode = options.lines                           ? shell::TaskMode::lines
                               : options.program.launch.task_arguments ? shell::TaskMode::each
                                                                       : shell::TaskMode::frames;
  if (options.dry_run) {
    return dry_run(options, *setup);
  }
  set_policies(options.program, options.policy, mode);
  if (mode == shell::TaskMode::frames) {
    options.program.launch.environment.emplace_back("CORRAL_TASK_FD", "3");
    options.program.launch.environment.emplace_back("CORRAL_MARK_FD", "4");
  }
  core::SupervisorSpec spec;
  spec.programs.push_back(options.program);
  auto preparation = shell::prepare(spec);
  if (!preparation) {
    for (const shell::Complaint& complaint : preparation.error()) {
      complain(complaint.message + (complaint.suggestion.empty() ? "" : " (" + complaint.suggestion + ")"));
    }
    return refused;
  }
  limit_false_starts(preparation->prepared.plan.programs.front());
  if (options.policy.relieves()) {
    preparation->prepared.plan.programs.front().relieve();
  }
  const Result<Ends> ends = open_ends(options, *setup);
  if (!ends) {
    return complain(ends.error());
  }
  auto state = open_state(options, mode, ends->output.get());
  if (!state) {
    return complain(state.error());
  }

  shell::FeedOptions feed;
  const bool resumes = *state && !(*state)->recorder.file->empty() && !(*state)->retry_only;
  const auto reports = open_reports(options, {ends->input.get(), ends->output.get()}, resumes, feed.reports);
  if (!reports) {
    return complain(reports.error());
  }
  if (options.shuffle) {
    feed.shuffle = fresh_seed();
  }
  feed.state = std::move(*state);
  if (counts) {
    feed.counts.emplace(std::move(*counts));
  }
  feed.policy = options.policy;
  if (options.ordered) {
    feed.policy.order_span = longest_order;
  }
  feed.mode = mode;
  feed.limit = options.limit;
  if (!options.talk.quiet && !options.client) {
    // Where the results scroll by on the same terminal they are progress enough.
    const bool line = ::isatty(STDERR_FILENO) != 0 && options.talk.format == shell::LogFormat::text &&
                      (!options.output.empty() || ::isatty(STDOUT_FILENO) == 0);
    feed.progress = line ? shell::ProgressStyle::line : shell::ProgressStyle::sentences;
  }
  if (options.max_payload) {
    feed.longest_task = feed.longest_answer = *options.max_payload;
  }
  if (mode == shell::TaskMode::each) {
    feed.longest_task = longest_argument(options.program.launch.command);
  }
  feed.input_fd = ends->input.get();
  if (options.client) {
    feed.client_fd = ends->output.get();
    feed.longest_task = feed.longest_answer = UINT32_MAX;  // What the client takes is the bound.
  }
  feed.input_name = options.tasks == "-" ? "stdin" : "'" + options.tasks + "'";
  feed.output_name = options.client ? "the client" : options.output.empty() ? "stdout" : "'" + options.output + "'";
  feed.results.fd = ends->output.get();
  feed.results.raw = options.raw;
  feed.results.ordered = options.ordered;
  feed.results.tag = options.tag;
  feed.results.as_text = mode != shell::TaskMode::frames;
  feed.results.as_output = mode == shell::TaskMode::each;

  shell::PumpOptions pump_options;
  pump_options.core.seed = fresh_seed();
  pump_options.core.tasks = true;
  pump_options.core.drains = options.drains;
  pump_options.core.led = options.led;
  pump_options.core.on_demand = mode == shell::TaskMode::each;
  pump_options.voice = voice_options(options.talk);
  pump_options.voice.all_to_stderr = true;
  pump_options.voice.endings =
      mode != shell::TaskMode::each && !options.policy.max_tasks && !options.policy.max_memory && !options.policy.max_age;
  pump_options.voice.least =
      options.client && options.talk.quiet ? shell::Weight::trouble : std::max(pump_options.voice.least, shell::Weight::notable);
  pump_options.processes.identity = process::fresh_identity();
  pump_options.guarded = true;
  pump_options.own_output = options.client.has_value();
  pump_options.feed = std::move(feed);
  auto pump = shell::Pump::open(*setup, std::move(pump_options));
  if (!pump) {
    return cannot_open(pump.error(), core::Containment::automatic);
  }
  if (!options.crashes.empty()) {
    preparation->prepared.crashes = core::CrashFiles{options.crashes, options.crashes_kept};
  }
  return supervise(**pump, std::move(preparation->prepared), 1);
}

}  // namespace corral::cli
