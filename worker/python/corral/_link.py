"""A process of `corral map --client`, and the socket to it: frames out, frames in, nothing about calls."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import threading
from collections import deque
from typing import Any, Deque, Dict, List, Tuple

from . import _protocol as protocol

Answer = Tuple[int, int, Any]  # Type, number and payload.


class Link:
    """One thread reads. Any may write, one at a time; what the socket does not take is written by the one that reads."""

    def __init__(self, command: List[str], environment: Dict[str, str]) -> None:
        self.answers: Deque[Answer] = deque()  # Read, and not dealt with.
        self.ended = False
        self._out: Deque[Tuple[memoryview, List[int]]] = deque()  # Each with how much of it was sent, piece by piece.
        self._parser = protocol.Parser(protocol.RESULT, protocol.BEGUN)
        self._wake_read = self._wake_write = -1
        self._reader = 0  # Its thread: it looks for room to write anyway, and need not be woken for it.
        self._socket, theirs = socket.socketpair()
        try:
            # In the process group of the program that uses it: Ctrl-C of a terminal is for the calls in work too, and comes to
            # both. Blocked until corral is ready for it, which that is by itself.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
            try:
                self._process = subprocess.Popen(
                    [command[0], "map", "--client", str(theirs.fileno()), "--led", *command[1:]],
                    stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], env=environment)  # fmt: skip
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
        except BaseException:
            self._socket.close()
            raise
        finally:
            theirs.close()
        self.pid = self._process.pid
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        os.set_blocking(self._wake_read, False)
        self._socket.setblocking(False)
        self.send(protocol.hello("corral.Executor"))

    # --- writing ------------------------------------------------------------------------------------------------------

    def queue(self, *data: bytes) -> None:
        self._out.extend([(memoryview(one), []) for one in data if one])

    def holds(self, data: bytes) -> bool:
        return any(view.obj is data for view, _ in self._out)

    def send(self, data: bytes) -> None:
        self.queue(data)
        self.flush()

    def flush(self) -> None:
        """What the socket takes now; the thread that reads does the rest.

        Ctrl-C may come between any two steps. That something was sent, and that it is known, is therefore one step:
        a call of extend(), without a line of Python in between.
        """
        out = self._out
        if self.ended:
            out.clear()
        while out:
            view, sent = out[0]
            rest = view[sum(sent) :]
            if not rest:
                out.popleft()
                continue
            try:
                sent.extend(map(self._socket.send, (rest,)))
            except BlockingIOError:
                if threading.get_ident() != self._reader:
                    self.wake()
                return
            except OSError:
                out.clear()  # corral has gone: whoever reads finds the end of what it says.
                return

    def wake(self) -> None:
        """Whoever reads. Takes no lock: the garbage collector may call it, anywhere."""
        try:
            os.write(self._wake_write, b"\0")
        except OSError:
            pass  # It is full, and so will be read; or all is over.

    # --- reading ------------------------------------------------------------------------------------------------------

    def read(self) -> None:
        """Waits for corral, for room to write, or for whoever wakes this thread; sets `ended` at the end."""
        self._reader = threading.get_ident()
        poll = select.poll()
        poll.register(self._socket, select.POLLIN | (select.POLLOUT if self._out else 0))
        poll.register(self._wake_read, select.POLLIN)
        events = dict(poll.poll())
        if self._wake_read in events:
            try:
                os.read(self._wake_read, 4096)
            except BlockingIOError:
                pass
        if events.get(self._socket.fileno(), 0) & ~select.POLLOUT:
            try:
                count = self._socket.recv_into(self._parser.room())
            except BlockingIOError:
                return
            except OSError:
                count = 0
            if count == 0:
                self.ended = True
                return
            self._parser.take(count)
            self._sort()

    def _sort(self) -> None:
        """A RESULT comes behind what was said of other calls: nothing but HELLO comes for a number that is answered."""
        self.answers.extend((kind, number, payload) for kind, number, payload, _ in self._parser.others)
        self._parser.others.clear()
        results = self._parser.tasks
        while results:
            number, payload = results.popleft()
            self.answers.append((protocol.RESULT, number, payload))

    # --- the end ------------------------------------------------------------------------------------------------------

    def leave(self) -> None:
        """The workers are stopped, and corral ends."""
        self.ended = True
        self._hang_up()

    def wait(self) -> int:
        """The status of corral."""
        self._hang_up()
        return self._process.wait()

    def _hang_up(self) -> None:
        """Also for those who have a copy of the socket: a process that was forked off without Python's knowledge."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # It is closed, or corral has gone.
        self._socket.close()

    def in_child(self) -> None:
        """In a process that was forked off: copies of everything, and none of it is its own."""
        self.ended = True
        self._process.returncode = 0  # Not its child: nobody is to wait for it here.
        self._socket.close()
        self._close_wake()

    def __del__(self) -> None:
        """Not before: somebody may just be about to wake the thread, and the number may be another file's by then."""
        self._close_wake()

    def _close_wake(self) -> None:
        for fd in (self._wake_read, self._wake_write):
            if fd >= 0:
                os.close(fd)
        self._wake_read = self._wake_write = -1
