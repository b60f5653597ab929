// What a supervisor is, beside what it supervises: said once, when it is made.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/instant.hpp"

namespace corral::core {

/// Waits that no configuration sets.
struct Patience {
  Duration output = std::chrono::milliseconds(250);  ///< For output that somebody else holds open.
  Duration sweep = std::chrono::milliseconds(100);   ///< Between two looks for descendants that are still there.
  Duration kill = std::chrono::seconds(10);          ///< For SIGKILL to have its effect.
  Duration echo = std::chrono::milliseconds(50);     ///< For the same stop signal to arrive once more, sent by no one.
};

/// `corral exec` with one worker: signals are the worker's, and so is the exit status.
struct Transparent {
  std::vector<std::pair<int, int>> rewrite;  ///< Received, passed on; 0 passes nothing on.
  bool grace = false;                        ///< SIGTERM and SIGINT follow the stop policy, SIGKILL included.
};

struct Options {
  std::uint64_t seed = 0;               ///< Of the jitter.
  std::uint32_t launches_at_once = 16;  ///< Processes being created at any moment; bounds how late a signal is seen.
  bool reloadable = false;              ///< There is a configuration to read again on SIGHUP.
  bool on_demand = false;               ///< Workers begin a life when they are called, and not before.
  bool tasks = false;                   ///< Workers are fed: the first signal lets them finish what they are at.
  bool drains = true;                   ///< With tasks: else the first signal is a stop.
  bool led = false;                     ///< With tasks: their giver decides about the end; SIGINT is for what is in work.
  std::optional<Transparent> transparent;
  Patience patience;
};

}  // namespace corral::core
