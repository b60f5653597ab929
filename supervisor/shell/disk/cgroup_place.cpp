#include "supervisor/shell/disk/cgroup_place.hpp"

#include <algorithm>
#include <optional>

namespace corral::disk {

namespace {

bool holds(std::string_view list, std::string_view wanted) {
  while (!list.empty()) {
    if (next_part(list, ',') == wanted) return true;
  }
  return false;
}

/// A mount of a cgroup file system.
struct Mount {
  bool unified = false;
  std::string_view options;  ///< Of the file system: they name a v1 hierarchy's controllers.
  std::string root;          ///< The cgroup that is seen at the mount point.
  std::string point;
};

/// mountinfo writes blanks, tabs, line breaks and backslashes as \040 and so on.
std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '7'; };
    if (text[i] == '\\' && i + 3 < text.size() && digit(i + 1) && digit(i + 2) && digit(i + 3)) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

/// "31 23 0:28 /root /point opts optional… - type source options".
std::optional<Mount> parse_mountinfo(std::string_view line) {
  for (int skipped = 0; skipped < 3; ++skipped) next_part(line, ' ');
  const std::string_view root = next_part(line, ' ');
  const std::string_view point = next_part(line, ' ');
  while (!line.empty() && next_part(line, ' ') != "-") {
  }
  const std::string_view type = next_part(line, ' ');
  next_part(line, ' ');
  if ((type != "cgroup" && type != "cgroup2") || root.empty() || point.empty()) return std::nullopt;
  return Mount{type == "cgroup2", line, unescaped(root), unescaped(point)};
}

std::vector<Mount> cgroup_mounts(std::string_view mountinfo) {
  std::vector<Mount> mounts;
  while (!mountinfo.empty()) {
    if (std::optional<Mount> mount = parse_mountinfo(next_part(mountinfo, '\n'))) mounts.push_back(std::move(*mount));
  }
  return mounts;
}

/// The own path in the hierarchy of `controller`, or in the unified one where it is empty.
std::optional<std::string_view> own_path(std::string_view cgroups, std::string_view controller) {
  while (!cgroups.empty()) {
    std::string_view line = next_part(cgroups, '\n');
    const std::string_view id = next_part(line, ':');
    const std::string_view controllers = next_part(line, ':');
    const bool match = controller.empty() ? id == "0" && controllers.empty() : holds(controllers, controller);
    if (match && line.starts_with('/')) return line;
  }
  return std::nullopt;
}

bool climbs(std::string_view path) {
  while (!path.empty()) {
    if (next_part(path, '/') == "..") return true;
  }
  return false;
}

/// `path` as seen below a mount that shows `root`; nothing when it lies elsewhere.
std::optional<std::string> below(std::string_view root, std::string_view path) {
  if (root == "/") root = "";
  if (path == "/") path = "";
  if (path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/')) {
    const std::string_view rest = path.substr(root.size());
    // "/../other": the process was moved out of its cgroup namespace, to where nothing here leads.
    if (!climbs(rest)) return std::string(rest);
    return std::nullopt;
  }
  // "/..": an ancestor of the namespace's root is mounted. How our own folder is called there is not told, but the
  // ancestor itself is one of ours.
  return root.starts_with("/..") && !climbs(path) ? std::optional<std::string>("") : std::nullopt;
}

std::optional<CgroupPlace> find_place(const std::vector<Mount>& mounts, std::string_view path, std::string_view controller) {
  std::optional<CgroupPlace> best;
  std::size_t best_root = 0;
  for (const Mount& mount : mounts) {
    const bool unified = controller.empty();
    if (mount.unified != unified || (!unified && !holds(mount.options, controller))) continue;
    std::optional<std::string> rest = below(mount.root, path);
    // The mount with the shortest root shows most ancestors.
    if (!rest || (best && best_root <= mount.root.size())) continue;
    best = CgroupPlace{unified, mount.point, std::move(*rest)};
    best_root = mount.root.size();
  }
  return best;
}

}  // namespace

std::vector<std::string> CgroupPlace::chain() const {
  std::vector<std::string> folders;
  std::string_view rest = below;
  while (!rest.empty()) {
    if (!rest.ends_with('/')) folders.push_back(mount_point + std::string(rest));
    rest = rest.substr(0, rest.rfind('/'));
  }
  folders.push_back(mount_point);
  return folders;
}

std::vector<CgroupPlace> cgroup_places(const Folder& root, std::string_view controller) {
  std::vector<CgroupPlace> places;
  const std::optional<std::string> cgroups = root.read("proc/self/cgroup");
  const std::optional<std::string> mountinfo = cgroups ? root.read("proc/self/mountinfo") : std::nullopt;
  if (!mountinfo) return places;
  const std::vector<Mount> mounts = cgroup_mounts(*mountinfo);
  for (const std::string_view hierarchy : {controller, std::string_view{}}) {
    const std::optional<std::string_view> path = own_path(*cgroups, hierarchy);
    std::optional<CgroupPlace> place = path ? find_place(mounts, *path, hierarchy) : std::nullopt;
    if (place) places.push_back(std::move(*place));
  }
  return places;
}

}  // namespace corral::disk
