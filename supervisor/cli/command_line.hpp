// The one description of the command line: its help, its parsing, its completion and its man page come from it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "supervisor/cli/commands.hpp"
#include "supervisor/cli/control_line.hpp"
#include "supervisor/cli/events.hpp"
#include "supervisor/cli/exec_line.hpp"
#include "supervisor/cli/logs_line.hpp"
#include "supervisor/cli/map_line.hpp"
#include "supervisor/cli/top_line.hpp"

namespace CLI {
class App;
}  // namespace CLI

namespace corral::cli {

/// Every command; the options of those that have many only for the one that `word` names.
class CommandLine {
  std::unique_ptr<CLI::App> owned_;

 public:
  explicit CommandLine(std::string_view word);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  /// Runs the command that `app` has parsed: the exit status.
  [[nodiscard]] int run_parsed();

  CLI::App& app;
  CLI::App* run_app = nullptr;
  CLI::App* exec_app = nullptr;
  CLI::App* map_app = nullptr;
  CLI::App* check_app = nullptr;
  RunOptions run_options;
  ExecOptions exec_options;
  ExecExtras exec_extras;
  MapOptions map_options;
  MapExtras map_extras;
  CheckOptions check_options;

 private:
  void add_jobs(std::string_view word);

  ControlLine control_line;
  LogsOptions logs_options;
  EventsLine events_line;
  TopLine top_line;
  bool reference = false;
  std::string shell;
  CLI::App* logs_app = nullptr;
  CLI::App* schema_app = nullptr;
  CLI::App* completion_app = nullptr;
  CLI::App* manual_app = nullptr;
};

}  // namespace corral::cli
