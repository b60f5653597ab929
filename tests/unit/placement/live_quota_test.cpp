// A real quota in a real cgroup: a thread of this test moves into one and asks. Needs root and the v1 cpu controller or
// a v2 one; says so and passes where there is none.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <optional>
#include <string>

#include "supervisor/shell/disk/cgroup_place.hpp"
#include "supervisor/shell/disk/cpu_quota.hpp"

using namespace corral::disk;

namespace {

bool write_to(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text << std::flush;
  return file.good();
}

/// A cgroup below our own, removed at the end.
struct Group {
  explicit Group(std::string where) : path(std::move(where)), made(::mkdir(path.c_str(), 0755) == 0) {}
  ~Group() {
    if (made) ::rmdir(path.c_str());
  }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  std::string path;
  bool made;
};

bool set_quota(const Group& group, bool unified, long quota) {
  if (unified) return write_to(group.path + "/cpu.max", std::to_string(quota) + " 100000");
  return write_to(group.path + "/cpu.cfs_period_us", "100000") &&
         write_to(group.path + "/cpu.cfs_quota_us", std::to_string(quota));
}

/// What a process in `group` reads: its quota in hundredths of a CPU, 255 for none; nothing if it could not go there.
std::optional<int> seen_from(const Group& group) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (!write_to(group.path + "/cgroup.procs", "0")) ::_exit(254);
    const std::optional<double> quota = read_cpu_quota(*Folder::open("/"));
    ::_exit(quota ? static_cast<int>(*quota * 100 + 0.5) : 255);
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 254) return std::nullopt;
  return WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("a real quota is read, also from a group below it") {
  const std::optional<Folder> root = Folder::open("/");
  REQUIRE(root.has_value());
  bool tried = false;
  for (const CgroupPlace& place : cgroup_places(*root, "cpu")) {
    const Group parent(place.chain().front() + "/corral-quota-test-" + std::to_string(::getpid()));
    if (!parent.made || !set_quota(parent, place.unified, 150'000)) continue;
    const Group child(parent.path + "/inner");
    if (!child.made || !seen_from(child)) continue;
    tried = true;
    CHECK(seen_from(parent) == 150);
    CHECK(seen_from(child) == 150);
    if (set_quota(child, place.unified, 50'000)) CHECK(seen_from(child) == 50);
  }
  if (!tried) MESSAGE("skipped: no cgroup with the cpu controller can be made here (it takes root)");
}
