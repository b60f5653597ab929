// What talks to a running supervisor. Each returns the exit status:
// 0 it is so; 1 it did not come to be so; 2 usage, nobody of that name, an invalid configuration, another user's supervisor; 3 no
// supervisor answers; 124 not within --timeout (it goes on).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/instant.hpp"
#include "supervisor/cli/api_client.hpp"
#include "supervisor/cli/commands.hpp"
#include "supervisor/cli/find_supervisor.hpp"
#include "supervisor/core/spec.hpp"

namespace corral::cli {

inline constexpr int not_so = 1;
inline constexpr int nobody_answers = 3;
inline constexpr int took_too_long = 124;

/// Of what was only asked for: says why it was refused.
int complain_of(const Reply& reply);

struct StatusOptions {
  Whose whose;
  std::vector<std::string> targets;  ///< Patterns; none: all workers.
  bool all = false;                  ///< The supervisors themselves.
  bool json = false;
  bool ready = false;  ///< The exit status says whether every worker that is wanted runs.
  std::optional<Duration> watch;
  Colour colour = Colour::automatic;
};
[[nodiscard]] int status(const StatusOptions& options);

struct Change {
  enum class Kind : std::uint8_t { start, stop, restart, signal, scale, reload, reopen_logs, shutdown };
  Kind kind = Kind::start;
  Whose whose;
  std::vector<std::string> targets;
  bool wait = true;
  std::optional<Duration> timeout;
  bool json = false;
  std::string signal;
  std::vector<std::pair<std::string, core::WorkerCount>> scales;
  bool rolling = false;
  std::uint32_t parallel = 1;
  std::optional<Duration> pause;
  bool plan = false;
  std::optional<bool> rollback;
};
[[nodiscard]] int change(const Change& change);

}  // namespace corral::cli
