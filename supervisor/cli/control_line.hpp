// The command lines of what talks to a running supervisor: status, start, stop, restart, scale, signal, reload, shutdown.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "supervisor/cli/control_commands.hpp"

namespace CLI {
class App;
}

namespace corral::cli {

/// The options that say which supervisor is meant.
void add_whose(CLI::App& app, Whose& whose);

class ControlLine {
 public:
  /// Adds the sub-commands; their options only for the one that `word` names, since describing them takes time.
  void add_to(CLI::App& app, std::string_view word);
  /// Runs the one that was parsed; nothing where none was.
  [[nodiscard]] std::optional<int> run() const;

 private:
  void add_status(CLI::App& app);
  void watch(const std::string& text);
  void add_change(CLI::App& app, Change::Kind kind);

  StatusOptions status_;
  Change change_;
  CLI::App* parsed_status_ = nullptr;
  std::vector<std::pair<Change::Kind, CLI::App*>> changes_;
};

}  // namespace corral::cli
