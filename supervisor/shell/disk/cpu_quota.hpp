// How much CPU time this process' cgroups grant, in CPUs.
//
// The least of cgroup v2's cpu.max and v1's cpu.cfs_quota_us over the own cgroup and every ancestor that can be seen. A
// quota that cannot be read or understood is taken as none: a supervisor must come up in any container.
#pragma once

#include <optional>

#include "supervisor/shell/disk/folder.hpp"

namespace corral::disk {

/// `root` is the file system's root, or a test's tree. Nothing: no limit.
[[nodiscard]] std::optional<double> read_cpu_quota(const Folder& root);

}  // namespace corral::disk
