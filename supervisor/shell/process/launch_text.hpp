// Fills a slot with the arguments and the environment of one worker.
#pragma once

#include <expected>
#include <string>

#include "supervisor/core/launch_failure.hpp"
#include "supervisor/shell/process/launch_slot.hpp"
#include "supervisor/shell/process/processes.hpp"

namespace corral::process {

/// Sets text, argv, envp, path, directory and placement. Fails where the command cannot be found.
[[nodiscard]] std::expected<void, core::LaunchFailure> write_text(LaunchSlot& slot, const LaunchRequest& request,
                                                                  const std::string& identity);

}  // namespace corral::process
