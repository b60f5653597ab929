// One function for each sub-command, with its options as data. Each returns the exit status.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "supervisor/cli/find_supervisor.hpp"
#include "supervisor/core/spec.hpp"
#include "supervisor/core/tasks/task.hpp"
#include "supervisor/shell/voice.hpp"

namespace corral::cli {

enum class Colour : std::uint8_t { automatic, always, never };

/// What `run` and `exec` have in common.
struct Talk {
  shell::LogFormat format = shell::LogFormat::text;
  Colour colour = Colour::automatic;
  bool quiet = false;
};

struct RunOptions {
  std::string config;  ///< Empty: the default places.
  Talk talk;
};
[[nodiscard]] int run(const RunOptions& options);

struct ExecOptions {
  core::ProgramSpec program;
  core::Containment containment = core::Containment::automatic;
  bool grace_given = false;
  std::vector<std::pair<int, int>> map_signals;
  Talk talk;
};
[[nodiscard]] int exec(ExecOptions options);

struct StateOptions {
  std::string file;  ///< Empty: none.
  enum class Look : std::uint8_t { none, status, failed, results };
  Look look = Look::none;  ///< Print that, and run nothing.
  bool retry_failed = false;
  bool new_command = false;  ///< Go on with another command than before.
};

struct MapOptions {
  core::ProgramSpec program;
  core::TaskPolicy policy;
  std::string tasks = "-";  ///< A file, or - for stdin.
  bool tasks_given = false;
  std::string output;  ///< Empty: stdout.
  StateOptions state;
  bool lines = false;
  bool raw = false;
  bool ordered = false;
  bool drains = true;  ///< The first signal lets workers finish what they are at.
  bool tag = false;
  bool shuffle = false;
  bool dry_run = false;
  std::string timeline;  ///< Files; empty: none.
  std::string trace;
  std::string quarantine;
  std::string crashes;  ///< A folder; empty: none.
  std::uint32_t crashes_kept = 100;
  std::optional<std::uint64_t> limit;        ///< Of tasks.
  std::optional<std::uint64_t> max_payload;  ///< Of a task and of a result, in bytes.
  std::optional<int> client;                 ///< A socket: a client gives the tasks, and takes the answers.
  bool led = false;                          ///< With it: SIGINT is for the workers, and the client decides about every end.
  Talk talk;
};
[[nodiscard]] int map(MapOptions options);

struct CheckOptions {
  std::string config;
  bool json = false;
  Colour colour = Colour::automatic;
};
[[nodiscard]] int check(const CheckOptions& options);

struct LogsOptions {
  Whose whose;
  bool reopen = false;               ///< Only tell the supervisor to open its log files anew.
  std::vector<std::string> workers;  ///< "crunch", "crunch/0", patterns; none: all.
  std::size_t last = 0;
  std::optional<Duration> since;
  std::string grep;  ///< An extended regular expression; empty: all lines.
  bool ignore_case = false;
  bool follow = false;
  bool raw = false;  ///< Bytes as they are, whatever they do to a terminal.
  Colour colour = Colour::automatic;
};
[[nodiscard]] int logs(const LogsOptions& options);

[[nodiscard]] int schema(bool reference);

/// Whether `fd` gets colours.
[[nodiscard]] bool wants_colour(Colour colour, int fd);

}  // namespace corral::cli
