"""The client's end of `corral map --client` (docs/protocol.md): futures in, frames out, and back.

A pool has a thread that reads answers. Whoever submits writes as much as the socket takes; the rest is written by the
thread. At most AHEAD tasks are at corral, the others wait here, where cancelling them is nobody else's affair.
"""

from __future__ import annotations

import json
import os
import threading
import weakref
from collections import deque
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Deque, Dict, List, Optional

from . import _pickles
from . import _protocol as protocol
from ._death import death_of
from ._link import Link

AHEAD = 1000  # Tasks at corral: enough for every window, and little enough for a CANCEL to come through.
AHEAD_BYTES = 16 << 20
_WRITE = 256 * 1024  # Bytes of small frames that go into one write.

_ENDED = "cannot schedule new futures after shutdown"
_FORKED = "this executor belongs to the process that this one was forked off; make one of your own here"

pools: "weakref.WeakSet[Pool]" = weakref.WeakSet()


class Item:
    """A submitted call: its future, and until it is sent its pickle."""

    __slots__ = ("future", "payload", "number", "decided")

    def __init__(self, future: "Future[Any]", payload: Optional[bytes]) -> None:
        self.future = future
        self.payload = payload
        self.number = -1  # Until it is sent.
        self.decided: Optional[threading.Event] = None  # Somebody wants to cancel it, and waits for corral's word.


