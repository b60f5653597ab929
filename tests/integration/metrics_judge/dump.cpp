// Metrics of a made-up supervisor that has everything: for judge.py to read.
//
//   metrics_dump openmetrics|prometheus [WORKERS]
#include <cstdio>
#include <string>
#include <string_view>

#include "supervisor/control/metrics.hpp"

using namespace corral;
using namespace std::chrono_literals;

namespace {

control::ProgramMetrics program(const std::string& name, std::uint32_t workers) {
  control::ProgramMetrics program;
  program.name = name;
  for (std::uint32_t index = 0; index < workers; ++index) {
    const auto state = core::all_states[index % core::all_states.size()];
    program.workers.push_back({index, state, index % 3, index * 10ms, 4096U * (index + 1)});
  }
  program.tally.restarts = {1, 2, 3, 4, 5, 6, 7};
  program.tally.cpu_of_the_dead = 1s + 1ns;
  return program;
}

}  // namespace

int main(int argc, char** argv) {
  const bool open = argc > 1 && std::string_view(argv[1]) == "openmetrics";
  const std::uint32_t workers = argc > 2 ? static_cast<std::uint32_t>(std::stoul(argv[2])) : 25;
  control::MetricsView view;
  view.version = "0.1.0 \"odd\" \\ \n name";
  view.uptime = 3725s;
  view.programs = {program("plain", workers), program("fed", 1), program("none", 0)};
  view.programs[1].tasks =
      core::TaskCounts{.accepted = 100, .queued = 10, .in_work = 5, .done = 80, .failed = 2, .quarantined = 3};
  view.programs[1].log = control::LogMetrics{.written_bytes = 900, .dropped_bytes = 100, .dropped_lines = 2, .rotations = 3};
  for (Duration took = 50us; took < 200s; took *= 3) {
    view.restart_latency.observe(took);
    view.downtime.observe(2 * took);
    view.loop_lag.observe(took / 100);
  }
  const std::string text =
      control::render_metrics(view, open ? control::MetricsFormat::openmetrics : control::MetricsFormat::prometheus);
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}
