// The table: a description of every key of a configuration. Inside this room only.
#pragma once

#include "supervisor/config/form.hpp"

namespace corral::config {

/// The whole configuration; made once, at the first use.
[[nodiscard]] const Form<core::SupervisorSpec>& configuration_form();

/// Parts of the table, each in the file of its name.
[[nodiscard]] Form<core::RestartPolicy> restart_form();
[[nodiscard]] Form<std::vector<core::ResourceLimit>> limits_form();
[[nodiscard]] Form<core::WorkerCount> workers_form();
[[nodiscard]] Form<core::CoresPolicy> cores_form();
[[nodiscard]] Form<std::vector<std::pair<std::string, std::string>>> environment_form();
[[nodiscard]] Form<std::vector<std::string>> command_form();
[[nodiscard]] Form<std::optional<core::TasksSpec>> tasks_form();
[[nodiscard]] Form<core::LogSpec> log_form();
[[nodiscard]] Form<core::InheritedEnvironment> inheritance_form();
[[nodiscard]] Form<core::ControlSpec> control_form();
[[nodiscard]] Form<core::ReloadPolicy> reload_form();
[[nodiscard]] Form<std::optional<core::EventHook>> on_event_form();
[[nodiscard]] Form<std::optional<core::CrashFiles>> crashes_form();

/// What does not go together in the "tasks" of a program, which is `value`.
void check_tasks(const core::ProgramSpec& program, const Value& value, Context& context);

/// The rules that no JSON Schema can state, for the reference page.
[[nodiscard]] const std::vector<std::string>& rules_beyond_schema();

}  // namespace corral::config
