// Which log files belong to what the user has named.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "supervisor/core/spec.hpp"

namespace corral::cli {

struct LogSource {
  std::string label;  ///< "crunch/0", or "crunch/0 stderr".
  std::string path;
  std::size_t colour = 0;
  bool has_names = false;               ///< Its lines say themselves whose they are,
  std::vector<std::string> of_workers;  ///< and these patterns of them are wanted; none: all.
};

/// Those of `workers` ("crunch", "crunch/0", "c*/1"), or of all programs with log files where there are none. The error says
/// which name means nothing, or why there is no file. Where workers share a file, the supervisor of the configuration `config`
/// is asked about those that are not in `spec`.
[[nodiscard]] Result<std::vector<LogSource>> find_logs(const core::SupervisorSpec& spec, const std::vector<std::string>& workers,
                                                       const std::string& config);

/// The worker that a line of a shared file is of: what it says before " | " or " > ", or in its JSON. Empty where it does not
/// say.
[[nodiscard]] std::string_view worker_in(std::string_view line);

}  // namespace corral::cli
