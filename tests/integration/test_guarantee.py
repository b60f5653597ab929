"""The stop guarantee: what corral says is stopped has no descendant alive, however it was forked.

The harness looks for survivors the moment corral has ended; here it is also asked of single workers, while others live.
"""

import os
import re
import signal
import subprocess
import time

from harness import CORRAL, QUICK, CorralTest, await_that, cgroup_works, children, exists, guardian_of, main, program, read, zoo

MODES = ["plain", "setsid", "setsid-ignore", "env-i"]


def clone(flag, then):
    """A command that makes a process with that flag, which no library call has, and exits."""
    number = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
    flags = {"CLONE_PARENT": 0x8000}[flag] | signal.SIGCHLD
    script = f"import ctypes, os\nif ctypes.CDLL(None).syscall({number}, {flags}, 0, 0, 0, 0) == 0:\n  os.setsid()\n  {then}"
    return ["python3", "-c", script]


class Guarantee:
    containment = None

    def configuration(self, programs, **options):
        return self.run_config(programs, top={"containment": self.containment}, **options)

    def daemons(self, corral, count):
        corral.await_out(r"daemon \d+", count=count)
        return {worker: int(pid) for worker, pid in re.findall(r"^(\S+) \| daemon (\d+)$", corral.out, re.MULTILINE)}

    def test_daemons_die_when_everything_stops(self):
        corral = self.configuration({mode: program(f"double-fork {mode} + hang") for mode in MODES})
        daemons = self.daemons(corral, len(MODES))
        self.stop(corral, 0)
        self.assertEqual([mode for mode, pid in daemons.items() if exists(pid)], [])

    def test_daemons_die_when_their_worker_has_finished(self):
        corral = self.configuration({mode: program(f"double-fork {mode}") for mode in MODES})
        daemons = self.daemons(corral, len(MODES))
        self.finish(corral, 0)
        self.assertEqual([mode for mode, pid in daemons.items() if exists(pid)], [])

    def test_the_leftovers_of_one_life_are_gone_before_the_next_and_nobody_elses_are_touched(self):
        programs = {mode: program(f"double-fork {mode} + hang", restart=QUICK) for mode in MODES}
        corral = self.configuration(programs)
        before = self.daemons(corral, len(MODES))
        for round_number, mode in enumerate(MODES, 1):
            os.kill(corral.await_start(f"{mode}/0"), signal.SIGKILL)
            after = self.daemons(corral, len(MODES) + round_number)
            self.assertFalse(exists(before[f"{mode}/0"]), f"{mode}: a helper of the first life lives beside the second")
            for other, pid in before.items():
                if other != f"{mode}/0":
                    self.assertTrue(exists(pid), f"{other}: its helper was killed with {mode}")
                    self.assertEqual(after[other], pid)
            before = after
        self.stop(corral, 0)

    def test_the_list_that_each_restart_looks_through_holds_orphans_alone(self):
        corral = self.configuration({"a": program("hang", workers=5, cores="shared"), "b": program("double-fork setsid + hang")})
        orphan = self.daemons(corral, 1)["b/0"]
        for index in range(5):
            corral.await_start(f"a/{index}")
        await_that("its guardian", lambda: guardian_of(corral.pid))
        self.assertEqual(len(children(corral.pid)), 8)
        self.assertEqual(read(f"/proc/{corral.pid}/task/{corral.pid}/children").split(), [str(orphan)])
        self.stop(corral, 0)

    def test_a_child_that_a_worker_gives_to_its_own_parent_is_swept_too(self):
        corral = self.configuration({"a": {"command": clone("CLONE_PARENT", "os.execvpe('sleep', ['sleep', '1000'], {})")}, "b": program("hang")})
        corral.await_err("a/0 .*exited with status 0.*finished")
        await_that("its guardian", lambda: guardian_of(corral.pid))
        self.assertEqual(len(children(corral.pid)), 2)
        self.stop(corral, 0)

    def test_with_many_workers_such_a_child_goes_at_the_latest_when_everything_stops(self):
        escape = {"command": clone("CLONE_PARENT", "os.execvpe('sleep', ['sleep', '1000'], {})")}
        corral = self.configuration({"a": escape, "b": program("hang", workers=20, cores="shared")})
        corral.await_err("a/0 .*exited with status 0.*finished")
        begin = time.monotonic()
        self.stop(corral, 0)
        self.assertLess(time.monotonic() - begin, 8)

    def test_an_orphan_in_a_group_of_somebody_else_dies_alone(self):
        bystander = subprocess.Popen(["sleep", "1000"], process_group=0)
        self.addCleanup(bystander.wait)
        self.addCleanup(bystander.kill)
        script = f"import os, time\nif os.fork() == 0:\n  if os.fork() == 0:\n    os.setpgid(0, {bystander.pid}); print('there', flush=True); time.sleep(1000)\n  os._exit(0)\nos.wait(); time.sleep(0.3)"
        corral = self.configuration({"a": {"command": ["python3", "-c", script], "restart": "never"}})
        corral.await_out("there")
        self.finish(corral, 0)
        self.assertIsNone(bystander.poll())

    def test_a_worker_that_has_left_its_group_is_stopped_all_the_same(self):
        script = "import os, time\nif os.fork() == 0: os._exit(0)\nos.setpgid(0, os.getpgid(os.getppid())); print('left', flush=True); time.sleep(1000)"
        corral = self.configuration({"a": {"command": ["python3", "-c", script], "stop": {"grace": "1m"}}})
        corral.await_out("left")
        self.stop(corral, 0)

    def test_workers_of_one_program_are_told_apart(self):
        corral = self.configuration({"a": program("double-fork env-i + hang", workers=6, cores="shared", restart=QUICK)})
        before = self.daemons(corral, 6)
        os.kill(corral.await_start("a/3"), signal.SIGKILL)
        self.daemons(corral, 7)
        self.assertEqual([worker for worker, pid in before.items() if not exists(pid)], ["a/3"])
        self.stop(corral, 0)

    def test_a_worker_that_a_reload_removes_takes_its_daemons_along(self):
        corral = self.configuration({"a": program("double-fork setsid-ignore + hang"), "b": program("double-fork env-i + hang")})
        daemons = self.daemons(corral, 2)
        self.configure({"b": program("double-fork env-i + hang")}, {"containment": self.containment})
        corral.signal(signal.SIGHUP)
        corral.await_err("a/0 .*ended as asked")
        self.assertFalse(exists(daemons["a/0"]))
        self.assertTrue(exists(daemons["b/0"]))
        self.stop(corral, 0)

    def test_a_tree_of_forks_dies(self):
        corral = self.configuration({"a": program("fork-bomb-light 50 setsid + fork-bomb-light 3 + line up + hang", workers=2, cores="shared")})
        corral.await_out("up", count=2)
        self.stop(corral, 0)

    def test_a_daemon_that_stopped_itself_dies(self):
        command = ["/bin/sh", "-c", "(setsid sh -c 'kill -STOP $$' &) ; echo up; sleep 1000"]
        corral = self.configuration({"a": {"command": command}})
        corral.await_out("up")
        self.stop(corral, 0)

    def test_one_that_forks_for_ever_is_caught(self):
        # Each generation is a new session whose parent is dead: whoever looks sees it only in passing.
        script = self.write("runner", "import os, sys\nprint('up', flush=True)\nwhile True:\n    if os.fork(): os._exit(0)\n    os.setsid()\n")
        corral = self.configuration({"a": {"command": ["/usr/bin/python3", script], "restart": "never"}, "b": "hang"})
        corral.await_out("up")
        corral.signal(signal.SIGTERM)
        self.finish(corral)


