// The inside of a LaunchTemplate, for the launcher alone.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "supervisor/shell/process/account.hpp"
#include "supervisor/shell/process/launch_template.hpp"
#include "supervisor/shell/process/pattern.hpp"
#include "supervisor/shell/process/worker_start.hpp"

namespace corral::process {

/// Numeric libraries that would start a thread for every core of the machine unless told otherwise.
inline constexpr std::array<std::string_view, 4> thread_variables{"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
                                                                  "NUMEXPR_NUM_THREADS"};

struct LaunchTemplate::Parts {
  std::uint64_t number = 0;  ///< No two templates of this process have the same.
  std::string program;
  std::uint32_t worker_count = 1;  ///< Slots beyond that are the second ones of workers that have two.
  std::string workers;             ///< The same, as text.
  std::vector<Pattern> arguments;

  std::vector<const char*> inherited;  ///< Pointers into the supervisor's environment.
  std::vector<Pattern> environment;    ///< "NAME=value" of the configuration, CORRAL_PROGRAM and CORRAL_WORKERS.
  std::vector<std::string_view> unset_thread_variables;
  std::string search_path;

  Pattern directory;
  std::string user;  ///< As configured, for messages.
  std::string group;
  Account account;
  std::vector<PlannedLimit> limits;
  std::optional<int> nice;
  std::optional<int> umask;
  std::optional<int> oom_score_adj;
  bool no_new_privileges = true;

  /// The file to execute where the command is the same for all workers; empty while it is not found.
  mutable std::string resolved;
};

}  // namespace corral::process
