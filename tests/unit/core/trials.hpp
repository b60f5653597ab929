// Configurations on trial, for the tests of them.
#pragma once

#include <csignal>
#include <string>
#include <utility>

#include "tests/unit/core/driver.hpp"

namespace corral::core::testing {

inline PlannedProgram healthy_after_a_second(std::string name, std::string command) {
  return program(std::move(name), [&](auto& p) {
    p.spec.launch.command = {command};
    p.spec.restart.healthy_after = 1s;
    p.spec.restart.when = RestartWhen::on_failure;
  });
}

inline PlannedProgram older(std::string name = "a") { return healthy_after_a_second(std::move(name), "old"); }
inline PlannedProgram newer(std::string name = "a") { return healthy_after_a_second(std::move(name), "new"); }

/// a/0 of the new configuration has been asked for, on trial.
inline void begin_trial(Driver& d) {
  d.start({older()});
  d.up("a/0");
  d.try_out({newer()});
  d.ends("a/0", KilledBy{SIGTERM});
}

/// The same beside b/0, which does not change.
inline void begin_trial_of_one_of_two(Driver& d) {
  d.start({older("a"), older("b")});
  d.up("a/0");
  d.up("b/0");
  d.try_out({newer("a"), older("b")});
  d.ends("a/0", KilledBy{SIGTERM});
}

}  // namespace corral::core::testing
