// A supervisor as clients see it, for the tests of requests and replies.
#pragma once

#include <string>

#include "supervisor/control/view.hpp"

namespace corral::control {

inline WorkerView worker_of(const std::string& program, std::uint32_t index, core::State state) {
  WorkerView worker;
  worker.name = program + "/" + std::to_string(index);
  worker.state.index = index;
  worker.state.state = std::move(state);
  worker.state.wanted_up = true;
  return worker;
}

/// crunch/0 and crunch/1, web-a/0, web-b/0; all of them run, as pid 100 and so on, for 5 s.
inline View view_of_three() {
  View view;
  view.now = Instant{} + std::chrono::seconds(60);
  view.supervisor = {42, "/etc/corral/corral.json", "/run/corral/corral.sock", "subreaper", Instant{}};
  std::int32_t pid = 100;
  std::uint32_t number = 0;
  for (const auto& [name, workers] : {std::pair<const char*, std::uint32_t>{"crunch", 2}, {"web-a", 1}, {"web-b", 1}}) {
    ProgramView& program = view.programs.emplace_back(ProgramId{number++}, name, false);
    for (std::uint32_t index = 0; index < workers; ++index) {
      program.workers.push_back(worker_of(name, index, core::Running{}));
      program.workers.back().state.pid = pid++;
      program.workers.back().state.incarnation = Incarnation{1};
      program.workers.back().state.launched_at = view.now - std::chrono::seconds(5);
    }
  }
  return view;
}

}  // namespace corral::control
