"""A program on a pseudo-terminal, and what a person would see there: python3-pyte is the terminal."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios

import pyte

from harness import await_that


class Terminal:
    def __init__(self, words, rows=24, columns=80, environment=None):
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.status = None
        ready, go = os.pipe()
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            try:
                os.read(ready, 1)  # The size first.
                os.execve(words[0], words, environment or os.environ)
            finally:
                os._exit(99)
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.master)
        os.write(go, b"x")
        os.close(go)
        os.close(ready)

    def resize(self, rows, columns):
        self.screen.resize(rows, columns)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.master, text.encode())

    def read(self):
        try:
            while select.select([self.master], [], [], 0)[0]:
                chunk = os.read(self.master, 65536)
                if not chunk:
                    return
                self.raw += chunk
                self.stream.feed(chunk)
        except OSError:
            return  # Nobody has it any more.

    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    def text(self):
        return "\n".join(self.lines())

    def await_screen(self, pattern):
        """The match, once it can be seen."""

        def look():
            self.read()
            return re.search(pattern, self.text(), re.MULTILINE)

        return await_that(lambda: f"{pattern!r} on the screen:\n{self.text()}\n{self.raw[-300:]!r}", look)

    def await_entered(self, times):
        """Its other screen, for so many times."""

        def look():
            self.read()
            return self.raw.count(b"\x1b[?1049h") >= times

        await_that(lambda: f"the other screen for {times} times: {self.raw[-300:]!r}", look)

    def await_gone(self, pattern):
        def look():
            self.read()
            return not re.search(pattern, self.text(), re.MULTILINE)

        await_that(lambda: f"no {pattern!r} on the screen:\n{self.text()}", look)

    def await_end(self):
        """The exit status, or -N."""

        def look():
            self.read()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            return pid

        await_that(lambda: f"its end; the screen:\n{self.text()}", look)
        self.read()
        return self.status

    def await_stop(self):
        await_that("that it stops", lambda: os.waitpid(self.pid, os.WNOHANG | os.WUNTRACED)[0])

    def close(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.master)
