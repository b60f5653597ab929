// Why no worker has answered a task: for people a clause, for machines JSON.
#pragma once

#include <string>
#include <string_view>

#include "supervisor/core/tasks/task_action.hpp"

namespace corral::shell {

/// "its worker was killed by signal 9 (Killed), after 3 s (12 MiB at most)". `broken`: what was wrong with its channel.
[[nodiscard]] std::string story_sentence(const core::RecordTask& record, std::string_view broken);

/// An object with `type`, `message`, and how its last worker ended. `members`: more of it, each with a comma in front.
[[nodiscard]] std::string story_json(const core::RecordTask& record, std::uint32_t worker, std::string_view message,
                                     std::string_view members = {});

}  // namespace corral::shell
