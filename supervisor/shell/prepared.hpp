// A plan together with what its launches need, made before anything is started or replaced.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "supervisor/core/plan.hpp"
#include "supervisor/core/plan_changes.hpp"
#include "supervisor/shell/process/launch_template.hpp"

namespace corral::shell {

struct PreparedProgram {
  std::shared_ptr<const process::LaunchTemplate> launch;
  std::uint32_t threads = 0;  ///< For OMP_NUM_THREADS and its like where a worker is not pinned; 0: nothing is set.
};

struct Prepared {
  core::Plan plan;
  std::vector<PreparedProgram> programs;  ///< In the order of plan.programs.
  std::optional<core::EventHook> on_event;
  std::shared_ptr<const process::LaunchTemplate> on_event_launch;
  std::optional<core::CrashFiles> crashes;
  bool rollback = false;           ///< As the configuration has it: unless it holds, the one before comes back.
  std::vector<std::string> notes;  ///< What the user should know of it, a sentence each.
};

/// A program shall have so many workers; otherwise everything stays as it is.
struct ScaleWish {
  std::string program;
  core::WorkerCount workers;
};

/// What is to be made of the configuration. Those that give a result may block: they run on a thread of their own, one at a time,
/// and change nothing. The errors are text for people.
class Loader {
 public:
  virtual ~Loader() = default;
  /// Reads it again.
  [[nodiscard]] virtual Result<Prepared> reload() = 0;
  /// What that would change, worker by worker.
  [[nodiscard]] virtual Result<std::vector<core::WorkerChange>> preview() = 0;
  [[nodiscard]] virtual Result<Prepared> scale(const ScaleWish& wish) = 0;
  /// What is remembered, with the numbers of workers that were wished for since.
  [[nodiscard]] virtual Result<Prepared> restore() = 0;
  /// From now on restore() means what is in force now.
  virtual void remember_what_is_in_force() = 0;
  /// What was prepared last is in force from now on.
  virtual void take_over() = 0;
  /// Of the text that what is in force was read from.
  [[nodiscard]] virtual std::uint64_t fingerprint() const = 0;
};

}  // namespace corral::shell
