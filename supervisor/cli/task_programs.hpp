// Programs with "tasks": each is run by a `corral map` of its own, which the supervisor launches like any other command.
//
// So a map inside a configuration is the same as one on a command line, its crash is that of one program, and the core knows one
// kind of program.
#pragma once

#include <string>

#include "supervisor/core/spec.hpp"

namespace corral::cli {

[[nodiscard]] bool any_tasks(const core::SupervisorSpec& spec);
/// The same, with `self map …` as the command of every program that has tasks. `self`: the path of this program.
[[nodiscard]] core::SupervisorSpec with_maps(core::SupervisorSpec spec, const std::string& self);
/// Of this program; "corral", to be found in PATH, where nobody can tell.
[[nodiscard]] std::string own_path();

}  // namespace corral::cli
