// `corral top`: the loop between the terminal, the supervisor's API, and the model.
#pragma once

#include <string>

#include "common/base/instant.hpp"
#include "supervisor/cli/commands.hpp"

namespace corral::cli {

struct TopOptions {
  std::string socket;
  Duration interval = std::chrono::seconds(1);
  Colour colour = Colour::automatic;
};
[[nodiscard]] int run_top(const TopOptions& options);

}  // namespace corral::cli
