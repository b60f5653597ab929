// A process as a World knows it, and what can happen to it.
#pragma once

#include <array>
#include <csignal>
#include <stdexcept>
#include <string>

#include "supervisor/core/supervisor.hpp"

namespace corral::simulation {

using namespace core;

/// What is true of one worker's process.
struct WorkerProcess {
  Life life;
  bool asked = false;  ///< SpawnWorker was asked for and not answered.
  bool alive = false;  ///< Not reaped.
  bool executing = false;
  bool output = false;    ///< OutputClosed is still to come.
  bool sweeping = false;  ///< WorkerSwept is due.
  bool concluded = true;
  bool needed = true;  ///< Nobody has said that no other one shall follow it.
  bool asked_to_end = false;
  Instant ready_at{};
  bool exited_well = false;
  bool ever_ran = false;  ///< Its program was executed, in this life or another.
};

inline void require(bool holds, const std::string& invariant) {
  if (!holds) {
    throw std::logic_error(invariant);
  }
}

enum class What : std::uint8_t { spawned, launch_fails, ready, exits_well, crashes, output_closes, swept };
inline constexpr std::array<const char*, 7> words{"spawned ", "launch fails ",  "ready ", "exits well ",
                                                  "crashes ", "output closes ", "swept "};

inline bool possible(What what, const WorkerProcess& process) {
  switch (what) {
    case What::spawned: return process.asked;
    case What::launch_fails: return process.alive && !process.executing;
    case What::ready: return process.alive && !process.asked && !process.executing;
    case What::exits_well:
    case What::crashes: return process.alive && process.executing;
    case What::output_closes: return process.output && !process.alive;
    case What::swept: return process.sweeping;
  }
  return false;
}

inline Event event_of(What what, const WorkerProcess& process) {
  switch (what) {
    case What::spawned: return WorkerSpawned{process.life, 1};
    case What::launch_fails: return SpawnFailed{process.life, {}};
    case What::ready: return WorkerReady{process.life};
    case What::exits_well: return WorkerExited{process.life, ExitedWith{0}};
    case What::crashes: return WorkerExited{process.life, KilledBy{SIGSEGV}};
    case What::output_closes: return OutputClosed{process.life};
    case What::swept: return WorkerSwept{process.life};
  }
  return DeadlineReached{};
}

}  // namespace corral::simulation
