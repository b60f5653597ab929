// CPU quotas in trees as containers and machines show them.
#include "supervisor/shell/disk/cpu_quota.hpp"

#include <doctest/doctest.h>

#include "tree.hpp"

using corral::disk::read_cpu_quota;
using corral::test::Tree;

namespace {

constexpr const char* unified_mount = "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate";
constexpr const char* version_1 = "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct";

std::optional<double> quota(const Tree& tree) { return read_cpu_quota(tree.root()); }

}  // namespace

TEST_CASE("v2: the least quota of the whole chain counts") {
  Tree tree;
  tree.file("proc/self/cgroup", "0::/a/b/c").file("proc/self/mountinfo", unified_mount);
  CHECK(quota(tree) == std::nullopt);
  tree.file("sys/fs/cgroup/a/b/c/cpu.max", "max 100000");
  CHECK(quota(tree) == std::nullopt);
  tree.file("sys/fs/cgroup/a/b/cpu.max", "400000 100000");
  CHECK(quota(tree) == 4.0);
  tree.file("sys/fs/cgroup/a/cpu.max", "150000 100000");
  CHECK(quota(tree) == 1.5);
  tree.file("sys/fs/cgroup/a/b/c/cpu.max", "50000 25000");
  CHECK(quota(tree) == 1.5);
  tree.file("sys/fs/cgroup/other/cpu.max", "1 100000");
  CHECK(quota(tree) == 1.5);
}

TEST_CASE("v2 in a container: the namespace's root is the mount") {
  Tree tree;
  tree.file("proc/self/cgroup", "0::/").file("proc/self/mountinfo", unified_mount);
  tree.file("sys/fs/cgroup/cpu.max", "250000 100000");
  CHECK(quota(tree) == 2.5);
}

TEST_CASE("v2 without a namespace of its own: the mount shows a part of the host's tree") {
  Tree tree;
  tree.file("proc/self/cgroup", "0::/docker/1234/inner");
  tree.file("proc/self/mountinfo", "31 23 0:28 /docker/1234 /sys/fs/cgroup ro - cgroup2 cgroup rw");
  tree.file("sys/fs/cgroup/cpu.max", "200000 100000").file("sys/fs/cgroup/inner/cpu.max", "max 100000");
  CHECK(quota(tree) == 2.0);
  // The names must match whole: /docker/12345 is another container.
  tree.file("proc/self/cgroup", "0::/docker/12345");
  CHECK(quota(tree) == std::nullopt);
}

TEST_CASE("v2: a process moved out of its namespace never climbs out of the mount") {
  Tree tree;
  tree.file("proc/self/cgroup", "0::/../neighbour").file("proc/self/mountinfo", unified_mount);
  tree.file("sys/fs/cgroup/cpu.max", "100000 100000").file("sys/fs/neighbour/cpu.max", "50000 100000");
  CHECK(quota(tree) == std::nullopt);
  // Where the mount shows the common parent the way is known.
  tree.file("proc/self/mountinfo", "31 23 0:28 /.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw");
  tree.file("sys/fs/cgroup/neighbour/cpu.max", "75000 100000");
  CHECK(quota(tree) == 0.75);
  // And the mounted parent of the namespace's root counts for a process at that root.
  tree.file("proc/self/cgroup", "0::/");
  CHECK(quota(tree) == 1.0);
}

TEST_CASE("v1: quota and period, -1 is none, the least of the chain counts") {
  Tree tree;
  tree.file("proc/self/cgroup", "4:memory:/m\n3:cpu,cpuacct:/a/b\n2:cpuset:/x").file("proc/self/mountinfo", version_1);
  const std::string cpu = "sys/fs/cgroup/cpu,cpuacct/";
  tree.file(cpu + "a/b/cpu.cfs_quota_us", "-1").file(cpu + "a/b/cpu.cfs_period_us", "100000");
  CHECK(quota(tree) == std::nullopt);
  tree.file(cpu + "a/cpu.cfs_quota_us", "35000").file(cpu + "a/cpu.cfs_period_us", "10000");
  CHECK(quota(tree) == 3.5);
  tree.file(cpu + "cpu.cfs_quota_us", "100000").file(cpu + "cpu.cfs_period_us", "100000");
  CHECK(quota(tree) == 1.0);
}

TEST_CASE("hybrid: both versions are asked, and cpuset is not taken for cpu") {
  Tree tree;
  tree.file("proc/self/cgroup", "2:cpuset:/set\n1:cpu:/v1\n0::/v2");
  tree.file("proc/self/mountinfo",
            "30 31 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
            "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
            "33 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw");
  tree.file("sys/fs/cgroup/cpu/v1/cpu.cfs_quota_us", "300000").file("sys/fs/cgroup/cpu/v1/cpu.cfs_period_us", "100000");
  CHECK(quota(tree) == 3.0);
  tree.file("sys/fs/cgroup/unified/v2/cpu.max", "200000 100000");
  CHECK(quota(tree) == 2.0);
}

TEST_CASE("names with blanks and several mounts: the mount that shows most ancestors counts") {
  Tree tree;
  tree.file("proc/self/cgroup", "0::/a/b c");
  tree.file("proc/self/mountinfo",
            "29 23 0:28 /a/b\\040c /narrow rw - cgroup2 cgroup2 rw\n"
            "31 23 0:28 / /my\\040groups rw - cgroup2 cgroup2 rw");
  tree.file("narrow/cpu.max", "400000 100000").file("my groups/a/cpu.max", "100000 100000");
  CHECK(quota(tree) == 1.0);
}

TEST_CASE("nonsense is no quota") {
  Tree tree;
  CHECK(quota(tree) == std::nullopt);
  tree.file("proc/self/cgroup", "0::/a").file("proc/self/mountinfo", unified_mount);
  for (const char* limit : {"", "max", "100000", "0 100000", "100000 0", "-5 100000", "1 2 3", "x 100000", "1e5 100000",
                            "99999999999999999999 1", "100000 -1"}) {
    tree.file("sys/fs/cgroup/a/cpu.max", limit);
    CAPTURE(limit);
    CHECK(quota(tree) == std::nullopt);
  }
  tree.file("sys/fs/cgroup/a/cpu.max", " 100000 50000");
  CHECK(quota(tree) == 2.0);
  for (const char* mounts : {"", "31", "31 23 0:28", "31 23 0:28 / /sys/fs/cgroup rw - cgroup2x a b", " - - - - -",
                             "31 23 0:28 / /sys/fs/cgroup rw shared:1"}) {
    tree.file("proc/self/mountinfo", mounts);
    CAPTURE(mounts);
    CHECK(quota(tree) == std::nullopt);
  }
  tree.file("proc/self/mountinfo", unified_mount);
  for (const char* groups : {"", "0", "0:", "0::", "0::a", ":::", "x::/a", "1:name=systemd:/a"}) {
    tree.file("proc/self/cgroup", groups);
    CAPTURE(groups);
    CHECK(quota(tree) == std::nullopt);
  }
  tree.file("proc/self/cgroup", "0::/a").folder("sys/fs/cgroup/b/cpu.max");
  CHECK(quota(tree) == 2.0);
  tree.file("proc/self/cgroup", "0::/b");
  CHECK(quota(tree) == std::nullopt);
}
