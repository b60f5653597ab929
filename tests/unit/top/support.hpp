// Samples, keys and screens for the tests of `corral top`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "supervisor/cli/top/model.hpp"
#include "supervisor/cli/top/painter.hpp"

namespace corral::cli::top::test {

inline WorkerSample worker(const std::string& program, std::uint64_t index, double cpu_seconds = 0) {
  return {.name = program + "/" + std::to_string(index),
          .program = program,
          .index = index,
          .state = "running",
          .wanted_up = true,
          .pid = 1000 + index,
          .incarnation = 1,
          .cores = std::to_string(index),
          .uptime_seconds = 75,
          .restarts = 0,
          .cpu_seconds = cpu_seconds,
          .memory_bytes = 12U << 20U,
          .next_start_seconds = {},
          .tasks_done = {}};
}

inline Sample sample(std::vector<WorkerSample> workers) {
  return {.version = "0.1.0",
          .config = "/etc/corral/corral.json",
          .phase = "running",
          .pid = 4711,
          .uptime_seconds = 3725,
          .programs = 1,
          .workers = std::move(workers)};
}

inline Instant at(double seconds) {
  return Instant(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds)));
}

inline std::optional<Act> type(Model& model, std::string_view letters) {
  std::optional<Act> act;
  for (const char letter : letters) {
    act = model.press({Key::Kind::text, std::string(1, letter)});
  }
  return act;
}

/// What a person sees, without blanks at the ends of lines.
inline std::vector<std::string> shown(Model& model, Size size, bool utf8 = true) {
  model.fit(visible_workers(size));
  std::vector<std::string> lines;
  for (const Line& line : paint(model, {size, utf8})) {
    std::string text = text_of(line);
    text.erase(text.find_last_not_of(' ') + 1);
    lines.push_back(text);
  }
  return lines;
}

inline std::vector<std::string> names(const Model& model) {
  std::vector<std::string> found;
  for (const Row& row : model.rows()) {
    found.push_back(row.worker.name);
  }
  return found;
}

}  // namespace corral::cli::top::test
