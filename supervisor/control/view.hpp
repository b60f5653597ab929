// What a client may see of the supervisor at one instant: plain data, copied out of the loop, rendered elsewhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/instant.hpp"
#include "supervisor/core/snapshot.hpp"
#include "supervisor/core/tasks/task.hpp"

namespace corral::control {

/// Of a process, from /proc: read beside the loop, and missing where the process has just gone.
struct Measure {
  double cpu_seconds = 0;          ///< User and system together, of the process itself.
  std::uint64_t memory_bytes = 0;  ///< Resident.
};

struct WorkerView {
  std::string name;  ///< crunch/0
  core::WorkerSnapshot state;
  std::string cores;  ///< "0-3"; empty: not pinned.
  std::optional<Measure> measure;
};

struct ProgramView {
  ProgramId id{};
  std::string name;
  bool failed = false;
  std::vector<WorkerView> workers;
  std::optional<core::TaskCounts> tasks{};  ///< Of one that has tasks, in the present or last life of its map.
};

struct SupervisorView {
  std::int32_t pid = 0;
  std::string config;  ///< An absolute path.
  std::string socket;  ///< Likewise.
  std::string containment;
  Instant started_at{};
};

struct View {
  SupervisorView supervisor;
  core::Phase phase = core::Phase::running;
  Instant now{};
  std::vector<ProgramView> programs;
};

}  // namespace corral::control
