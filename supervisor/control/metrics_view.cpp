// From what the supervisor shows and what was counted to what is measured.
#include <chrono>

#include "supervisor/control/metrics.hpp"

namespace corral::control {
namespace {

WorkerMetrics worker_metrics(const WorkerView& worker) {
  const Measure measure = worker.measure.value_or(Measure{});
  return {worker.state.index, core::kind(worker.state.state), worker.state.restarts,
          std::chrono::duration_cast<Duration>(std::chrono::duration<double>(measure.cpu_seconds)),
          worker.measure ? std::optional(measure.memory_bytes) : std::nullopt};
}

ProgramMetrics program_metrics(const ProgramView& program, const Counted& counted) {
  ProgramMetrics metrics;
  metrics.name = program.name;
  metrics.failed = program.failed;
  metrics.tasks = program.tasks;
  metrics.workers.reserve(program.workers.size());
  for (const WorkerView& worker : program.workers) {
    metrics.workers.push_back(worker_metrics(worker));
  }
  if (const auto found = counted.tally.programs.find(program.id); found != counted.tally.programs.end()) {
    metrics.tally = found->second;
  }
  if (const auto found = counted.logs.find(program.id); found != counted.logs.end()) {
    metrics.log = found->second;
  }
  return metrics;
}

}  // namespace

MetricsView metrics_view(const View& view, const Counted& counted) {
  MetricsView metrics;
  metrics.version = CORRAL_VERSION;
  metrics.phase = view.phase;
  metrics.uptime = view.now - view.supervisor.started_at;
  metrics.restart_latency = counted.tally.restart_latency;
  metrics.downtime = counted.tally.downtime;
  metrics.loop_lag = counted.tally.loop_lag;
  for (const ProgramView& program : view.programs) {
    metrics.programs.push_back(program_metrics(program, counted));
  }
  return metrics;
}

Reply metrics(const View& view, const Counted& counted, MetricsFormat format) {
  return {200, render_metrics(metrics_view(view, counted), format), content_type(format), {}};
}

}  // namespace corral::control
