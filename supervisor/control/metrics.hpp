// What the supervisor measures, in the text that Prometheus and its kin read.
//
// Pure: a view goes in, text comes out. Two dialects of it: OpenMetrics 1.0, and Prometheus' older text format for those who
// do not ask for the new one. docs/guide/metrics.md lists every metric.
//
// Bounded: each program has the same number of lines, whatever its number of workers. Workers have lines of their own while
// there are at most `most_workers` of them in all; beyond that none has, and a metric says how many are left out.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/instant.hpp"
#include "supervisor/control/metrics_format.hpp"
#include "supervisor/control/reply.hpp"
#include "supervisor/control/tally.hpp"
#include "supervisor/control/view.hpp"
#include "supervisor/core/snapshot.hpp"
#include "supervisor/core/tasks/task.hpp"

namespace corral::control {

struct WorkerMetrics {
  std::uint32_t index = 0;
  core::StateKind state = core::StateKind::stopped;
  std::uint32_t restarts = 0;
  Duration cpu{};                             ///< Of its present life.
  std::optional<std::uint64_t> memory_bytes;  ///< RSS; nothing where there is no process, or no /proc.
};

/// What became of the output of a program that writes into files.
struct LogMetrics {
  std::uint64_t written_bytes = 0;
  std::uint64_t dropped_bytes = 0;
  std::uint64_t dropped_lines = 0;
  std::uint64_t rotations = 0;
};

struct ProgramMetrics {
  std::string name;
  bool failed = false;
  std::vector<WorkerMetrics> workers;
  ProgramTally tally;
  std::optional<core::TaskCounts> tasks;  ///< Of a program that is fed.
  std::optional<LogMetrics> log;          ///< Where its output goes to files.
};

struct MetricsView {
  std::string version;
  core::Phase phase = core::Phase::running;
  Duration uptime{};
  std::vector<ProgramMetrics> programs;
  Histogram restart_latency;
  Histogram downtime;
  Histogram loop_lag;
};

/// What no view has: copied out of the loop with it.
struct Counted {
  TallyCounts tally;
  std::map<ProgramId, LogMetrics> logs;  ///< Of those whose output goes to files.
};

/// Of a view with its measures.
[[nodiscard]] MetricsView metrics_view(const View& view, const Counted& counted);

/// Workers that have lines of their own, in all.
inline constexpr std::size_t most_workers_listed = 1000;

[[nodiscard]] std::string render_metrics(const MetricsView& view, MetricsFormat format = MetricsFormat::openmetrics,
                                         std::size_t most_workers = most_workers_listed);

/// The answer to GET /metrics.
[[nodiscard]] Reply metrics(const View& view, const Counted& counted, MetricsFormat format);

}  // namespace corral::control
