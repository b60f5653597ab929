// What is answered: a status of HTTP and a JSON document.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "supervisor/control/request.hpp"
#include "supervisor/control/view.hpp"
#include "supervisor/core/command.hpp"
#include "supervisor/core/plan_changes.hpp"

namespace corral::control {

struct Reply {
  int status = 200;
  std::string body;  ///< Ends with a line break.
  std::string_view type = "application/json";
  std::string allow;
};

[[nodiscard]] Reply refusal(const Refusal& refusal);

[[nodiscard]] Reply status(const View& view);
[[nodiscard]] Reply programs(const View& view);
[[nodiscard]] Reply workers(const View& view);
/// 404 where there is none of that name.
[[nodiscard]] Reply worker(const View& view, std::string_view name);
[[nodiscard]] Reply health();
/// 503, with who it waits for, until every worker that is wanted runs.
[[nodiscard]] Reply readiness(const View& view);

/// `events`: each one line of JSON. `last`: the number of the latest there is, whether it is among them or not.
[[nodiscard]] Reply events(const std::vector<std::string>& events, std::uint64_t last);
/// `explanation`: JSON; nothing where there is no worker of that name.
[[nodiscard]] Reply explanation(std::optional<std::string> explanation, std::string_view worker);
[[nodiscard]] Reply too_many_followers();
/// `trouble`: why one of them is not; empty: all are.
[[nodiscard]] Reply reopened(std::string_view trouble);

/// It is under way: nobody wanted to wait.
[[nodiscard]] Reply accepted();
/// It is not yet true, and goes on.
[[nodiscard]] Reply too_slow(Duration patience);
/// `culprit`: the name of the outcome's.
[[nodiscard]] Reply outcome(const core::CommandOutcome& outcome, std::string_view culprit);
/// The configuration was refused; nothing has changed.
[[nodiscard]] Reply invalid_configuration(std::string_view why);

/// What a reload would do to each worker.
[[nodiscard]] Reply reload_plan(const std::vector<core::WorkerChange>& changes);

}  // namespace corral::control
