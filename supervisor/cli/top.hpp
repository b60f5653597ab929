// `corral top`: the loop between the terminal, the supervisor's API, and the model.
#pragma once

#include "common/base/instant.hpp"
#include "supervisor/cli/commands.hpp"
#include "supervisor/cli/find_supervisor.hpp"

namespace corral::cli {

struct TopOptions {
  Whose whose;
  Duration interval = std::chrono::seconds(1);
  Colour colour = Colour::automatic;
};
/// 0 left with q; 2 usage, nobody of that name, or no terminal; 3 no supervisor answers, or it has ended; 128+N by a signal.
[[nodiscard]] int run_top(const TopOptions& options);

}  // namespace corral::cli
