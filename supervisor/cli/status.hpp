// Whom patterns mean, among the workers of a running supervisor.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "supervisor/cli/api_client.hpp"
#include "supervisor/cli/top/sample.hpp"
#include "supervisor/shell/process/instances.hpp"

namespace corral::cli {

/// What is answered to GET /v1/status, or why that was refused.
[[nodiscard]] Result<top::Sample> sample_in(const Result<Reply>& reply);

struct Meant {
  std::vector<std::string> names;  ///< In the supervisor's order.
  std::string config;              ///< The supervisor's configuration file.
};

/// Otherwise the exit status: what is wrong has been said.
[[nodiscard]] std::expected<Meant, int> workers_meant(const process::Instance& server, const std::vector<std::string>& patterns);

}  // namespace corral::cli
