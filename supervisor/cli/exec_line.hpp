// The command line of `corral exec`: a configuration in options.
#pragma once

#include <string>
#include <vector>

#include "supervisor/cli/commands.hpp"

namespace CLI {
class App;
}

namespace corral::cli {

/// What only makes sense once all options are read.
struct ExecExtras {
  std::vector<std::string> variables;
  std::vector<std::string> maps;
  bool restart_given = false;
};

/// `options` and `extras` are written to while the command line is parsed, and must live as long as `app`.
void add_exec_options(CLI::App& app, ExecOptions& options, ExecExtras& extras);

/// Throws CLI::Error where the options contradict each other. `options` has a command.
int exec_with(ExecOptions& options, const ExecExtras& extras);

}  // namespace corral::cli
