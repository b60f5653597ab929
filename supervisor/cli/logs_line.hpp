// The command line of `logs`.
#pragma once

#include <string>

#include "supervisor/cli/commands.hpp"

namespace CLI {
class App;
}

namespace corral::cli {

extern const char* const logs_about;

void add_logs_options(CLI::App& app, LogsOptions& options);

}  // namespace corral::cli
