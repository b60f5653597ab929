// Events and actions of tasks in words, for whoever reads a run.
#pragma once

#include <string>

#include "supervisor/core/tasks/task_action.hpp"

namespace corral::simulation::tasks {

[[nodiscard]] std::string words(const core::TaskEvent& event);
[[nodiscard]] std::string words(const core::TaskAction& action);

}  // namespace corral::simulation::tasks
