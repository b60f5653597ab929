"""A worker's end of the task channel: what is read and when, and when answers are written.

Answers of tiny tasks share one write. What is held back is written before the worker waits, before it begins a task
later than HOLD after the last write, and by a thread when a task turns out to be long after all: what a dying worker
had not written counts as not done. The mark says which task killed it.
"""

from __future__ import annotations

import os
import select
import socket
import sys
import threading
from typing import Dict, List, Optional, Set, Union

from . import _protocol as protocol

HOLD = 0.0002  # Seconds that an answer may wait for company.
LONG = 64 * 1024  # Bytes from which on an answer is written by itself, without being copied.
_WATCH = 5  # Milliseconds after which the thread writes what is still held.
_LONG_ROUNDS = 4  # So many times without an answer, and the task in work is a long one.
_IDLE_ROUNDS = 200  # So many times without anything to do, and the thread ends.


class Channel:
    """The serving thread owns it. flush(), progress() and look() may be called from any thread."""

    def __init__(self, fd: int, mark: Union[memoryview, List[int]]) -> None:
        self._socket = socket.socket(fileno=fd)
        self._socket.setblocking(True)  # Whatever the supervisor or socket.setdefaulttimeout() left it as.
        self._parser = protocol.Parser()
        self.tasks = self._parser.tasks
        self.mark = mark  # [0] is the number of the task in work, for the supervisor to see.
        self.answers: List[bytes] = []  # Whole frames, so that it can be cut anywhere.
        self.current: Optional[protocol.Task] = None  # The task in work.
        self.cancelled: Optional[protocol.Task] = None  # One that was cancelled when it had begun.
        self.longest = 0
        self.draining = False
        self.ended = False
        self.watched = False  # The thread runs: whatever is held will be written.
        self.forked: List[int] = []  # Not empty in a process that was forked off this one: the channel is not its own.
        self._flushes = 0
        self._broken = False
        self._writing = threading.Lock()
        self._asking = 0
        self._writer = 0  # The thread that writes.
        self._reading = threading.Lock()
        self._stop = (-1, -1)  # A pipe: whoever writes into it ends the thread.
        self._thread: Optional[threading.Thread] = None
        os.register_at_fork(before=self._before_fork, after_in_parent=self._after_fork, after_in_child=self._in_child)

    # --- reading ------------------------------------------------------------------------------------------------------

    def greet(self) -> None:
        """HELLO both ways. The channel may be drained already when it returns."""
        self._send(protocol.hello("python " + sys.version.split()[0]))
        others = self._parser.others
        while not others and not self.ended:
            if self.tasks:
                raise protocol.ProtocolError("sent a TASK before its HELLO")
            self._receive(0)
        if not others:
            return
        kind, _, payload, _ = others.pop(0)
        if kind == protocol.DRAIN:
            self.draining = True
            return
        if kind != protocol.HELLO:
            raise protocol.ProtocolError(f"sent {protocol.NAMES[kind]} before its HELLO")
        version, self.longest = protocol.parse_hello(payload)
        if version != protocol.VERSION:
            ours = protocol.VERSION
            raise protocol.ProtocolError(f"speaks version {version} of the task protocol, and this worker {ours}")
        self._sort()

    def wait(self) -> None:
        """Until something has come. Everything must have been written before."""
        with self._reading:
            if self.tasks or self.draining or self.ended:
                return  # The thread was here meanwhile.
            full = self._receive(0)
            while full and not self.ended:
                full = self._receive(socket.MSG_DONTWAIT)
            self._sort()

    def look(self) -> None:
        """Takes what has come in, so that a CANCEL overtakes its TASK; does not wait."""
        if not self._reading.acquire(False):
            return  # Another thread looks.
        try:
            full = not self.ended
            while full and not self.ended:
                full = self._receive(socket.MSG_DONTWAIT)
            self._sort()
        finally:
            self._reading.release()

    def has_part(self) -> bool:
        return self._parser.has_part()

    def _receive(self, flags: int) -> bool:
        """True when there may be more to read at once."""
        room = self._parser.room()
        try:
            count = self._socket.recv_into(room, 0, flags)
        except BlockingIOError:
            return False
        except ConnectionResetError:  # The supervisor closed it with something of ours unread: an end like any other.
            count = 0
        if count == 0:
            self.ended = True
            return False
        self._parser.take(count)
        return count == len(room)

    def _sort(self) -> None:
        others = self._parser.others
        if not others:
            return
        cancelled: Dict[int, Set[int]] = {}  # Numbers of tasks, by the identity of the last TASK before their CANCEL.
        for kind, number, _, before in others:
            if kind == protocol.CANCEL:
                if self.current is not None and self.current[0] == number:
                    self.cancelled = self.current
                cancelled.setdefault(id(before), set()).add(number)
            elif kind == protocol.DRAIN:
                self.draining = True
            else:
                raise protocol.ProtocolError(f"sent {protocol.NAMES[kind]}, which is the worker's to say")
        if cancelled:
            self._give_back(cancelled)
        others.clear()

    def _give_back(self, cancelled: Dict[int, Set[int]]) -> None:
        """One walk, from the latest task to the first, for any number of CANCELs.

        The serving loop may take tasks out at the same time: one that is not there any more has begun.
        """
        answers: List[bytes] = []
        reached: Set[int] = set()
        for pair in reversed(list(self.tasks)):
            reached |= cancelled.get(id(pair), set())
            if pair[0] in reached:
                try:
                    self.tasks.remove(pair)
                except ValueError:
                    continue
                answers.append(protocol.frame(protocol.CANCEL, pair[0]))
        if answers:
            self.answers += reversed(answers)
            self.flush()

    # --- writing ------------------------------------------------------------------------------------------------------

    def flush(self, header: bytes = b"", payload: bytes = b"") -> None:
        """Writes all answers, and then a frame of which header and payload need not be copied together."""
        with self._writing:
            self._flush(header, payload)

    def _flush(self, header: bytes, payload: bytes) -> None:
        self._writer = threading.get_ident()
        count = len(self.answers)
        data = b"".join(self.answers[:count]) + header
        del self.answers[:count]
        self._flushes += 1
        if data:
            self._send(data)
        if payload:
            self._send(payload)
        self._writer = 0

    def progress(self, task: int, payload: bytes) -> None:
        """At once, or not at all: a signal handler that calls it may have interrupted a write of this very thread.

        Or this very function, which waits for the lock that its own thread holds: the next signal must not wait too.
        """
        me = threading.get_ident()
        if me in (self._writer, self._asking):
            return
        self._asking = me
        try:
            if self._writing.acquire(timeout=0.05):
                try:
                    self._flush(protocol.HEADER.pack(len(payload), protocol.PROGRESS, task), payload)
                finally:
                    self._writing.release()
        finally:
            self._asking = 0

    def _send(self, data: bytes) -> None:
        if self._broken or self.forked:
            raise BrokenPipeError("the task channel is closed")
        self._broken = True  # Until all of it is written: an exception out of a signal handler may cut a frame in two.
        self._socket.sendall(data)
        self._broken = False

    def watch(self) -> None:
        """Sees to it that what is held is written, and a CANCEL answered, even if the next task is long."""
        self.unwatch()  # One that has ended has left its pipe.
        self.watched = True
        self._stop = os.pipe()
        self._thread = threading.Thread(target=self._watch, args=(self._stop[0],), name="corral", daemon=True)
        self._thread.start()

    def _watch(self, stop: int) -> None:
        """By the clock while answers come; in the middle of a long task it sleeps until something is said to it."""
        often, seldom = select.poll(), select.poll()
        for one in (often, seldom):
            one.register(stop, select.POLLIN)
        seldom.register(self._socket, select.POLLIN)
        seen, idle = -1, 0
        try:
            while idle < _IDLE_ROUNDS or self.current is not None:
                at_long_one = idle >= _LONG_ROUNDS and self.current is not None and not self.ended
                ready = seldom.poll() if at_long_one else often.poll(_WATCH)
                if any(fd == stop for fd, _ in ready):
                    break
                idle = idle + 1 if self._flushes == seen else 0
                if self.answers and self._flushes == seen:
                    self.flush()
                if self.current is not None and not self.ended:
                    self.look()
                seen = self._flushes
            self.watched = False  # The next task begins another thread; what was held just before ...
            self.flush()  # ... is written now.
        except (OSError, protocol.ProtocolError):
            pass  # The serving thread will meet it too, and knows what to say.

    def unwatch(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            os.write(self._stop[1], b"\0")
            thread.join()
        self._close_stop()
        self.watched = False

    def _close_stop(self) -> None:
        stop, self._stop = self._stop, (-1, -1)
        for fd in stop:
            if fd >= 0:
                os.close(fd)

    # --- the end, and processes that are forked off -------------------------------------------------------------------

    def release(self) -> None:
        """Served. The descriptor stays open to the end of the process, which is what tells the supervisor."""
        self.unwatch()
        if not self.forked:
            self._socket.detach()

    def _before_fork(self) -> None:
        if threading.current_thread() is not self._thread:
            self.unwatch()  # Else the child would have a copy of a process with threads, and Python warns of that.
        self._fork_locked = self._writing.acquire(timeout=1)

    def _after_fork(self) -> None:
        if self._fork_locked:
            self._writing.release()

    def _in_child(self) -> None:
        self.forked.append(os.getpid())
        self._writing, self._reading = threading.Lock(), threading.Lock()
        self._writer = 0
        self._thread = None
        self._close_stop()
        self.watched = False
        self.answers.clear()
        self.tasks.clear()
        self._socket.close()
