"""A supervisor that stands still: how long it is waited for, and what the exit status says."""

import os
import signal
import time

from control import ControlTest
from harness import await_that, main, program


class Patience(ControlTest):
    def setUp(self):
        super().setUp()
        self.corral = self.run_controlled({"a": program("hang", workers=2, cores="shared", restart={"healthy_after": "50ms"})})
        self.await_listening(self.corral)
        await_that("both run", lambda: [one["state"] for one in self.workers().values()] == ["running", "running"])

    def test_a_timeout_holds_where_nobody_answers(self):
        os.kill(self.corral.pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            said = self.ask_for("stop", "a/0", "--timeout", "300ms", status=124).err
            self.assertLess(time.monotonic() - began, 5)  # Not the ten seconds that an answer may take without it.
        finally:
            os.kill(self.corral.pid, signal.SIGCONT)
        self.assertRegex(said, "has not answered within .*it may do what it was told later")
        await_that("it does", lambda: self.workers()["a/0"]["state"] == "stopped")
        self.stop(self.corral, 0)

    def test_one_that_stands_still_is_listed_beside_the_others(self):
        os.kill(self.corral.pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            listed = self.ask_for("status", "--all", whose=[]).out
            self.assertLess(time.monotonic() - began, 8)
        finally:
            os.kill(self.corral.pid, signal.SIGCONT)
        self.assertRegex(listed, rf"{self.corral.pid} .*\?")
        self.stop(self.corral, 0)

    def test_who_follows_a_program_hears_of_its_rolling_restart(self):
        self.ask_for("restart", "a", "--rolling", "--no-wait")
        heard = lambda: self.ask_for("events", "--json", "-n", "all", "a").out  # noqa: E731
        await_that("it is over", lambda: '"event":"roll_ended"' in heard())
        self.assertIn('"event":"roll_begun"', heard())
        self.stop(self.corral, 0)


if __name__ == "__main__":
    main()
