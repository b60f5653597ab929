"""`corral top` beside a real supervisor: what its keys ask for happens, and is seen."""

import os
import signal
import subprocess
import unittest

from harness import CORRAL, SANITIZER, CorralTest, await_that, main, program
from unix_http import listens

try:
    from screen import Terminal
except ImportError:
    Terminal = None


@unittest.skipIf(Terminal is None, "there is no terminal to look at: apt-get install python3-pyte")
class TopLive(CorralTest):
    def setUp(self):
        super().setUp()
        self.socket = self.path("corral.sock")
        programs = {"a": program("line up + hang", workers=2, cores="shared")}
        if "followed" in self.id():
            if b"--follow" not in subprocess.run([CORRAL, "logs", "--help"], capture_output=True, timeout=60).stdout:
                self.skipTest("this corral has no `corral logs` yet")
            programs["b"] = program("line hello_from_b + hang", log={"to": "file", "file": self.path("b-{index}.log")})
        self.corral = self.run_config(programs, top={"control": {"socket": self.socket}})
        self.pids = [self.corral.await_start(f"a/{index}") for index in range(2)]
        await_that("the socket", lambda: listens(self.socket))
        environment = dict(os.environ, CORRAL_TEST_TOKEN=self.token, TERM="xterm", LC_ALL="C", ASAN_OPTIONS=SANITIZER)
        words = [CORRAL, "top", "--config", self.path("corral.json"), "--interval", "100ms"]
        self.terminal = Terminal(words, 24, 80, environment)
        self.addCleanup(self.terminal.close)

    def test_keys(self):
        for index, pid in enumerate(self.pids):
            self.terminal.await_screen(rf"a/{index} +running .* {pid}\b")
        self.terminal.type("ry")
        self.terminal.await_screen("a/0 is restarted")
        restarted = self.corral.await_start("a/0", incarnation=2)
        self.terminal.await_screen(rf"a/0 +running .* {restarted}\b")
        self.terminal.type("\x1b[Bsy")
        self.terminal.await_screen("a/1 is stopped")
        self.terminal.await_screen(r"a/1 +stopped")
        self.terminal.type("sy")
        self.terminal.await_screen("a/1 is started")
        started = self.corral.await_start("a/1", incarnation=2)
        self.terminal.type("kkill\r")
        self.terminal.await_screen("SIGKILL was sent to a/1")
        self.corral.await_err(rf"a/1 \(pid {started}\) killed by signal 9")
        self.corral.await_start("a/1", incarnation=3)
        self.terminal.await_screen(r"a/1 +running")
        self.terminal.type("q")
        self.assertEqual(self.terminal.await_end(), 0)
        self.stop(self.corral)

    def test_a_log_is_followed_and_left(self):
        self.terminal.await_screen("b/0 +running")
        self.terminal.type("\x1b[F")
        for times in (2, 3):
            self.terminal.type("l")
            await_that("what b/0 has written", lambda: self.read_all().count(b"hello_from_b") >= times - 1)
            self.terminal.type("\x03")
            self.terminal.await_entered(times)
        self.terminal.type("q")
        self.assertEqual(self.terminal.await_end(), 0)
        self.stop(self.corral)

    def read_all(self):
        self.terminal.read()
        return self.terminal.raw

    def test_the_supervisor_ends(self):
        self.terminal.await_screen("a/1 +running")
        self.corral.signal(signal.SIGTERM)
        self.assertEqual(self.terminal.await_end(), 3)
        self.assertIn(f"corral: the supervisor (pid {self.corral.pid}) has ended".encode(), self.terminal.raw)
        self.assertTrue(self.terminal.raw.rpartition(b"\x1b[?1049l")[0])
        self.finish(self.corral, 0)


if __name__ == "__main__":
    main()
