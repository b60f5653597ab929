"""`exec` on a terminal: the keys, job control and the window reach the command as if nobody stood between.

A small shell of our own, with job control, stands above corral: it has the terminal, gives it away, waits with WUNTRACED. What
depends on when a shell sends SIGCONT, and when it does not, is tried with bash, in test_job_control.py.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

from harness import CORRAL, CorralTest, await_that, main, processes_with, program, read, zoo


class Session:
    """A process that leads a session on a new pseudo-terminal and runs a job on it as a shell does."""

    def __init__(self, token, words, job_control=True):
        self.reports, theirs = os.pipe()
        self.orders_in, self.orders = os.pipe()
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            try:
                os.environ["CORRAL_TEST_TOKEN"] = token
                os.close(self.reports)
                os.close(self.orders)
                self._shell(words, theirs, job_control)
            finally:
                os._exit(99)
        os.close(theirs)
        os.close(self.orders_in)
        self.seen = b""
        self.told = b""

    def _shell(self, words, reports, job_control):
        os.set_inheritable(reports, False)
        if not job_control:
            os.execv(CORRAL, [CORRAL, *words])
        for number in (signal.SIGTTOU, signal.SIGTTIN, signal.SIGTSTP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        job = os.fork()
        if job == 0:
            os.setpgid(0, 0)
            os.tcsetpgrp(0, os.getpgrp())
            for number in (signal.SIGTTOU, signal.SIGTTIN, signal.SIGTSTP, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            os.execv(CORRAL, [CORRAL, *words])
        while True:
            _, status = os.waitpid(job, os.WUNTRACED)
            mine = os.tcgetpgrp(0) == os.getpgrp()
            os.tcsetpgrp(0, os.getpgrp())
            if not os.WIFSTOPPED(status):
                os.write(reports, b"ended %d %d\n" % (os.waitstatus_to_exitcode(status), mine))
                os._exit(0)
            os.write(reports, b"stopped %d\n" % os.WSTOPSIG(status))
            if os.read(self.orders_in, 1) == b"f":  # fg
                os.tcsetpgrp(0, job)
                os.kill(-job, signal.SIGCONT)

    def type(self, text):
        os.write(self.master, text)

    def _read(self, fd):
        try:
            return os.read(fd, 65536) if select.select([fd], [], [], 0)[0] else b""
        except OSError:
            return b""

    def await_screen(self, pattern, count=1):
        def look():
            self.seen += self._read(self.master)
            return len(re.findall(pattern, self.seen)) >= count

        await_that(lambda: f"{count} × {pattern!r} on the screen: {self.seen[-2000:]!r}", look)

    def await_report(self, pattern):
        def look():
            self.seen += self._read(self.master)
            self.told += self._read(self.reports)
            return re.search(pattern, self.told)

        match = await_that(lambda: f"{pattern!r} in {self.told!r}; screen: {self.seen[-2000:]!r}", look)
        self.told = self.told[match.end():]
        return match

    def foreground(self):
        os.write(self.orders, b"f")

    def close_master(self):
        os.close(self.master)
        self.master = -1

    def end(self):
        for fd in (self.master, self.reports, self.orders):
            if fd >= 0:
                os.close(fd)
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.waitpid(self.pid, 0)


class Terminal(CorralTest):
    def setUp(self):
        super().setUp()
        self.sessions = []

    def tearDown(self):
        for pid, line in processes_with(self.token).items():
            if line.split()[0] == CORRAL:
                os.kill(pid, signal.SIGTERM)
        for session in self.sessions:
            session.end()
        super().tearDown()

    def session(self, *words, **options):
        session = Session(self.token, words, **options)
        self.sessions.append(session)
        return session

    def test_the_command_has_the_terminal_and_the_shell_gets_it_back(self):
        session = self.session("exec", "--", *zoo("report + exit 4"))
        session.await_screen(rb'"foreground": \d+')
        session.await_screen(rb"/dev/pts/")
        text = session.seen.decode()
        group, foreground = (re.search(rf'"{key}": (\d+)', text).group(1) for key in ("group", "foreground"))
        self.assertEqual(group, foreground)
        self.assertIn("/dev/pts/", text)
        # The supervisor's own group has it when the shell looks; the shell takes it from there.
        session.await_report(rb"ended 4")

    def test_ctrl_c(self):
        session = self.session("exec", "--", *zoo("line up + hang"))
        session.await_screen(b"up")
        session.type(b"\x03")
        session.await_report(rb"ended 130 ")

    def test_ctrl_c_reaches_the_command_once(self):
        session = self.session("exec", "--", *zoo("count-signals TERM"))
        session.await_screen(b"ready")
        session.type(b"\x03")
        session.await_screen(b"got 2")
        session.type(b"\x1c")
        session.await_screen(b"got 3")
        session.type(b"\x03")
        session.await_screen(b"got 2", count=2)
        self.assertEqual(session.seen.count(b"got 2"), 2)

    def test_ctrl_c_ends_a_command_that_is_restarted(self):
        session = self.session("exec", "--restart", "always", "--delay", "1ms", "--", *zoo("line up + hang"))
        session.await_screen(rb"up")
        session.type(b"\x03")
        session.await_report(rb"ended 130")

    def test_ctrl_z_and_fg(self):
        session = self.session("exec", "--", *zoo("line up + hang"))
        session.await_screen(b"up")
        for _ in range(3):
            session.type(b"\x1a")
            session.await_report(rb"stopped (\d+)")
            session.foreground()
            await_that("the command has the terminal again", lambda: self.command_runs())
        session.type(b"\x03")
        session.await_report(rb"ended 130 ")

    def command_runs(self):
        """The zoo worker is not stopped and its group is in the foreground."""
        for pid, line in processes_with(self.token).items():
            if line.split()[0].endswith("zoo"):
                fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
                return fields[0] == "S" and fields[5] == fields[2]
        return False

    def test_window_size(self):
        session = self.session("exec", "--", *zoo("count-signals TERM"))
        session.await_screen(b"ready")
        for rows, columns in ((33, 99), (50, 120)):
            fcntl.ioctl(session.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            session.await_screen(b"got 28 %dx%d" % (rows, columns))

    def test_typed_text_reaches_the_command(self):
        session = self.session("exec", "--", "/bin/cat")
        session.type(b"hello\n")
        session.await_screen(b"hello\r\nhello\r\n")
        session.type(b"\x04")
        session.await_report(rb"ended 0 ")

    def test_closing_the_terminal_leaves_nothing(self):
        for words in (["exec", "--", *zoo("ignore INT + line up + hang")],
                      ["exec", "-n", "2", "--", *zoo("line up + hang")],
                      ["run", self.configure({"a": program("double-fork setsid + line up + hang")})]):  # fmt: skip
            for job_control in (True, False):
                with self.subTest(f"{words[:3]} {job_control}"):
                    session = self.session(*words, job_control=job_control)
                    session.await_screen(b"up")
                    session.close_master()
                    if job_control:
                        os.kill(session.pid, signal.SIGHUP)
                    await_that(lambda: f"nothing is left: {processes_with(self.token)}", lambda s=session: set(processes_with(self.token)) <= {s.pid})

    def test_without_a_shell_above_it_ctrl_z_does_not_freeze_it(self):
        session = self.session("exec", "--", *zoo("line up + hang"), job_control=False)
        session.await_screen(b"up")
        session.type(b"\x1a")
        session.type(b"\x03")
        await_that("it has ended", lambda: os.waitid(os.P_PID, session.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT))

    def test_run_on_a_terminal(self):
        session = self.session("run", self.configure({"a": program("slow-stop 10", workers=2, cores="shared")}))
        session.await_screen(b"ready", count=2)
        session.type(b"\x03")
        session.await_screen(b"cleaned", count=2)
        session.await_report(rb"ended 0 ")
        self.assertIn(b"\x1b[", session.seen)

    def test_two_times_ctrl_c_kills_a_run(self):
        session = self.session("run", self.configure({"a": program("ignore TERM + line up + hang", stop={"grace": "1h"})}))
        session.await_screen(b"up")
        session.type(b"\x03")
        session.await_screen(b"stopping 1 worker")
        time.sleep(0.06)  # Faster than that nobody presses a key twice: it would be an echo of the first.
        session.type(b"\x03")
        session.await_report(rb"ended 130 ")


if __name__ == "__main__":
    main()
