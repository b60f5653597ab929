// A plan together with what its launches need, made before anything is started or replaced.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "supervisor/core/plan.hpp"
#include "supervisor/shell/process/launch_template.hpp"

namespace corral::shell {

struct PreparedProgram {
  std::shared_ptr<const process::LaunchTemplate> launch;
  std::uint32_t threads = 0;  ///< For OMP_NUM_THREADS and its like where a worker is not pinned; 0: nothing is set.
};

struct Prepared {
  core::Plan plan;
  std::vector<PreparedProgram> programs;  ///< In the order of plan.programs.
  std::vector<std::string> notes;         ///< What the user should know of it, a sentence each.
};

/// Reads the configuration again. May block: it runs on a thread of its own. The error is text for people, of several
/// lines perhaps.
using Loader = std::function<Result<Prepared>()>;

}  // namespace corral::shell
