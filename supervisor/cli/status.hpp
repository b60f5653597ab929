// Whom patterns mean, among the workers of a running supervisor.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "supervisor/shell/process/instances.hpp"

namespace corral::cli {

struct Meant {
  std::vector<std::string> names;  ///< In the supervisor's order.
  std::string config;              ///< The supervisor's configuration file.
};

/// Otherwise the exit status: what is wrong has been said.
[[nodiscard]] std::expected<Meant, int> workers_meant(const process::Instance& server, const std::vector<std::string>& patterns);

}  // namespace corral::cli
