// Where this process' cgroups are found in the file system: v1, v2, both at once, and from inside a container.
//
// Read from /proc/self/cgroup and /proc/self/mountinfo below a root. Only what is mounted can be seen: from inside a
// cgroup namespace the ancestors above its root stay invisible, and a quota set there is not known.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "supervisor/shell/disk/folder.hpp"

namespace corral::disk {

/// One cgroup file system and this process' place in it.
struct CgroupPlace {
  bool unified = false;     ///< Version 2.
  std::string mount_point;  ///< "/sys/fs/cgroup/cpu".
  std::string below;        ///< The own cgroup below the mount point: "/docker/1234", "" for the mount point itself.

  /// The folders from the own cgroup up to the mount point, both included.
  [[nodiscard]] std::vector<std::string> chain() const;
};

/// The places that can hold the files of `controller` ("cpu", "cpuset"): its v1 hierarchy and the unified one, as far
/// as they are mounted and this process is found below the mount.
[[nodiscard]] std::vector<CgroupPlace> cgroup_places(const Folder& root, std::string_view controller);

}  // namespace corral::disk
