// What has happened, what happens, and why: `corral events` and `corral explain`. Each returns the exit status, as those of
// control_commands.hpp do.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "supervisor/cli/commands.hpp"
#include "supervisor/cli/find_supervisor.hpp"

namespace CLI {
class App;
}

namespace corral::cli {

struct EventsOptions {
  Whose whose;
  std::vector<std::string> targets;  ///< Patterns; none: all events.
  std::vector<std::string> events;   ///< By name; none: all.
  std::size_t last = 100;            ///< Of those that have happened; SIZE_MAX: all that are remembered.
  bool follow = false;
  bool json = false;
};
/// Ends with the supervisor where it follows.
[[nodiscard]] int events(const EventsOptions& options);

struct ExplainOptions {
  Whose whose;
  std::vector<std::string> targets;
  bool json = false;
};
[[nodiscard]] int explain(const ExplainOptions& options);

/// Their command lines.
class EventsLine {
 public:
  void add_to(CLI::App& app, std::string_view word);
  /// Runs the one that was parsed; nothing where none was.
  [[nodiscard]] std::optional<int> run() const;

 private:
  EventsOptions events_;
  ExplainOptions explain_;
  CLI::App* events_app_ = nullptr;
  CLI::App* explain_app_ = nullptr;
};

}  // namespace corral::cli
