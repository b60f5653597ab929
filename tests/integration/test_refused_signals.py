"""A worker that corral may not signal: said with the reason and with what is next, and no stop waits for it for ever."""

import os
import signal
import subprocess

from harness import CorralTest, as_root, await_that, exists, main, read

# Root without the right to signal other users' processes.
POWERLESS = ["setpriv", "--bounding-set", "-kill", "--inh-caps", "-kill"]
WHY = r"Operation not permitted \(it runs as another user, and corral has no CAP_KILL\)"
FOREIGN = {"command": ["sleep", "1000"], "user": "nobody", "stop": {"grace": "50ms"}}


@as_root
class RefusedSignals(CorralTest):
    def setUp(self):
        super().setUp()
        if subprocess.run([*POWERLESS, "true"], capture_output=True).returncode != 0:
            self.skipTest("setpriv cannot take CAP_KILL away here")

    def begin(self, programs):
        return self.run_config(programs, top={"containment": "subreaper"}, wrapper=POWERLESS)

    def exec(self, *options):
        corral = self.start("exec", *options, "--user", "nobody", "--", "sleep", "1000", wrapper=POWERLESS)
        pid = await_that("the command runs", lambda: next((int(task) for task in read(f"/proc/{corral.pid}/task/{corral.pid}/children").split() if read(f"/proc/{task}/comm") == "sleep\n"), None))
        return corral, pid

    def test_a_stop_gives_it_up_and_says_why(self):
        corral = self.begin({"a": FOREIGN, "b": {"command": ["sleep", "1000"]}})
        pid = corral.await_start("a/0")
        corral.await_start("b/0")
        corral.signal(signal.SIGTERM)
        corral.await_err(rf"a/0 \(pid {pid}\) cannot be sent SIGTERM: {WHY}; SIGKILL in \d+ ms")
        corral.await_err(rf"a/0 \(pid {pid}\) cannot be sent SIGKILL: {WHY}; given up in [\d.]+ m?s")
        corral.await_err(rf"a/0 \(pid {pid}\) cannot be sent SIGKILL: {WHY}; its slot stays unused while it exists")
        self.assertTrue(exists(pid))
        os.kill(pid, signal.SIGKILL)
        self.finish(corral, 3)
        self.assertNotIn("hangs in the kernel", corral.err)
        self.assertNotIn("sent SIGKILL,", corral.err)

    def test_it_is_left_behind_in_the_end(self):
        corral, pid = self.exec("--grace", "50ms")
        self.addCleanup(os.kill, pid, signal.SIGKILL)
        corral.signal(signal.SIGTERM)
        self.assertEqual(corral.process.wait(40), 3)
        self.assertTrue(exists(pid))
        corral.await_err(f"left behind: 1 process; cannot kill pid {pid}: Operation not permitted")
        os.kill(pid, signal.SIGKILL)

    def test_an_init_that_passes_signals_on_says_that_it_cannot(self):
        corral, pid = self.exec()
        corral.signal(signal.SIGTERM)
        corral.await_err(rf"cannot be sent SIGTERM: {WHY}; it runs on")
        corral.signal(signal.SIGTERM)
        os.kill(pid, signal.SIGKILL)
        self.finish(corral, 128 + signal.SIGKILL)
        self.assertEqual(corral.err.count("cannot be sent"), 1)

    def test_its_slot_is_not_used_until_it_has_gone(self):
        corral = self.begin({"a": FOREIGN, "b": {"command": ["sleep", "1000"]}})
        pid = corral.await_start("a/0")
        corral.await_start("b/0")
        self.configure({"a": {**FOREIGN, "command": ["sleep", "1001"]}, "b": {"command": ["sleep", "1000"]}}, {"containment": "subreaper"})
        corral.signal(signal.SIGHUP)
        corral.await_err("a/0 .*its slot stays unused")
        self.assertEqual(corral.pids("a/0"), [pid])
        os.kill(pid, signal.SIGKILL)
        after = corral.await_start("a/0", 2)
        corral.signal(signal.SIGTERM)
        corral.await_err("a/0 .*cannot be sent SIGKILL", count=3)
        os.kill(after, signal.SIGKILL)
        self.finish(corral, 3)


if __name__ == "__main__":
    main()
