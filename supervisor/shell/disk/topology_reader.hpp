// Reads the machine that placement needs: affinity mask, CPU quota, topology.
//
// Few files, each small: 2 CPUs take a fraction of a millisecond, 256 a few. Whoever must not block for that long (a
// reload under load) reads once at the start and keeps the answer, or reads on the disk thread. What is missing is
// tolerated: without /sys every CPU counts as a core of its own, and the Machine says so. Nothing is decided here.
#pragma once

#include <string>

#include "common/base/result.hpp"
#include "supervisor/core/placement.hpp"
#include "supervisor/core/topology.hpp"
#include "supervisor/shell/disk/folder.hpp"

namespace corral::disk {

/// As much of this machine as `need` says. Fails only where the kernel does not tell the affinity mask.
[[nodiscard]] Result<core::Machine> read_machine(core::MachineNeed need);

/// The machine that the files below `root` describe, all of it: a test's tree or a snapshot. The mask is that of
/// proc/self/status, else of the cpuset, else every CPU that is online. Fails when there is no CPU.
[[nodiscard]] Result<core::Machine> read_machine_below(const std::string& root);

/// The CPUs that are switched on; empty where that cannot be told.
[[nodiscard]] core::CpuSet read_online(const Folder& root);

/// Where `cpus` are. A CPU that the kernel tells nothing of is a core of its own. Empty without sysfs.
[[nodiscard]] core::Topology read_topology(const Folder& root, const core::CpuSet& cpus);

}  // namespace corral::disk
