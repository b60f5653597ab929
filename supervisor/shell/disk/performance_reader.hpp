// Which kinds of core a machine has. Private to this room.
#pragma once

#include "supervisor/core/topology.hpp"
#include "supervisor/shell/disk/folder.hpp"

namespace corral::disk {

/// Fills in LogicalCpu::performance of a topology whose cores are known: from Intel's lists of the two kinds, else the
/// scheduler's cpu_capacity, else the highest frequency, else ACPI's highest performance. `cpus` is
/// sys/devices/system/cpu below `root`. Where the machine says nothing, all cores are alike.
void read_performance(const Folder& root, const Folder& cpus, core::Topology& topology);

}  // namespace corral::disk
