"""Faults of the kernel: no processes left, no descriptors, no memory, a refused setuid, an exec that hangs or is killed.

strace puts them in, attached to the running supervisor so that its own start is spared. Where it may not attach, skipped.
"""

import os
import re
import resource
import signal
import subprocess
import time

from harness import CEILING, QUICK, SANITIZER, CorralTest, as_root, await_that, children, exists, main, processes_with, program, read, zoo


def can_trace():
    with subprocess.Popen(["sleep", "60"]) as target:
        try:
            tracer = subprocess.Popen(["strace", "-f", "-p", str(target.pid), "-e", "trace=none"], stderr=subprocess.PIPE, text=True)
        except FileNotFoundError:
            target.kill()
            return "strace is not installed"
        line = tracer.stderr.readline()
        tracer.terminate()
        tracer.wait()
        tracer.stderr.close()
        target.kill()
        return "" if "attached" in line else f"strace cannot attach: {line.strip()}"


class Injected(CorralTest):
    @classmethod
    def setUpClass(cls):
        cls.why_not = can_trace()

    def setUp(self):
        super().setUp()
        self.tracers = []
        if self.why_not:
            self.skipTest(self.why_not)

    def run_config(self, programs, *flags, **options):
        # A leak check at the end does not work below a tracer.
        variables = {"ASAN_OPTIONS": SANITIZER + ":detect_leaks=0"} | options.pop("environment", {})
        return super().run_config(programs, *flags, environment=variables, **options)

    def inject(self, corral, *what):
        words = [word for entry in what for word in ("-e", "inject=" + entry)]
        tracer = subprocess.Popen(["strace", "-f", "-q", "-o", self.path("trace"), "-p", str(corral.pid), *words], stderr=subprocess.PIPE)
        self.tracers.append(tracer)

        def attached():
            tasks = os.listdir(f"/proc/{corral.pid}/task")
            return all(re.search(r"TracerPid:\s+[1-9]", read(f"/proc/{corral.pid}/task/{task}/status")) for task in tasks)

        await_that("strace has attached", lambda: attached() or tracer.poll())
        self.assertIsNone(tracer.poll(), "strace did not attach")
        return tracer

    def release(self, tracer):
        """Detaches. Not with SIGTERM: strace would first wait out the delays that it has put in."""
        tracer.kill()
        tracer.wait(CEILING)

    def tearDown(self):
        for tracer in self.tracers:
            tracer.kill()
            tracer.wait(CEILING)
            tracer.stderr.close()
        super().tearDown()

    policy = {"when": "always", "delay": "20ms", "max_delay": "20ms", "jitter": 0, "limit": None}

    def waiting_workers(self, count=1, **keys):
        """Workers that run; killing one has it launched again."""
        corral = self.run_config({"a": program("line up + hang", workers=count, cores="shared", restart=self.policy, **keys), "b": "line other + hang"})
        corral.await_out("up", count=count)
        corral.await_out("other")
        return corral

    def kill_worker(self, corral, life=1):
        os.kill(corral.await_start("a/0", incarnation=life), signal.SIGKILL)

    def recovers(self, *faults, words):
        corral = self.waiting_workers()
        tracer = self.inject(corral, *faults)
        self.kill_worker(corral)
        corral.await_err(words, count=2)
        self.release(tracer)
        corral.await_out("up", count=2)
        self.assertEqual(len(corral.pids("b/0")), 1)
        self.stop(corral, 0)

    def test_no_processes_left(self):
        self.recovers("clone,clone3,vfork:error=EAGAIN", words=r"a/0: .*Resource temporarily unavailable.*restart \d+ in")

    def test_no_memory_for_a_process(self):
        self.recovers("clone,clone3,vfork:error=ENOMEM", words=r"a/0: .*Cannot allocate memory.*restart \d+ in")

    def test_an_old_filter_that_knows_no_clone3_and_no_pidfd(self):
        # ENOSYS is what filters should say, and libc then takes clone; EPERM is what old ones said: then there are no threads.
        for error, words in (("ENOSYS", None), ("EPERM", "cannot start a thread for the control socket: Operation not permitted; there is none")):
            tracer = ["strace", "-D", "-f", "-q", "-o", self.path("trace"), "-e", "trace=clone3,pidfd_open", "-e", f"inject=clone3,pidfd_open:error={error}"]
            corral = self.run_config({"a": program("double-fork ignore + line up + hang", workers=2, cores="shared", restart=self.policy)}, wrapper=tracer)
            corral.await_out("up", count=2)
            if words:
                corral.await_err(words)
            self.kill_worker(corral)
            corral.await_out("up", count=3)
            self.stop(corral, 0)
            self.assertFalse(processes_with(self.token))

    def test_a_reload_without_a_thread_changes_nothing_and_says_so(self):
        corral = self.waiting_workers()
        tracer = self.inject(corral, "clone,clone3:error=EAGAIN")
        corral.signal(signal.SIGHUP)
        corral.await_err("^corral: the configuration stays as it was: cannot start a thread to read it: Resource temporarily unavailable")
        self.release(tracer)
        corral.signal(signal.SIGHUP)
        corral.await_err("configuration reloaded: 2 workers kept")
        self.stop(corral, 0)

    def test_a_worker_killed_before_its_exec_is_a_failed_launch(self):
        self.recovers("execve:signal=SIGKILL", words=r"a/0.*killed by signal 9.*restart \d+ in")

    @as_root
    def test_a_refused_setuid_never_runs_the_command(self):
        os.chmod(self.folder, 0o777)
        mark = self.path("ran")
        corral = self.run_config({"a": program(f"first-time {self.path('x')} + sleep 1", user="nobody", restart={**self.policy, "delay": "1s", "max_delay": "1s"}),
                                  "c": "line there + hang"})  # fmt: skip
        corral.await_err("a/0 .*restart 1 in")
        tracer = self.inject(corral, "setresuid,setuid:error=EAGAIN")
        corral.await_err(r"a/0: .*(user|uid).*Resource temporarily unavailable.*restart \d+ in")
        self.assertFalse(os.path.exists(mark))
        self.assertEqual(len(corral.pids("a/0")), 1)
        self.release(tracer)
        self.stop(corral, 0)

    @as_root
    def test_refused_groups_never_run_the_command(self):
        os.chmod(self.folder, 0o777)
        corral = self.run_config({"a": program("sleep 1", user="nobody", restart={**self.policy, "delay": "1s", "max_delay": "1s"}), "c": "hang"})
        corral.await_err("a/0 .*restart 1 in")
        lives = len(corral.pids("a/0"))
        tracer = self.inject(corral, "setgroups:error=EPERM")
        corral.await_err(r"a/0: .*group.*Operation not permitted.*restart \d+ in")
        self.assertLessEqual(len(corral.pids("a/0")), lives + 1)
        self.release(tracer)
        self.stop(corral, 0)

    def test_the_loop_lives_while_an_exec_hangs(self):
        corral = self.waiting_workers(start_timeout="1h")
        tracer = self.inject(corral, "execve:delay_enter=60000000")
        self.kill_worker(corral)
        corral.await_err("a/0 .*killed by signal 9.*restart 1 in")
        begin = time.monotonic()
        corral.signal(signal.SIGUSR1)
        corral.await_err("SIGUSR1 received")
        corral.signal(signal.SIGTERM)
        corral.await_err("SIGTERM received")
        corral.await_err("b/0 .*killed by signal 1[05]")
        self.assertLess(time.monotonic() - begin, 15)
        self.release(tracer)
        self.finish(corral)

    def test_launches_that_hang_hold_no_output_of_others(self):
        # A launch that has not come to its exec has copies of descriptors that the supervisor closes meanwhile.
        corral = self.waiting_workers(count=20, start_timeout="1h")
        pids = [corral.await_start(f"a/{index}") for index in range(20)]
        tracer = self.inject(corral, "close_range:delay_exit=60000000")
        for first, last, hang in ((8, 20, 12), (0, 8, 20)):  # The low descriptors last: the others hold them by then.
            for pid in pids[first:last]:
                os.kill(pid, signal.SIGKILL)
            for index in range(first, last):
                corral.await_err(rf"a/{index} .*killed by signal 9.*restart 1 in")
            await_that("the launches hang", lambda count=hang: self.launching(corral) >= count)
        for number in range(1, 4):
            corral.signal(signal.SIGUSR2)
            corral.await_err("SIGUSR2 received", count=number)
        corral.signal(signal.SIGTERM)
        corral.await_err("SIGTERM received")
        self.release(tracer)
        self.finish(corral)

    @staticmethod
    def launching(corral):
        """How many children still have the supervisor's own command line."""
        own = read(f"/proc/{corral.pid}/cmdline", "rb")
        return sum(read(f"/proc/{pid}/cmdline", "rb") == own for pid in children(corral.pid))

    def test_an_exec_that_hangs_is_given_up_after_its_time(self):
        corral = self.waiting_workers(start_timeout="300ms")
        tracer = self.inject(corral, "execve:delay_enter=60000000")
        self.kill_worker(corral)
        # Below a tracer that sleeps not even SIGKILL ends it: what hangs in the kernel looks the same.
        corral.await_err(r"a/0: SIGKILL now")
        self.release(tracer)
        corral.await_err(r"a/0: .*(start_timeout|too long|timed out|not executed).*restart \d+ in")
        corral.await_out("up", count=2)
        self.stop(corral)


