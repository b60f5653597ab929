// A process as a World knows it, and what can happen to it.
#pragma once

#include <array>
#include <csignal>
#include <map>
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

/// What the event says of a process.
inline void note(const Event& event, Instant now, std::map<WorkerId, WorkerProcess>& processes) {
  if (const auto* spawned = std::get_if<WorkerSpawned>(&event)) {
    processes.at(spawned->life.worker).asked = false;
  } else if (const auto* failed = std::get_if<SpawnFailed>(&event)) {
    WorkerProcess& process = processes.at(failed->life.worker);
    process.asked = process.alive = process.output = false;
  } else if (const auto* ready = std::get_if<WorkerReady>(&event)) {
    processes.at(ready->life.worker).executing = true;
    processes.at(ready->life.worker).ever_ran = true;
    processes.at(ready->life.worker).ready_at = now;
  } else if (const auto* exited = std::get_if<WorkerExited>(&event)) {
    processes.at(exited->life.worker).alive = false;
    processes.at(exited->life.worker).exited_well = exited->status == ExitStatus(ExitedWith{0});
  } else if (const auto* closed = std::get_if<OutputClosed>(&event)) {
    processes.at(closed->life.worker).output = false;
  } else if (const auto* swept = std::get_if<WorkerSwept>(&event)) {
    processes.at(swept->life.worker).sweeping = false;
  } else if (const auto* judged = std::get_if<WorkerJudged>(&event)) {
    const bool goes = judged->as == WorkerJudged::As::dismissed || judged->as == WorkerJudged::As::unwanted;
    WorkerProcess& process = processes.at(judged->life.worker);
    process.needed = process.needed && !goes;
  }
}

/// What the core says of a process, and whether it may.
inline void conclude(const Notice& notice, std::map<WorkerId, WorkerProcess>& processes) {
  const auto is_over = [&](Life life) {
    WorkerProcess& process = processes.at(life.worker);
    require(process.life == life && !process.concluded, "each life is concluded once");
    process.concluded = true;
  };
  if (const auto* broken = std::get_if<ShellBrokePromise>(&notice)) {
    require(false, "the core knows what to make of " + broken->what);
  } else if (const auto* ended = std::get_if<Ended>(&notice)) {
    is_over(ended->life);
  } else if (const auto* failed = std::get_if<LaunchFailed>(&notice)) {
    is_over(failed->life);
  } else if (const auto* hopeless = std::get_if<Unkillable>(&notice)) {
    require(processes.at(hopeless->life.worker).alive, "what is dead is not unkillable");
    is_over(hopeless->life);
  }
}

}  // namespace corral::simulation
