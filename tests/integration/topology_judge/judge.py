#!/usr/bin/env python3
"""Judges what corral reads of real machines by hwloc's lstopo, and the placements there by the rules.

For each snapshot of a machine (a tar archive of its /sys and /proc): which CPUs may be used, which share a core, a
last-level cache, a package and a node, and which are faster, as lstopo has it and as corral has it; then the placement
of 1, 2, N/2, N and 2N workers, checked with rules written down here a second time, from lstopo's facts.

Exit status 77 (skipped) where lstopo or the snapshots are not there.
"""

import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import xml.etree.ElementTree as ElementTree

SKIPPED = 77

# What neither corral nor the judgement looks at, and most of the files of a large machine.
UNREAD = ("/cpuidle/", "/stats/", "/hugepages/", "/thermal_throttle/", "/power/", "/cache/index0/", "/cache/index1/", "/sys/bus/")


def cpus_of_mask(mask):
    """hwloc's "0x00000001,0x0000ffff", also with leading empty groups, as a set of numbers."""
    groups = mask.split(",")
    number = 0
    for group in groups:
        number = number << 32 | int(group or "0", 16)
    return {bit for bit in range(number.bit_length()) if number >> bit & 1}


def cpus_of_list(text):
    cpus = set()
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if first:
            cpus |= set(range(int(first), int(last or first) + 1))
    return cpus


def list_of_cpus(cpus):
    return ",".join(str(cpu) for cpu in sorted(cpus))


class Judged:
    """A machine as lstopo sees it: the CPUs, and for each of them a label of what it is part of (None: not said)."""

    def __init__(self, root):
        environment = dict(os.environ, HWLOC_FSROOT=str(root), HWLOC_THISSYSTEM="0", HWLOC_COMPONENTS="linux,stop")
        done = subprocess.run(["lstopo", "--disallowed", "--of", "xml", "-"], env=environment, capture_output=True, check=False)
        self.works = done.returncode == 0 and b"<topology" in done.stdout
        if not self.works:
            return
        tree = ElementTree.fromstring(done.stdout)
        machine = tree.find("object")
        self.online = cpus_of_mask(machine.get("cpuset"))
        self.allowed = cpus_of_mask(machine.get("allowed_cpuset")) & self.online
        self.labels = {what: {} for what in ("core", "package", "node", "cache")}
        self.has_cores = False
        self._walk(machine)
        self.kinds = [
            (int(kind.get("forced_efficiency")), cpus_of_mask(kind.get("cpuset")), self._speed(kind))
            for kind in tree.iter("cpukind")
            if kind.get("forced_efficiency") is not None
        ]

    @staticmethod
    def _speed(kind):
        infos = {info.get("name"): int(info.get("value")) for info in kind.iter("info") if info.get("value").isdigit()}
        return infos.get("LinuxCapacity") or infos.get("FrequencyMaxMHz") or 0

    def _walk(self, item):
        what = {"Core": "core", "Package": "package", "NUMANode": "node", "L3Cache": "cache"}.get(item.get("type"))
        if what:
            for cpu in cpus_of_mask(item.get("cpuset")):
                label = int(item.get("os_index")) if what == "node" else item.get("gp_index")
                self.labels[what].setdefault(cpu, label)
        for child in item.findall("object"):
            self._walk(child)


class Failures:
    def __init__(self):
        self.texts = []
        self.checks = 0

    def check(self, condition, text):
        self.checks += 1
        if not condition:
            self.texts.append(text)


def describe_to_corral(root):
    """Says with today's files what the snapshot's old ones say: which cpuset it was taken in, and what was mounted."""
    self_folder = root / "proc/self"
    cpuset, mounts = self_folder / "cpuset", root / "proc/mounts"
    if cpuset.exists() and not (self_folder / "cgroup").exists():
        path = cpuset.read_text().strip()
        (self_folder / "cgroup").write_text(f"1:cpuset:{path}\n0::{path}\n")
    if (self_folder / "mountinfo").exists():
        return
    lines = mounts.read_text().splitlines() if mounts.exists() else []
    if not mounts.exists() and (root / "dev/cpuset").exists():
        lines = ["none /dev/cpuset cpuset rw 0 0"]
    self_folder.mkdir(parents=True, exist_ok=True)
    with open(self_folder / "mountinfo", "w") as mountinfo:
        for line in lines:
            source, point, kind, options = line.split()[:4]
            if kind == "cpuset":
                kind, options = "cgroup", options + ",cpuset,noprefix"
            mountinfo.write(f"1 0 0:1 / {point} rw - {kind} {source} {options}\n")


