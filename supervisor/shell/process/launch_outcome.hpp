// What a failed launch has to say for itself.
#pragma once

#include "supervisor/core/launch_failure.hpp"
#include "supervisor/shell/process/launch_slot.hpp"

namespace corral::process {

/// The failure that the new process noted in its plan, with what it was about. Forgets where the command was found.
[[nodiscard]] core::LaunchFailure failure_of(const LaunchSlot& slot);

}  // namespace corral::process
