"""The client's end of `corral map --client` (docs/protocol.md): futures in, frames out, and back. A pool has a thread that reads answers. Whoever submits writes as much as the socket takes; the rest is written by the
thread. At most AHEAD tasks are at corral, the others wait here, where cancelling them is nobody else's affair.
"""

from __future__ import annotations

import itertools
import os
import threading
import weakref
from collections import deque
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Deque, Dict, List, Optional, Set

from . import _pickles
from . import _protocol as protocol
from ._death import end_of
from ._item import Item, remove, tell_answer, tell_cancelled
from ._link import Link

AHEAD = 1000  # Tasks at corral: enough for every window, and little enough for a CANCEL to come through.
AHEAD_BYTES = 16 << 20
_BATCH = 256  # Calls of map() that are handed over at once.
_SMALL = 4096  # Bytes: payloads beyond that are not copied.
_WRITE = 256 * 1024  # Bytes of small frames that go into one write.
_ENDED = "cannot schedule new futures after shutdown"
_NOT_READY = "a worker could not begin, in its initializer or in the import of the main module"
_FORKED = "this executor belongs to the process that this one was forked off; make one of your own here"
pools: "weakref.WeakSet[Pool]" = weakref.WeakSet()


class Pool:
    def __init__(self, command: List[str], environment: Dict[str, str], leftover: Optional[str], workers: int) -> None:
        self._lock = threading.Lock()
        self._waiting: Deque[Item] = deque()
        self._open: Dict[int, Item] = {}
        self._sizes: Dict[int, int] = {}  # Of those of _open that are large.
        self._asked: Set[int] = set()  # A CANCEL is out, and nothing is heard yet: they may have to be sent again.
        self._given_back: List[Item] = []  # By a corral that has never had a worker: why is known when it has ended.
        self._proven = False  # Some worker has begun or answered something.
        self._doubtful: Set[int] = set()  # A BEGUN has met our CANCEL: corral may give them back all the same.
        self._ahead_bytes = 0
        self._enough = 2 * workers  # Calls at corral with which no worker is idle; with each answer more are sent.
        self._numbers = itertools.count()
        self._closing = False  # No more calls will be submitted.
        self._drained = False  # corral knows.
        self._aborted = False
        self._broken = ""
        self._owner = os.getpid()
        self._leftover = leftover
        try:
            self._link = Link(command, environment)
        except BaseException:
            remove(self._leftover)
            raise
        self._thread = threading.Thread(target=self._run, name="corral.Executor", daemon=True)
        pools.add(self)
        self._thread.start()

    def submit(self, items: List[Item]) -> None:
        with self._lock:
            self._check()
            self._waiting.extend(items)
            self._send_ahead()

    def offer(self, item: Item) -> None:
        """As submit(), for one of many: if enough are at corral, it goes there with others. End with submit([])."""
        self._waiting.append(item)
        if len(self._open) < self._enough or len(self._waiting) % _BATCH == 0:
            self.submit([])

    def _check(self) -> None:
        if self._owner != os.getpid():
            raise RuntimeError(_FORKED)
        if self._broken:
            raise BrokenProcessPool(self._broken)
        if self._closing:
            raise RuntimeError(_ENDED)

    def cancel(self, item: Item) -> bool:
        """Returns when it is decided; True when the call never was at corral, and nobody else will end its future.

        Callbacks are called without the lock: they may do anything with this pool, or wait for one who does.
        """
        with self._lock:
            if self._owner != os.getpid() or item.future.running():
                return self._owner != os.getpid()
            if item.number >= 0:
                if item.number not in self._open:
                    return False  # Its answer is just being told.
                if item.decided is None:
                    self._ask_back(item)
                    self._link.flush()
            elif item.payload is None:
                return True  # Another thread was quicker.
            else:
                item.payload = None  # Its place in the queue is found empty later.
                self._look_for_end()
        if item.decided is None:
            tell_cancelled(item.future)
            return True
        if threading.current_thread() is self._thread:
            self._work_until(item.decided)  # A callback asks: nobody else would read the answer.
        else:
            item.decided.wait(1)  # It takes so long only where corral stands still; then it is not cancelled yet.
        return False

    def _ask_back(self, item: Item) -> None:
        item.decided = threading.Event()
        self._asked.add(item.number)
        self._link.queue(protocol.frame(protocol.CANCEL, item.number))

    def close(self) -> None:
        """No more calls. Takes no lock: the garbage collector may call it, anywhere."""
        self._closing = True
        self._link.wake()

    def cancel_all(self) -> None:
        """All that have not begun. Does not wait for corral's word."""
        with self._lock:
            waiting = [item for item in self._waiting if item.payload is not None]
            forgotten = [item for item in waiting if not item.future.running()]
            self._waiting = deque(item for item in waiting if item.future.running())
            for item in forgotten:
                item.payload = None
            for item in self._open.values():
                if item.decided is None and not item.future.running():
                    self._ask_back(item)
            self._link.flush()
        for item in forgotten:
            tell_cancelled(item.future)
        self._link.wake()

    def abort(self) -> None:
        """Stops the workers: what is in work is not waited for."""
        self._aborted = True
        self._link.wake()

    def join(self) -> None:
        self._thread.join()

    def _send_ahead(self) -> None:
        """Locked. As many as may be at corral. Ctrl-C, which may come anywhere in here, loses none."""
        taken: List[Item] = []  # And not known to be with the link.
        small: List[bytes] = []  # Their frames.
        size, data = 0, b""
        waiting, opened, pack = self._waiting, self._open, protocol.HEADER.pack
        try:
            while waiting and len(opened) < AHEAD and (self._ahead_bytes < AHEAD_BYTES or not opened):
                item = waiting[0]
                payload = item.payload
                if payload is None:
                    waiting.popleft()  # Cancelled meanwhile.
                    continue
                taken.append(item)
                waiting.popleft()
                item.number = number = next(self._numbers)
                opened[number] = item
                length = len(payload)
                small.append(pack(length, protocol.TASK, number))
                size += length
                if length < _SMALL:
                    small.append(payload)
                    if size <= _WRITE:
                        continue
                    payload = b""
                else:
                    self._sizes[number] = length
                    self._ahead_bytes += length
                data = b"".join(small)
                self._link.queue(data, payload)
                taken, small, size, data = [], [], 0, b""
            if small:
                self._link.queue(data := b"".join(small))
                taken = []
        except BaseException:
            for item in [] if self._link.holds(data) else reversed(taken):
                opened.pop(item.number, None)
                self._ahead_bytes -= self._sizes.pop(item.number, 0)
                item.number = -1
                if not waiting or waiting[0] is not item:
                    waiting.appendleft(item)
            raise
        self._link.flush()

    def _look_for_end(self) -> None:
        """Locked. When everything is sent, and nothing else will come, corral is told so."""
        if not self._closing or self._drained:
            return
        while self._waiting and self._waiting[0].payload is None:
            self._waiting.popleft()
        if not self._waiting and not self._doubtful and not self._asked:
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
        self._proven = self._proven or kind not in (protocol.CANCEL, protocol.HELLO)
        if kind == protocol.BEGUN:
            self._asked.discard(number)
            item = self._open.get(number)
            if item is not None:
                if item.future._state == "PENDING":  # type: ignore[attr-defined]
                    item.future.set_running_or_notify_cancel()
                if item.decided is None:
                    item.payload = None  # Nobody can cancel it any more, so that it will not have to be sent again.
                else:
                    self._doubtful.add(number)
                    item.decided.set()
            return
        if kind in (protocol.HELLO, protocol.PROGRESS):
            return
        with self._lock:
            item = self._open.pop(number, None)
            self._ahead_bytes -= self._sizes.pop(number, 0) if self._sizes else 0
        if item is not None:
            self._resolve(item, kind, payload)
        self._doubtful.discard(number)
        self._asked.discard(number)

    def _resolve(self, item: Item, kind: int, payload: Any) -> None:
        future = item.future
        if kind == protocol.CANCEL:
            self._resolve_cancelled(item)
        elif kind == protocol.ERROR and payload[:1] == _pickles.BEGINNING:
            text = bytes(payload[1:]).decode("utf-8", "replace")
            self._broken = self._broken or f"{_NOT_READY}:\n{text}"
            future.set_exception(BrokenProcessPool(self._broken))
            self._aborted = True
            self._link.wake()
        else:
            tell_answer(future, kind, payload)
        if item.decided is not None:
            item.decided.set()

    def _resolve_cancelled(self, item: Item) -> None:
        future = item.future
        if item.decided is None and self._proven:
            self._broken = self._broken or "corral was stopped"
            future.set_exception(BrokenProcessPool(self._broken))
        elif item.decided is None:
            self._given_back.append(item)
        elif not future.running():
            tell_cancelled(future)
        elif self._drained or item.payload is None:
            future.set_exception(BrokenProcessPool("corral gave the call up"))
        else:  # A BEGUN has crossed our CANCEL, cancel() has said False, and so the call is to be made.
            with self._lock:
                item.number, item.decided = -1, None
                self._waiting.appendleft(item)

    def _end(self) -> None:
        """corral has said its last word, or was left."""
        status = self._link.wait()
        with self._lock:
            self._link.ended = True
            left = [*self._given_back, *self._open.values(), *(item for item in self._waiting if item.payload is not None)]
            for item in left:
                item.number, item.payload = 0, None  # Nobody can cancel it any more.
            self._open.clear()
            self._waiting.clear()
            if (left and not self._aborted) or not self._closing:
                self._broken = self._broken or end_of(status)
            why = self._broken or "the executor was left while this call was in work"
        for item in left:
            item.future.set_exception(BrokenProcessPool(why))
            if item.decided is not None:
                item.decided.set()
        remove(self._leftover)

    def in_child(self) -> None:
        """It has copies of everything, and none of it is its own. Its thread is not here."""
        self._lock = threading.Lock()
        self._closing = True
        self._leftover = None
        self._link.in_child()