def dumped(dump, root, counts):
    done = subprocess.run([dump, str(root), *counts], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{dump} failed: {done.stderr.strip()}")
    return json.loads(done.stdout)


def same_groups(ours, theirs, cpus):
    """Two CPUs have one label here if and only if they have one there; CPUs without a label there do not count."""
    known = [cpu for cpu in cpus if theirs.get(cpu) is not None]
    pairs = {(ours[cpu], theirs[cpu]) for cpu in known}
    return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def judge_facts(name, read, judged, failures):
    cpus = {cpu["cpu"]: cpu for cpu in read["cpus"]}
    failures.check(set(cpus) == set(read["allowed"]), f"{name}: the topology is not that of the allowed CPUs")
    failures.check(set(read["online"]) == judged.online, f"{name}: online {read['online']}, hwloc {sorted(judged.online)}")
    for what, theirs in judged.labels.items():
        ours = {number: cpu[what] for number, cpu in cpus.items()}
        failures.check(same_groups(ours, theirs, cpus), f"{name}: {what}: corral {ours}, hwloc {theirs}")
        if what == "node":
            wrong = {cpu: (node, theirs[cpu]) for cpu, node in ours.items() if theirs.get(cpu) not in (None, node)}
            failures.check(not wrong, f"{name}: CPU: (our node, hwloc's): {wrong}")
    for slow, slow_cpus, slow_speed in judged.kinds:
        for fast, fast_cpus, fast_speed in judged.kinds:
            if slow >= fast:
                continue
            for a in slow_cpus & set(cpus):
                for b in fast_cpus & set(cpus):
                    ours = cpus[a]["performance"], cpus[b]["performance"]
                    failures.check(ours[0] <= ours[1], f"{name}: CPU {a} is taken for faster than CPU {b}")
                    if fast_speed * 10 > slow_speed * 11:
                        failures.check(ours[0] < ours[1], f"{name}: CPU {a} is not taken for slower than CPU {b}")


def judge_plan(name, asked, plan, machine, failures):
    """The rules, from `machine`: for each allowed CPU (core, node, rank of speed; a larger one is faster)."""
    workers, _, each = asked.partition("x")
    workers, each = int(workers), int(each or 1)
    where = f"{name}: {asked} workers"
    failures.check(len(plan) == workers, f"{where}: {len(plan)} placed")
    failures.check(all(len(set(cpus)) == each for cpus in plan), f"{where}: not {each} CPUs each")
    loads = collections.Counter(cpu for cpus in plan for cpu in cpus)
    failures.check(set(loads) <= set(machine), f"{where}: a CPU that is not allowed")
    least = min(loads[cpu] for cpu in machine)
    failures.check(max(loads.values()) - least <= 1, f"{where}: uneven {loads}")

    sizes = collections.Counter(core for core, _, _ in machine.values())
    used = collections.Counter()
    for cpu, load in loads.items():
        used[machine[cpu][0]] += load - least
    failures.check(max(used.values(), default=0) <= 1 + min([used[core] for core in sizes if used[core] < sizes[core]], default=max(sizes.values())),
                   f"{where}: a sibling is used while a core is idle: {plan}")

    if workers * each > len(sizes):
        return
    if each == 1:
        busy = {machine[cpu][0] for cpu in loads}
        order = [(-rank, node) for core, node, rank in machine.values() if core in busy]
        idle = [(-rank, node) for core, node, rank in machine.values() if core not in busy]
        if order and idle:
            failures.check(max(order) <= min(idle), f"{where}: a better core is idle: {plan}")
    cores_at = {(rank, node): set() for _, node, rank in machine.values()}
    for core, node, rank in machine.values():
        cores_at[rank, node].add(core)
    fit = sum(len(cores) // each for cores in cores_at.values())
    together = sum(len({(machine[cpu][2], machine[cpu][1]) for cpu in cpus}) == 1 for cpus in plan)
    failures.check(together >= min(fit, workers), f"{where}: {together} workers stay within a node, {fit} could: {plan}")


def judge_machine(name, root, dump, failures):
    """Returns a line for people."""
    describe_to_corral(root)
    judged = Judged(root)
    read = dumped(dump, root, [])
    if judged.works:
        failures.check(set(read["allowed"]) == judged.allowed, f"{name}: allowed {read['allowed']}, hwloc {sorted(judged.allowed)}")
        judge_facts(name, read, judged, failures)
    else:
        lists = [cpus_of_list(file.read_text()) for file in root.glob("dev/cpuset/*/cpus")]
        failures.check(lists == [set(read["allowed"])], f"{name}: allowed {read['allowed']}, its cpuset {lists}")

    # Once as it was taken, once with every CPU allowed: only that shows all of the machine.
    kinds = 0
    for variant in ("as taken", "all allowed"):
        if variant == "all allowed":
            if not judged.works:
                break
            (root / "proc/self/status").write_text(f"Cpus_allowed_list:\t{list_of_cpus(judged.online)}\n")
            read = dumped(dump, root, [])
            failures.check(set(read["allowed"]) == judged.online, f"{name}: not all of {sorted(judged.online)} are read")
            judge_facts(name, read, judged, failures)
        size = len(read["allowed"])
        asked = sorted({str(n) for n in (1, 2, max(size // 2, 1), size, 2 * size)}, key=int)
        asked += [f"{n}x{each}" for each in (2, 3) if each <= size for n in (1, 2, max(size // each, 1), size)]
        own = {cpu["cpu"]: cpu for cpu in read["cpus"]}
        machine = {}
        for cpu in read["allowed"]:
            core = judged.labels["core"].get(cpu, f"alone {cpu}") if judged.works else f"alone {cpu}"
            node = own[cpu]["node"] if cpu in own else 0
            machine[cpu] = (core, node if node >= 0 else 1 << 32, own[cpu]["performance"] if cpu in own else 0)
        kinds = len({rank for _, _, rank in machine.values()})
        for count, plan in dumped(dump, root, asked)["plans"].items():
            judge_plan(f"{name} ({variant})", count, plan, machine, failures)
    cores = len({core for core, _, _ in machine.values()})
    by = "" if judged.works else ", not judged by hwloc: it finds no machine there"
    return f"{name}: {len(machine)} CPUs, {cores} cores, {kinds} kind{'s' if kinds > 1 else ''}{by}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dump", required=True, help="the topology_dump executable")
    parser.add_argument("--snapshots", required=True, type=pathlib.Path, help="folder of *.tar.bz2")
    options = parser.parse_args()
    archives = sorted(options.snapshots.glob("*.tar.bz2"))
    if not archives:
        print(f"skipped: no snapshots of machines in {options.snapshots}")
        return SKIPPED
    try:
        subprocess.run(["lstopo", "--version"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        print("skipped: lstopo is not installed (apt-get install hwloc)")
        return SKIPPED
    failures = Failures()
    # A machine is thousands of tiny files: in memory where possible, a disk takes minutes for them.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else None
    for archive in archives:
        with tempfile.TemporaryDirectory(dir=memory) as folder:
            with tarfile.open(archive) as tar:
                members = [member for member in tar if not any(part in member.name for part in UNREAD)]
                tar.extractall(folder, members)
            root = next(pathlib.Path(folder).iterdir())
            print(judge_machine(archive.name.removesuffix(".tar.bz2"), root, options.dump, failures), flush=True)
    for text in failures.texts[:40]:
        print("WRONG", text)
    print(f"{len(archives)} machines, {failures.checks} checks, {len(failures.texts)} wrong")
    return 1 if failures.texts else 0


if __name__ == "__main__":
    sys.exit(main())
