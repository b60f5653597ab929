// Whether the file is there that an interpreter is given as its program, `["python3", "worker.py"]`, and that with the tasks.
//
// The interpreter would say so itself, once for each start of each worker. Of a configuration it is said before anything is
// started.
#pragma once

#include <vector>

#include "supervisor/core/spec.hpp"
#include "supervisor/shell/preparation.hpp"

namespace corral::cli {

/// Reads the file system. Of interpreters that take the file as it is named, and look for it nowhere else.
[[nodiscard]] std::vector<shell::Complaint> missing_scripts(const core::SupervisorSpec& spec);

/// Files of `"tasks": {"from": …}` that cannot be read.
[[nodiscard]] std::vector<shell::Complaint> missing_tasks(const core::SupervisorSpec& spec);

/// Files that tasks write, and that others write or read too.
[[nodiscard]] std::vector<shell::Complaint> shared_files(const core::SupervisorSpec& spec);

}  // namespace corral::cli
