"""`corral top` on a pseudo-terminal: what is seen, what the keys ask of the supervisor, and that the terminal is clean after every
end. The supervisor is a fake one: what it answers, and when, is the test's affair.
"""

import os
import signal
import subprocess
import termios
import threading
import unittest

from fake_supervisor import FakeSupervisor, worker
from harness import CORRAL, SANITIZER, CorralTest, await_that, main

try:
    from screen import Terminal
except ImportError:
    Terminal = None

ENTERED = b"\x1b[?1049h\x1b[?25l\x1b[?7l"
LEFT = b"\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"
KEYS = r"\? help  r restart"


@unittest.skipIf(Terminal is None, "there is no terminal to look at: apt-get install python3-pyte")
class Top(CorralTest):
    def setUp(self):
        super().setUp()
        self.socket = self.path("corral.sock")
        self.fake = FakeSupervisor(self.socket, [worker(f"crunch/{index}") for index in range(4)])
        self.addCleanup(self.fake.end)
        self.terminals = []

    def tearDown(self):
        for terminal in self.terminals:
            terminal.close()
        super().tearDown()

    def top(self, *words, rows=24, columns=80, **variables):
        environment = dict(os.environ, CORRAL_TEST_TOKEN=self.token, TERM="xterm-256color", LC_ALL="C.UTF-8", ASAN_OPTIONS=SANITIZER)
        environment.update(variables)
        words = [CORRAL, "top", "--socket", self.socket, "--interval", "100ms", *words]
        terminal = Terminal(words, rows, columns, environment)
        self.terminals.append(terminal)
        return terminal

    def shown(self, **options):
        terminal = self.top(**options)
        terminal.await_screen(r"crunch/3.* 0\.0 ")  # Seen twice.
        return terminal

    def clean(self, terminal, status):
        self.assertEqual(terminal.await_end(), status, terminal.text())
        self.assertEqual(terminal.raw.count(LEFT), terminal.raw.count(ENTERED))
        self.assertNotIn(b"\x1b", terminal.raw.rpartition(LEFT)[2])
        self.assertEqual(termios.tcgetattr(terminal.master), terminal.before)

    # ---- What is seen

    def test_screen_of_80_by_24(self):
        self.fake.workers[1].update(cores="0")
        self.fake.workers[3].update(state="backoff", pid=None, cores=None, cpu_seconds=None, memory_bytes=None, uptime_seconds=None,
                                    next_start_seconds=2.2, restarts=3)  # fmt: skip
        self.fake.events = [{"event": "worker_ended", "worker": "crunch/2", "text": "crunch/2 (pid 7) exited with status 3"}]
        terminal = self.top()
        terminal.await_screen(r"exited with.*\n.*starts in")
        terminal.await_screen(r"crunch/0.* 0\.0 ")
        self.assertEqual(terminal.lines(), [
            "corral 0.1.0  pid 4711  running  up 1h02  /etc/corral/corral.json",
            "4 workers: 3 running, 1 backoff                           CPU 0.0%  memory 36.0M",
            "CORES  WORKER   STATE      CPU% MEMORY RESTARTS     UP     PID LAST EVENT",
            "0      crunch/0 running     0.0  12.0M        0   1m15    1000",
            "       crunch/1 running     0.0  12.0M        0   1m15    1001",
            "2      crunch/2 running     0.0  12.0M        0   1m15    1002 exited with stat~",
            "any    crunch/3 backoff       -      -        3      -       - starts in 3 s",
            *[""] * 16,
            "? help  r restart  s stop/start  l log  k signal  / filter  o order  q quit",
        ])  # fmt: skip
        terminal.type("q")
        self.clean(terminal, 0)

    def test_resize(self):
        terminal = self.shown()
        for rows, columns, seen in ((10, 40, r"l log ~$"), (50, 200, r"\[ +\]"), (3, 12, r"\Acrunch/0 ru~"), (1, 1, r"\A.$"), (24, 80, KEYS)):
            terminal.resize(rows, columns)
            terminal.await_screen(seen)
        terminal.await_screen(KEYS)
        terminal.type("q")
        self.clean(terminal, 0)

    def test_many_workers_scroll(self):
        self.fake.workers[:] = [worker(f"w/{index}") for index in range(1000)]
        terminal = self.top()
        terminal.await_screen(r"w/19 ")
        terminal.type("\x1b[F")
        terminal.await_screen(r"w/999 ")
        terminal.type("\x1b[5~\x1b[A")
        terminal.await_screen(r"w/978 ")
        terminal.type("/w/77\r")
        terminal.await_screen(r"w/779 ")
        terminal.type("q")
        self.clean(terminal, 0)

    def test_hostile_words_drive_no_terminal(self):
        self.fake.events = [{"worker": "crunch/0", "text": "crunch/0: \x1b[2J\x1b]0;owned\x07 \x9b31m"}]
        terminal = self.top(columns=160)
        terminal.await_screen(r"\\x1b\[2J\\x1b\]0;owned\\x07 \\xc2\\x9b31m")
        self.assertNotIn(b"owned\x07", terminal.raw)
        terminal.type("q")
        self.clean(terminal, 0)

    # ---- Keys

    def asked(self, *expected):
        await_that(lambda: f"{expected} of the supervisor: {self.fake.asked}", lambda: self.fake.asked == list(expected))

    def test_restart_of_the_selected_worker(self):
        terminal = self.shown()
        terminal.type("\x1b[B\x1b[Br")
        terminal.await_screen(r"restart crunch/2\? y")
        terminal.type("y")
        terminal.await_screen("crunch/2 is restarted")
        self.asked(("POST", "/v1/workers/restart", {"targets": ["crunch/2"]}))
        terminal.type("q")
        self.clean(terminal, 0)

    def test_stop_start_and_signal(self):
        self.fake.workers[1].update(wanted="down", state="stopped")
        terminal = self.shown()
        terminal.type("sy")
        terminal.await_screen("crunch/0 is stopped")
        terminal.type("\x1b[Bsy")
        terminal.await_screen("crunch/1 is started")
        terminal.type("kusr1\r")
        terminal.await_screen("SIGUSR1 was sent to crunch/1")
        self.asked(("POST", "/v1/workers/stop", {"targets": ["crunch/0"]}), ("POST", "/v1/workers/start", {"targets": ["crunch/1"]}),
                   ("POST", "/v1/workers/signal", {"targets": ["crunch/1"], "signal": "USR1"}))  # fmt: skip
        terminal.type("q")
        self.clean(terminal, 0)

    def test_what_is_refused_is_said(self):
        self.fake.replies["/v1/workers/restart"] = (409, {"error": "everything stops: nothing is started any more"})
        terminal = self.shown()
        terminal.type("ry")
        terminal.await_screen("everything stops: nothing is started any more")
        terminal.type("q")
        self.clean(terminal, 0)

    def test_the_screen_lives_while_a_command_takes_its_time(self):
        self.fake.held["/v1/workers/restart"] = threading.Event()
        self.addCleanup(self.fake.held["/v1/workers/restart"].set)
        terminal = self.shown()
        terminal.type("ry")
        terminal.await_screen(r"restart crunch/0 \.\.\.")
        self.fake.workers[0].update(state="stopping")
        terminal.await_screen(r"crunch/0 stopping")
        self.fake.held["/v1/workers/restart"].set()
        terminal.await_screen("crunch/0 is restarted")
        terminal.type("q")
        self.clean(terminal, 0)

    def test_help_and_filter(self):
        terminal = self.shown()
        terminal.type("?")
        terminal.await_screen("select a worker")
        terminal.type("x/crunch/3")
        terminal.await_screen(r"show only: crunch/3_")
        terminal.await_gone("crunch/0")
        terminal.type("\r")
        terminal.await_screen(r"only 'crunch/3'")
        terminal.type("\x1b")
        terminal.await_screen("crunch/0")
        terminal.type("q")
        self.clean(terminal, 0)

    def test_a_log_that_cannot_be_followed_says_why_and_comes_back(self):
        terminal = self.shown()
        terminal.type("l")
        terminal.await_screen("Enter goes back")
        self.assertNotEqual(termios.tcgetattr(terminal.master)[3] & termios.ICANON, 0)
        terminal.type("\r")
        terminal.await_entered(2)
        terminal.type("q")
        self.clean(terminal, 0)

    def test_ctrl_c_comes_back_from_there_too(self):
        terminal = self.shown()
        terminal.type("l")
        terminal.await_screen("Enter goes back")
        terminal.type("\x03")
        terminal.await_entered(2)
        terminal.type("l")
        terminal.await_screen("Enter goes back")
        os.kill(terminal.pid, signal.SIGTERM)
        self.clean(terminal, 128 + signal.SIGTERM)

    # ---- Ways out

    def test_signals(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            with self.subTest(number.name):
                terminal = self.shown()
                os.kill(terminal.pid, number)
                self.clean(terminal, 128 + number)

    def test_ctrl_c(self):
        terminal = self.shown()
        terminal.type("\x03")
        self.clean(terminal, 130)

    def test_ctrl_z_and_back(self):
        terminal = self.shown()
        os.kill(terminal.pid, signal.SIGTSTP)
        terminal.await_stop()
        terminal.read()
        self.assertTrue(terminal.raw.endswith(LEFT), terminal.raw[-100:])
        self.assertEqual(termios.tcgetattr(terminal.master), terminal.before)
        os.kill(terminal.pid, signal.SIGCONT)
        terminal.type("?")
        terminal.await_screen("select a worker")
        terminal.type("q")
        self.clean(terminal, 0)

    def test_a_crash(self):
        for number in (signal.SIGSEGV, signal.SIGABRT):
            with self.subTest(number.name):
                terminal = self.shown()
                os.kill(terminal.pid, number)
                self.clean(terminal, -number)

    def test_the_supervisor_goes(self):
        terminal = self.shown()
        self.fake.end()
        self.clean(terminal, 3)
        self.assertIn(b"corral: the supervisor (pid 4711) has ended", terminal.raw)

    def test_a_supervisor_that_does_not_answer_is_told_of(self):
        terminal = self.shown()
        self.fake.held["/v1/status"] = threading.Event()
        self.addCleanup(self.fake.held["/v1/status"].set)
        terminal.await_screen(r"the supervisor has not answered for \d+ s")
        terminal.type("?")
        terminal.await_screen("select a worker")
        self.fake.held["/v1/status"].set()
        terminal.await_screen("corral 0.1.0  pid 4711")
        terminal.type("q")
        self.clean(terminal, 0)

    def test_the_terminal_goes(self):
        terminal = self.shown()
        master, terminal.master = terminal.master, os.open("/dev/null", os.O_RDONLY)
        os.close(master)
        terminal.await_end()

    # ---- Refusals

    def refused(self, status, pattern, words=None, **popen):
        done = subprocess.run([CORRAL, "top", *(words or ["--socket", self.socket])], capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL, **popen)  # fmt: skip
        self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
        self.assertRegex(done.stderr, pattern)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_without_a_terminal(self):
        self.refused(2, r"^corral: top needs a terminal \(stdin and stdout are not both a terminal\); use: corral status --watch")

    def test_on_a_terminal_that_is_none(self):
        for kind in ("dumb", ""):
            terminal = self.top(TERM=kind)
            self.assertEqual(terminal.await_end(), 2)
            self.assertIn("top needs a terminal (TERM", terminal.text())
            self.assertNotIn(b"\x1b", terminal.raw)

    def test_nobody_there(self):
        self.fake.end()
        terminal = self.top()
        self.assertEqual(terminal.await_end(), 3)
        self.assertIn("no supervisor answers at", terminal.text())
        self.assertNotIn(b"\x1b", terminal.raw)

    def test_something_else_there(self):
        self.fake.replies["/v1/status"] = (200, b"<html>")
        terminal = self.top()
        self.assertEqual(terminal.await_end(), 3)
        self.assertIn("is not JSON", terminal.text())
        self.assertNotIn(b"\x1b", terminal.raw)

    def test_idle_costs_next_to_nothing(self):
        terminal = self.shown()
        before = len(terminal.raw)
        asked = self.fake.statuses
        await_that("five more looks", lambda: self.fake.statuses >= asked + 5)
        terminal.read()
        self.assertEqual(terminal.raw[before:], b"", "nothing has changed, and something was written")
        terminal.type("q")
        self.clean(terminal, 0)


if __name__ == "__main__":
    main()
