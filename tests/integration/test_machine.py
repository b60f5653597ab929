"""What the machine does to workers: memory that runs out, cores that are not ours, processes that freeze or cannot die."""

import json
import os
import re
import shutil
import signal
import threading
import time
import unittest

from harness import QUICK, CorralTest, as_root, await_that, exists, main, processes_with, program, read, sanitized

V1 = "/sys/fs/cgroup"


@as_root
class ControlGroups(CorralTest):
    def group(self, controller, **files):
        """A new cgroup v1 of that controller, or the test is skipped."""
        root = os.path.join(V1, controller)
        path = os.path.join(root, self.token)
        try:
            os.mkdir(path)
        except OSError as error:
            self.skipTest(f"no cgroup v1 {controller} can be made here: {error}")
        self.addCleanup(self.remove, path)
        for name, value in files.items():
            with open(os.path.join(path, name.replace("__", ".")), "w") as file:
                file.write(str(value))
        return path

    @staticmethod
    def remove(path):
        def gone():
            try:
                os.rmdir(path)
            except FileNotFoundError:
                return True
            except OSError:
                return False
            return True

        await_that(f"{path} is empty", gone)

    def test_a_worker_out_of_memory_is_said_to_be_that(self):
        if os.environ.get("CORRAL_SANITIZED"):
            self.skipTest("with sanitizers corral itself needs more memory than the cgroup of this test has")
        group = self.group("memory", memory__limit_in_bytes=200 << 20)
        hog = "import ctypes, sys\nprint('up', flush=True)\nb = []\nwhile True: b.append(b'x' * 1000000)"
        join = ["sh", "-c", f'echo $$ > {group}/cgroup.procs; exec "$@"', "sh"]
        command = ["/usr/bin/python3", "-c", hog]
        corral = self.run_config({"hog": {"command": command, "restart": "never"}, "calm": "line calm + hang"}, wrapper=join)
        corral.await_err("hog/0 .*killed by signal 9.*out of memory")
        self.assertEqual(len(corral.pids("calm/0")), 1)
        self.stop(corral, 1)

    def test_a_killed_worker_is_not_said_to_be_out_of_memory(self):
        corral = self.run_config({"a": program("line up + hang", restart="never"), "b": "hang"})
        corral.await_out("up")
        os.kill(corral.await_start("a/0"), signal.SIGKILL)
        corral.await_err("a/0 .*killed by signal 9")
        self.stop(corral, 1)
        self.assertNotIn("memory", corral.err)

    def test_a_worker_that_cannot_be_killed_is_reported_and_its_slot_not_reused(self):
        group = self.group("freezer")
        corral = self.run_config({"a": program("line up + hang", restart=QUICK, stop={"grace": "50ms"}), "b": "line other + hang"})
        corral.await_out("up")
        corral.await_out("other")
        pid = corral.await_start("a/0")
        with open(os.path.join(group, "cgroup.procs"), "w") as file:
            file.write(str(pid))
        with open(os.path.join(group, "freezer.state"), "w") as file:
            file.write("FROZEN")
        corral.signal(signal.SIGTERM)
        try:
            corral.await_err("a/0 .*has not ended after SIGKILL")
            self.assertEqual(corral.pids("a/0"), [pid])
        finally:
            with open(os.path.join(group, "freezer.state"), "w") as file:
                file.write("THAWED")
        self.finish(corral)

    def test_a_core_outside_of_the_mask_is_refused(self):
        cpus = sorted(os.sched_getaffinity(0))
        if len(cpus) < 2:
            self.skipTest("one core only")
        path = self.configure({"a": program("line x", cores=str(cpus[1]))})
        corral = self.start("run", path, wrapper=["taskset", "-c", str(cpus[0])])
        self.finish(corral, 2)
        self.assertRegex(corral.err, f"/programs/a/cores: .*{cpus[1]}")

    def test_auto_is_as_many_as_the_mask_allows(self):
        cpus = sorted(os.sched_getaffinity(0))
        corral = self.run_config({"a": program("report", workers="auto")}, wrapper=["taskset", "-c", str(cpus[0])])
        self.finish(corral, 0)
        self.assertEqual(len(corral.out.splitlines()), 1)
        self.assertEqual(json.loads(corral.out.split(" | ", 1)[1])["affinity"], [cpus[0]])

    def test_workers_die_of_memory_before_the_supervisor(self):
        corral = self.run_config({"a": "line up + hang"})
        corral.await_out("up")
        score = int(read(f"/proc/{corral.pid}/oom_score_adj"))
        pid = corral.await_start("a/0")
        await_that("the worker comes first", lambda: int(read(f"/proc/{pid}/oom_score_adj")) > score)
        self.stop(corral, 0)

    @as_root
    def test_a_refused_score_names_the_worker(self):
        corral = self.run_config({"crunch": program("line up + hang", oom_score_adj=-999)},
                                 wrapper=["setpriv", "--bounding-set=-sys_resource"])  # fmt: skip
        corral.await_out("up")
        corral.await_err("^corral: crunch/0: cannot set oom_score_adj -999: Permission denied$")
        self.stop(corral, 0)

    def test_a_quota_is_told_of_a_lone_worker_too(self):
        group = f"/sys/fs/cgroup/cpu/corral-test-{os.getpid()}"
        try:
            os.mkdir(group)
            self.addCleanup(os.rmdir, group)
            with open(os.path.join(group, "cpu.cfs_quota_us"), "w") as file:
                file.write("50000")
        except OSError as error:
            self.skipTest(f"no cgroup with a quota can be made: {error}")
        path = self.configure({"a": program("hang"), "b": program("hang", workers="auto")})
        corral = self.start("check", path, wrapper=["sh", "-c", f'echo $$ >{group}/cgroup.procs; exec "$@"', "sh"])
        self.finish(corral, 0)
        self.assertEqual(corral.out.count("one worker, not pinned: the kernel places it; the CPU quota allows 0.5 of "), 2, corral.out)