class Limits(CorralTest):
    """Descriptors and processes that run out, without a tracer."""

    def test_no_descriptors_left(self):
        policy = {"when": "always", "delay": "20ms", "max_delay": "20ms", "jitter": 0, "limit": None}
        corral = self.run_config({"a": program("line up + hang", restart=policy), "b": "line other + hang"})
        corral.await_out("up")
        corral.await_out("other")
        fds = len(os.listdir(f"/proc/{corral.pid}/fd"))
        before = resource.prlimit(corral.pid, resource.RLIMIT_NOFILE, (5, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        os.kill(corral.await_start("a/0"), signal.SIGKILL)
        corral.await_err(r"a/0: .*Too many open files.*restart \d+ in", count=3)
        resource.prlimit(corral.pid, resource.RLIMIT_NOFILE, before)
        corral.await_out("up", count=2)
        await_that("no descriptor has leaked", lambda: len(os.listdir(f"/proc/{corral.pid}/fd")) <= fds + 1)
        self.assertEqual(len(corral.pids("b/0")), 1)
        self.stop(corral, 0)

    def test_descriptors_are_a_function_of_the_workers(self):
        corral = self.run_config({"a": program("sleep 1 + exit 1", workers=4, cores="shared", restart=QUICK)})
        corral.await_err("restart 20 ")
        first = len(os.listdir(f"/proc/{corral.pid}/fd"))
        corral.await_err("a/0 .*restart 150 ")
        self.assertLessEqual(len(os.listdir(f"/proc/{corral.pid}/fd")), first + 8)
        self.stop(corral, 0)

    def test_start_under_few_descriptors(self):
        def lower():
            resource.setrlimit(resource.RLIMIT_NOFILE, (130, 130))

        corral = self.run_config({"a": program("line up + hang", workers=60, cores="shared", restart=QUICK)}, preexec_fn=lower)
        corral.await_out("up", count=5)
        corral.await_err("Too many open files")
        self.assertTrue(exists(corral.pid))
        self.stop(corral)

    @as_root
    def test_a_user_with_too_many_processes(self):
        os.chmod(self.folder, 0o755)
        limited = {"nproc": 1}
        policy = {"when": "on-failure", "delay": "10ms", "max_delay": "10ms", "limit": {"restarts": 2, "within": "1m"}}
        corral = self.run_config({"a": program("fork-bomb-light 3 + line up + hang", user="54321", group="54321", limits=limited, restart=policy)})
        corral.await_out("up")  # The forks fail; the worker does not care.
        self.stop(corral, 0)
        self.assertTrue(zoo("x"))


if __name__ == "__main__":
    main()