class Pool:
    def __init__(self, command: List[str], environment: Dict[str, str], leftover: Optional[str] = None) -> None:
        self._lock = threading.Lock()
        self._waiting: Deque[Item] = deque()
        self._open: Dict[int, Item] = {}
        self._sizes: Dict[int, int] = {}  # Of those of _open that are large.
        self._ahead_bytes = 0
        self._next = 0
        self._closing = False  # No more calls will be submitted.
        self._drained = False  # corral knows.
        self._aborted = False
        self._broken = ""
        self._owner = os.getpid()
        self._leftover = leftover
        try:
            self._link = Link(command, environment)
        except BaseException:
            self._remove_leftover()
            raise
        self._thread = threading.Thread(target=self._run, name="corral.Executor", daemon=True)
        pools.add(self)
        self._thread.start()

    # --- for whoever submits ------------------------------------------------------------------------------------------

    def submit(self, items: List[Item]) -> None:
        with self._lock:
            self._check()
            self._waiting.extend(items)
            self._send_ahead()

    def _check(self) -> None:
        if self._owner != os.getpid():
            raise RuntimeError(_FORKED)
        if self._broken:
            raise BrokenProcessPool(self._broken)
        if self._closing:
            raise RuntimeError(_ENDED)

    def cancel(self, item: Item) -> None:
        """Returns when it is decided: the future is cancelled, or it cannot be any more."""
        with self._lock:
            if self._owner != os.getpid() or item.future.done() or item.future.running():
                return
            if item.number < 0:
                self._forget(item)
                self._look_for_end()
                return
            if item.decided is None:
                item.decided = threading.Event()
                self._link.send(protocol.frame(protocol.CANCEL, item.number))
        if threading.current_thread() is self._thread:
            self._work_until(item.decided)  # A callback asks: nobody else would read the answer.
        else:
            item.decided.wait()

    def _forget(self, item: Item) -> None:
        """It never was at corral. Its place in the queue is found empty later."""
        item.payload = None
        Future.cancel(item.future)
        item.future.set_running_or_notify_cancel()

    def close(self) -> None:
        """No more calls. Takes no lock: the garbage collector may call it, anywhere."""
        self._closing = True
        self._link.wake()

    def cancel_all(self) -> None:
        """All that have not begun. Does not wait for what corral says of those that it has."""
        with self._lock:
            while self._waiting:
                item = self._waiting.popleft()
                if item.payload is not None:
                    self._forget(item)
            for item in list(self._open.values()):
                if item.decided is None and not item.future.running():
                    item.decided = threading.Event()
                    self._link.send(protocol.frame(protocol.CANCEL, item.number))
        self._link.wake()

    def abort(self) -> None:
        """Stops the workers: what is in work is not waited for."""
        self._aborted = True
        self._link.wake()

    def join(self) -> None:
        self._thread.join()

    def _send_ahead(self) -> None:
        """Locked. As many as may be at corral."""
        small: List[bytes] = []
        size = 0
        waiting, opened, pack = self._waiting, self._open, protocol.HEADER.pack
        while waiting and len(opened) < AHEAD and (self._ahead_bytes < AHEAD_BYTES or not opened):
            item = waiting.popleft()
            payload = item.payload
            if payload is None:
                continue  # Cancelled meanwhile.
            item.payload = None
            item.number = number = self._next
            self._next = number + 1
            opened[number] = item
            length = len(payload)
            small.append(pack(length, protocol.TASK, number))
            size += length
            if length < 4096:
                small.append(payload)
                if size > _WRITE:
                    self._link.queue(b"".join(small))
                    small, size = [], 0
            else:
                self._sizes[number] = length
                self._ahead_bytes += length
                self._link.queue(b"".join(small))
                self._link.queue(payload)
                small, size = [], 0
        if small:
            self._link.queue(b"".join(small))
        self._link.flush()

    def _look_for_end(self) -> None:
        """Locked. When everything is sent, and nothing else will come, corral is told so."""
        if self._closing and not self._drained and not any(item.payload is not None for item in self._waiting):
            self._waiting.clear()
            self._drained = True
            self._link.send(protocol.frame(protocol.DRAIN, 0))

    # --- the thread ---------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._work_until(None)
        finally:
            self._end()

    def _work_until(self, decided: Optional[threading.Event]) -> None:
        answers = self._link.answers
        while decided is None or not decided.is_set():
            while answers:
                self._deal_with(*answers.popleft())
                if decided is not None and decided.is_set():
                    return
            with self._lock:
                self._send_ahead()
                self._look_for_end()
            if self._aborted:
                self._link.leave()
            if self._link.ended:
                return
            self._link.read()

    def _deal_with(self, kind: int, number: int, payload: Any) -> None:
        if kind == protocol.BEGUN:
            item = self._open.get(number)
            if item is not None:
                if item.future._state == "PENDING":  # type: ignore[attr-defined]
                    item.future.set_running_or_notify_cancel()
                if item.decided is not None:
                    item.decided.set()
            return
        if kind in (protocol.HELLO, protocol.PROGRESS):
            return
        with self._lock:
            item = self._open.pop(number, None)
            self._ahead_bytes -= self._sizes.pop(number, 0) if self._sizes else 0
        if item is not None:
            self._resolve(item, kind, payload)

    def _resolve(self, item: Item, kind: int, payload: Any) -> None:
        future = item.future
        if kind == protocol.RESULT:
            try:
                value = _pickles.loads(payload)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(value)
        elif kind == protocol.CANCEL and item.decided is not None:
            Future.cancel(future)
            if future.cancelled():
                future.set_running_or_notify_cancel()
            else:  # It was told to be running, and is given up after all.
                future.set_exception(BrokenProcessPool("corral gave the call up"))
        elif kind == protocol.CANCEL:
            self._break("corral was stopped")
            future.set_exception(BrokenProcessPool(self._broken))
        elif kind == protocol.ERROR and payload[:1] == _pickles.BEGINNING:
            self._break("a worker could not begin, in its initializer or in the import of the main module:\n"
                        + bytes(payload[1:]).decode("utf-8", "replace"))  # fmt: skip
            future.set_exception(BrokenProcessPool(self._broken))
            self._aborted = True
            self._link.wake()
        elif kind == protocol.ERROR:
            try:
                problem = _pickles.loads(payload)
            except BaseException as error:
                problem = error
            future.set_exception(problem)
        else:
            future.set_exception(death_of(json.loads(bytes(payload))))
        if item.decided is not None:
            item.decided.set()

    def _break(self, why: str) -> None:
        self._broken = self._broken or why

    def _end(self) -> None:
        """corral has said its last word, or was left."""
        status = self._link.wait()
        with self._lock:
            self._link.ended = True
            left = [item for item in self._open.values()] + [item for item in self._waiting if item.payload is not None]
            self._open.clear()
            self._waiting.clear()
            if left and not self._aborted:
                how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
                self._break(f"corral {how}, and with it the workers")
            if not self._closing:
                self._break(f"corral ended with status {status}")
            why = self._broken or "the executor was left while this call was in work"
        for item in left:
            if not item.future.done():
                item.future.set_exception(BrokenProcessPool(why))
            if item.decided is not None:
                item.decided.set()
        self._remove_leftover()

    def _remove_leftover(self) -> None:
        if self._leftover is not None:
            try:
                os.unlink(self._leftover)
            except OSError:
                pass
            self._leftover = None

    # --- a process that is forked off ---------------------------------------------------------------------------------

    def in_child(self) -> None:
        """It has copies of everything, and none of it is its own. Its thread is not here."""
        self._lock = threading.Lock()
        self._closing = True
        self._leftover = None
        self._link.in_child()