class Scores(CorralTest):
    def scores(self, corral):
        """Of all processes of the test but corral: workers and whatever they forked."""
        return {pid: read(f"/proc/{pid}/oom_score_adj").strip() for pid in processes_with(self.token) if pid != corral.pid}

    def await_scores(self, corral):
        await_that(lambda: f"all have 500: {self.scores(corral)}", lambda: set(self.scores(corral).values()) == {"500"}, 10)

    def test_a_configured_score_is_that_of_all_that_a_worker_forks_its_first_children_included(self):
        corral = self.run_config({
            "tree": program("fork-bomb-light 3 setsid + double-fork env-i + fork-bomb-light 2 + line up + hang", oom_score_adj=500, restart=QUICK),
            "shell": {"command": ["sh", "-c", 'sh -c "sleep 1000; true"; true'], "oom_score_adj": 500},
            "many": program("fork-bomb-light 1 setsid + line up + hang", workers=40, cores="shared", oom_score_adj=500),
        })  # fmt: skip
        corral.await_out("up", count=41)
        self.await_scores(corral)
        os.kill(corral.await_start("tree/0"), signal.SIGKILL)
        corral.await_out(r"tree/0 \| up", count=2)
        self.await_scores(corral)
        self.stop(corral, 0)


@unittest.skipIf(sanitized, "the sanitizers' runtime opens files and makes threads of its own")
@unittest.skipUnless(shutil.which("strace"), "strace is not installed")
class Little(CorralTest):
    """`exec` with one worker is an init: it does nothing that one command does not need."""

    def test_exec_of_one_command_reads_no_topology_opens_no_socket_and_starts_no_thread(self):
        trace = self.path("trace")
        corral = self.start("exec", "--", "/bin/true", wrapper=["strace", "-f", "-o", trace, "-e", "trace=openat,open,socket,clone,clone3,fork,vfork"])
        self.finish(corral, 0)
        text = read(trace)
        self.assertEqual(len(re.findall(r"(?:clone3?|v?fork)\(", text)), 1, text)
        self.assertNotIn("CLONE_THREAD", text)
        self.assertNotIn("socket(", text)
        self.assertNotIn("/sys/devices", text)  # Of /sys, only what its cgroup counts of kills for memory.


class Freezes(CorralTest):
    def test_a_freeze_of_everything_restarts_nothing(self):
        corral = self.run_config({"a": program("line up + hang", workers=4, cores="shared", restart=QUICK, start_timeout="200ms")})
        pids = [corral.await_start(f"a/{index}") for index in range(4)]
        for pid in [corral.pid, *pids]:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(1)  # The length of the freeze is what is tested.
        for pid in [*pids, corral.pid]:
            os.kill(pid, signal.SIGCONT)
        self.stop(corral, 0)
        self.assertEqual([corral.pids(f"a/{index}") for index in range(4)], [[pid] for pid in pids])

    def test_a_configuration_that_is_rewritten_all_the_time_is_taken_whole_or_not_at_all(self):
        texts = [json.dumps({"programs": {name: program("hang", workers=2, cores="shared")}, "stay": True}) for name in ("first", "second")]
        path = self.write("corral.json", texts[0])
        corral = self.start("run", path)
        corral.await_start("first/0")
        done = threading.Event()

        def rewrite():
            number = 0
            while not done.is_set():
                number += 1
                with open(path, "w") as file:  # In place, half of it at a time: no editor is as bad.
                    half = len(texts[number % 2]) // 2
                    file.write(texts[number % 2][:half])
                    file.flush()
                    file.write(texts[number % 2][half:])

        writer = threading.Thread(target=rewrite)
        writer.start()
        try:
            for _ in range(200):
                corral.signal(signal.SIGHUP)
                time.sleep(0.002)
            corral.await_err("reloaded|stays as it was")
        finally:
            done.set()
            writer.join()
        self.write("corral.json", texts[1])
        corral.signal(signal.SIGHUP)
        corral.await_err("second/1 .*started")
        await_that("only the last definition runs", lambda: sorted(self.workers()) == ["second", "second"])
        self.assertTrue(exists(corral.pid))
        self.stop(corral, 0)

    def workers(self):
        names = []
        for pid in os.listdir("/proc"):
            environment = read(f"/proc/{pid}/environ", "rb") if pid.isdigit() else b""
            if self.token.encode() in environment and b"CORRAL_PROGRAM=" in environment:
                names.append(environment.split(b"CORRAL_PROGRAM=")[1].split(b"\0")[0].decode())
        return names


if __name__ == "__main__":
    main()
