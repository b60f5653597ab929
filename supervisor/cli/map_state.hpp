// `corral map --state FILE`: the file of a run, and what can be asked of it without a run.
#pragma once

#include <memory>

#include "common/base/result.hpp"
#include "supervisor/cli/commands.hpp"
#include "supervisor/shell/tasks/feed.hpp"

namespace corral::cli {

/// --status, --failed or --results: prints it. The exit status.
[[nodiscard]] int look_at_state(const MapOptions& options);

/// --retry-failed without a COMMAND: that of the runs before.
[[nodiscard]] Result<void> take_command_from_state(MapOptions& options);

/// What a feed needs of it; nothing without --state. `output`: where the results go.
[[nodiscard]] Result<std::optional<shell::LedgerOptions>> open_state(const MapOptions& options, shell::TaskMode mode, int output);

}  // namespace corral::cli
