"""An interactive bash on a pseudo-terminal, and what tests of its jobs stand on.

A shell sends SIGCONT to a job that it knows to be stopped and to no other, shows what it thinks of its jobs, and reads from the
terminal itself: what no stand-in of ours would do as this one does.
"""

import contextlib
import os
import pty
import re
import select
import signal

from harness import CORRAL, ZOO, CorralTest, await_that, processes_with, read


class Bash:
    """An interactive bash that leads a session on a new pseudo-terminal."""

    def __init__(self, token):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.environ.update(CORRAL_TEST_TOKEN=token, PS1="$ ", TERM="dumb", CORRAL=CORRAL, ZOO=ZOO)
            os.execv("/bin/bash", ["bash", "--norc", "--noprofile", "-i"])
        self.screen = b""
        self.number = 0

    def type(self, text):
        os.write(self.master, text.encode())

    def await_screen(self, pattern):
        """Awaits it behind what was awaited before."""

        def look():
            if select.select([self.master], [], [], 0)[0]:
                self.screen += os.read(self.master, 65536)
            return re.search(pattern, self.screen)

        match = await_that(lambda: f"{pattern!r} on the screen: {self.screen!r}", look)
        self.screen = self.screen[match.end():]
        return match

    def await_prompt(self):
        """It listens to what is typed, and the terminal is its own."""
        self.number += 1
        self.type(f"echo a$((40+2))live {self.number}, $?\n")
        status = self.await_screen(rb"a42live %d, (\d+)\r\n(?s:.*\n)?\$ \Z" % self.number).group(1)
        await_that("bash has the terminal", lambda: os.tcgetpgrp(self.master) == self.pid)
        return int(status)

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.close(self.master)
        os.waitpid(self.pid, 0)


class BashTest(CorralTest):
    """Jobs of a bash, seen by the kernel's eyes: who is stopped, whose the terminal is."""

    def setUp(self):
        super().setUp()
        self.bash = Bash(self.token)
        self.bash.await_prompt()

    def tearDown(self):
        for pid, line in self.all():
            if line.split()[0] == CORRAL:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
                    os.kill(pid, signal.SIGCONT)
        self.bash.end()
        super().tearDown()

    def all(self):
        return [(pid, line) for pid, line in processes_with(self.token).items() if line]

    def of(self, name):
        """The fields of /proc/PID/stat from the state on, of the process whose command begins with that word."""
        for pid, line in self.all():
            if line.split()[0] == name:
                fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
                if fields:
                    return pid, fields
        return 0, ["?"] * 50

    def await_stopped(self, name):
        return await_that(f"{name} is stopped", lambda: self.of(name)[0] if self.of(name)[1][0] == "T" else 0)

    def await_both_stopped(self, name):
        self.await_stopped(name)
        self.await_stopped(CORRAL)

    def has_terminal(self, name):
        """It is not stopped and its group is in the foreground."""
        fields = self.of(name)[1]
        return fields[0] == "S" and fields[5] == fields[2]

    def await_terminal(self, name):
        await_that(f"{name} has the terminal", lambda: self.has_terminal(name))

    def talk(self, word):
        """/bin/cat says what it is told, behind the terminal's echo of it."""
        self.bash.type(f"{word}\n")
        self.bash.await_screen(rf"{word}\r\n{word}\r\n".encode())

    def gate(self):
        """A FIFO from which a shell reads before it goes on. (One that forks may be stopped by Ctrl-Z in the middle of it.)"""
        os.mkfifo(self.path("gate"))
        return self.path("gate")

    def open_gate(self):
        with open(self.path("gate"), "w") as fifo:
            fifo.write("go\n")

    def stop_by_key(self):
        self.press("\x1a", rb"\^Z(?s:.*)Stopped")
        self.assertEqual(self.bash.await_prompt(), 148)

    def interrupt(self):
        self.press("\x03", rb"\^C")
        return self.bash.await_prompt()

    def press(self, key, pattern):
        """A key that sends a signal makes the kernel forget what is typed at the same time: the prompt is awaited first."""
        self.bash.type(key)
        self.bash.await_screen(pattern + rb"(?s:.*)\$ \Z")