class Subreaper(Guarantee, CorralTest):
    containment = "subreaper"


class Cgroup(Guarantee, CorralTest):
    containment = "cgroup"

    def setUp(self):
        super().setUp()
        if not cgroup_works(self.folder):
            self.skipTest("no cgroup v2 can be written here")

    def test_no_cgroup_stays_behind(self):
        corral = self.configuration({"a": "line up + hang"})
        pid = corral.await_start("a/0")
        cgroup = re.search(r"^0::(.*)$", read(f"/proc/{pid}/cgroup"), re.MULTILINE).group(1)
        self.assertIn("corral-", cgroup)
        self.stop(corral, 0)
        roots = [line.split()[4] for line in read("/proc/self/mountinfo").splitlines() if " - cgroup2 " in line]
        self.assertEqual([root for root in roots if os.path.exists(root + cgroup)], [])


class OfExec(CorralTest):
    def test_exec_kills_what_its_command_left(self):
        for mode in MODES:
            with self.subTest(mode):
                corral = self.start("exec", "--", *zoo(f"double-fork {mode} + exit 5"))
                pid = int(corral.await_out(r"daemon (\d+)").group(1))
                self.finish(corral, 5)
                self.assertFalse(exists(pid))

    def test_a_sigstopped_command(self):
        corral = self.start("exec", "--grace", "200ms", "--", *zoo("ignore TERM + line up + hang"))
        corral.await_out("up")
        self.stop(corral, 128 + signal.SIGKILL)

    def test_check_says_what_the_guarantee_rests_on(self):
        done = subprocess.run([CORRAL, "check", self.configure({"a": "hang"})], capture_output=True, text=True, timeout=60)
        self.assertRegex(done.stdout, "cgroup|subreaper")


if __name__ == "__main__":
    main()
