#include "supervisor/control/metrics.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "supervisor/control/exposition.hpp"

namespace corral::control {
namespace {

using Type = Exposition::Type;

constexpr std::array all_phases{std::pair{core::Phase::running, "running"}, std::pair{core::Phase::stopping, "stopping"},
                                std::pair{core::Phase::sweeping, "sweeping"}, std::pair{core::Phase::done, "done"}};

std::string of_program(const ProgramMetrics& program) { return label_set({{"program", program.name}}); }

void supervisor_itself(Exposition& out, const MetricsView& view) {
  out.family("corral_build", Type::info, "The version of corral that runs.");
  out.sample(label_set({{"version", view.version}}), std::uint64_t{1});
  out.family("corral_uptime_seconds", Type::gauge, "Since the supervisor began to supervise.", "seconds");
  out.sample({}, view.uptime);
  out.family("corral_phase", Type::gauge, "1 for what the supervisor is at, 0 for all else.");
  for (const auto& [phase, name] : all_phases) {
    out.sample(label_set({{"phase", name}}), std::uint64_t{view.phase == phase});
  }
  out.family("corral_restart_latency_seconds", Type::histogram,
             "From the death of a worker until its next life ran, without the delay that its policy asked for.", "seconds");
  out.histogram(view.restart_latency);
  out.family("corral_restart_downtime_seconds", Type::histogram,
             "From the death of a worker until its next life ran, that delay included.", "seconds");
  out.histogram(view.downtime);
  out.family("corral_loop_lag_seconds", Type::histogram, "How late the supervisor's loop came to what it had to do.", "seconds");
  out.histogram(view.loop_lag);
}

void states(Exposition& out, const std::vector<ProgramMetrics>& programs) {
  out.family("corral_program_failed", Type::gauge, "1 where the program had too many unhealthy exits and was given up.");
  for (const ProgramMetrics& program : programs) {
    out.sample(of_program(program), std::uint64_t{program.failed});
  }
  out.family("corral_program_workers", Type::gauge, "Workers of the program in each state.");
  for (const ProgramMetrics& program : programs) {
    std::array<std::uint64_t, core::all_states.size()> counts{};
    for (const WorkerMetrics& worker : program.workers) {
      ++counts[static_cast<std::size_t>(worker.state)];
    }
    for (const core::StateKind state : core::all_states) {
      out.sample(label_set({{"program", program.name}, {"state", name(state)}}), counts[static_cast<std::size_t>(state)]);
    }
  }
}

void sums(Exposition& out, const std::vector<ProgramMetrics>& programs) {
  out.family("corral_program_restarts", Type::counter, "Restarts that were decided, by what they are a consequence of.");
  for (const ProgramMetrics& program : programs) {
    for (const RestartCause cause : all_causes) {
      out.sample(label_set({{"program", program.name}, {"cause", name(cause)}}),
                 program.tally.restarts[static_cast<std::size_t>(cause)]);
    }
  }
  out.family("corral_program_cpu_seconds", Type::counter, "User and system time of all lives of the program's workers.",
             "seconds");
  for (const ProgramMetrics& program : programs) {
    Duration cpu = program.tally.cpu_of_the_dead;
    for (const WorkerMetrics& worker : program.workers) {
      cpu += worker.cpu;
    }
    out.sample(of_program(program), cpu);
  }
  out.family("corral_program_memory_bytes", Type::gauge, "Resident memory of the workers; what they share counts for each.",
             "bytes");
  for (const ProgramMetrics& program : programs) {
    std::uint64_t memory = 0;
    for (const WorkerMetrics& worker : program.workers) {
      memory += worker.memory_bytes.value_or(0);
    }
    out.sample(of_program(program), memory);
  }
}

/// One number of something that only some programs have.
template <class Part>
struct Column {
  std::string_view name;
  Type type;
  std::string_view help;
  std::string_view unit;
  std::uint64_t Part::* number;
};

template <class Part>
void columns(Exposition& out, const std::vector<ProgramMetrics>& programs, std::optional<Part> ProgramMetrics::* part,
             std::span<const Column<Part>> all) {
  for (const Column<Part>& column : all) {
    if (std::ranges::any_of(programs, [&](const ProgramMetrics& program) { return (program.*part).has_value(); })) {
      out.family(column.name, column.type, column.help, column.unit);
      for (const ProgramMetrics& program : programs) {
        if (const std::optional<Part>& has = program.*part) {
          out.sample(of_program(program), (*has).*(column.number));
        }
      }
    }
  }
}

constexpr std::array<Column<core::TaskCounts>, 5> task_columns{{
    {"corral_tasks_accepted", Type::counter, "Tasks that were taken from the input.", {}, &core::TaskCounts::accepted},
    {"corral_tasks_queued", Type::gauge, "Tasks that wait for a worker.", {}, &core::TaskCounts::queued},
    {"corral_tasks_in_work",
     Type::gauge,
     "Tasks that are at a worker, prefetched ones included.",
     {},
     &core::TaskCounts::in_work},
    {"corral_task_retries", Type::counter, "Attempts beyond each task's first.", {}, &core::TaskCounts::retries},
    {"corral_task_answers_dropped",
     Type::counter,
     "Answers that nobody had asked for, or that came twice.",
     {},
     &core::TaskCounts::dropped},
}};

constexpr std::array<std::pair<std::string_view, std::uint64_t core::TaskCounts::*>, 5> task_ends{{
    {"done", &core::TaskCounts::done},
    {"failed", &core::TaskCounts::failed},
    {"quarantined", &core::TaskCounts::quarantined},
    {"left", &core::TaskCounts::left},
    {"cancelled", &core::TaskCounts::cancelled},
}};

constexpr std::array<Column<LogMetrics>, 4> log_columns{{
    {"corral_log_written_bytes", Type::counter, "What workers wrote and files took.", "bytes", &LogMetrics::written_bytes},
    {"corral_log_dropped_bytes", Type::counter, "What workers wrote and was dropped.", "bytes", &LogMetrics::dropped_bytes},
    {"corral_log_dropped_lines", Type::counter, "The same in lines.", {}, &LogMetrics::dropped_lines},
    {"corral_log_rotations", Type::counter, "Files that were put aside for a new one.", {}, &LogMetrics::rotations},
}};

void tasks(Exposition& out, const std::vector<ProgramMetrics>& programs) {
  columns<core::TaskCounts>(out, programs, &ProgramMetrics::tasks, task_columns);
  if (std::ranges::none_of(programs, [](const ProgramMetrics& program) { return program.tasks.has_value(); })) {
    return;
  }
  out.family("corral_tasks_ended", Type::counter, "Tasks by how they ended, each exactly once.");
  for (const ProgramMetrics& program : programs) {
    for (const auto& [end, number] : task_ends) {
      if (program.tasks) {
        out.sample(label_set({{"program", program.name}, {"outcome", end}}), (*program.tasks).*number);
      }
    }
  }
}

// ---- Workers, each with its own lines ------------------------------------------------------------------------------

struct Listed {
  const WorkerMetrics* worker;
  std::string labels;  ///< `{program="crunch",worker="crunch/0"}`
};

std::vector<Listed> list_workers(const std::vector<ProgramMetrics>& programs) {
  std::vector<Listed> listed;
  for (const ProgramMetrics& program : programs) {
    for (const WorkerMetrics& worker : program.workers) {
      const std::string name = program.name + "/" + std::to_string(worker.index);
      listed.push_back({&worker, label_set({{"program", program.name}, {"worker", name}})});
    }
  }
  return listed;
}

void state_of_each(Exposition& out, const std::vector<Listed>& workers) {
  std::array<std::string, core::all_states.size()> ends;
  for (const core::StateKind state : core::all_states) {
    ends[static_cast<std::size_t>(state)] = ",state=\"" + std::string(name(state)) + "\"}";
  }
  out.family("corral_worker_state", Type::gauge, "1 for the state that the worker is in, 0 for all others.");
  std::string labels;
  for (const Listed& listed : workers) {
    for (const core::StateKind state : core::all_states) {
      labels.assign(listed.labels, 0, listed.labels.size() - 1).append(ends[static_cast<std::size_t>(state)]);
      out.sample(labels, std::uint64_t{listed.worker->state == state});
    }
  }
}

void each_worker(Exposition& out, const std::vector<Listed>& workers) {
  state_of_each(out, workers);
  out.family("corral_worker_restarts", Type::counter, "Restarts of the worker by its restart policy.");
  for (const Listed& listed : workers) {
    out.sample(listed.labels, std::uint64_t{listed.worker->restarts});
  }
  out.family("corral_worker_cpu_seconds", Type::counter, "User and system time of the worker's present life.", "seconds");
  for (const Listed& listed : workers) {
    out.sample(listed.labels, listed.worker->cpu);
  }
  out.family("corral_worker_memory_bytes", Type::gauge, "Resident memory of the worker.", "bytes");
  for (const Listed& listed : workers) {
    if (listed.worker->memory_bytes) {
      out.sample(listed.labels, *listed.worker->memory_bytes);
    }
  }
}

}  // namespace

std::string render_metrics(const MetricsView& view, MetricsFormat format, std::size_t most_workers) {
  constexpr std::size_t bytes_of_program = 4096;
  constexpr std::size_t bytes_of_worker = 1400;
  std::size_t workers = 0;
  for (const ProgramMetrics& program : view.programs) {
    workers += program.workers.size();
  }
  const bool listed = workers <= most_workers;
  Exposition out(format);
  out.reserve((view.programs.size() + 2) * bytes_of_program + (listed ? workers * bytes_of_worker : 0));
  supervisor_itself(out, view);
  states(out, view.programs);
  sums(out, view.programs);
  tasks(out, view.programs);
  columns<LogMetrics>(out, view.programs, &ProgramMetrics::log, log_columns);
  out.family("corral_workers_not_listed", Type::gauge, "Workers without metrics of their own, since there are so many.");
  out.sample({}, std::uint64_t{listed ? 0 : workers});
  if (listed) {
    each_worker(out, list_workers(view.programs));
  }
  return std::move(out).finish();
}

}  // namespace corral::control
