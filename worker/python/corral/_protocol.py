"""Frames of the task protocol, version 1 (docs/protocol.md of corral): bytes in, frames out.

Pure: nothing here reads, writes or knows what a payload means.
"""

from __future__ import annotations

import struct
from collections import deque
from typing import Deque, List, Optional, Tuple

VERSION = 1
HELLO, TASK, RESULT, ERROR, PROGRESS, CANCEL, DRAIN, QUARANTINED, BEGUN = range(1, 10)
NAMES = ("", "HELLO", "TASK", "RESULT", "ERROR", "PROGRESS", "CANCEL", "DRAIN", "QUARANTINED", "BEGUN")

# Length, type, task. Type, flags and zero are read as one number: with the others 0, as they must be, it is the type.
HEADER = struct.Struct("<IIQ")
_HELLO = struct.Struct("<II")
ANY_LENGTH = 0xFFFFFFFF
MARK_SIZE = 8  # The number of the task in work, in memory that the supervisor reads when the worker has died.
NO_TASK = 2**64 - 1

_BUFFER = 256 * 1024

Task = Tuple[int, bytearray]  # Its number and its payload.


class ProtocolError(Exception):
    """What came is not the task protocol."""


def frame(kind: int, task: int, payload: bytes = b"") -> bytes:
    return HEADER.pack(len(payload), kind, task) + payload


def hello(name: str) -> bytes:
    """We take payloads of any length: it is the supervisor that bounds them."""
    return frame(HELLO, 0, _HELLO.pack(VERSION, ANY_LENGTH) + name.encode())


def parse_hello(payload: bytes) -> Tuple[int, int]:
    """Version, and the longest payload that the sender takes."""
    if len(payload) < _HELLO.size:
        raise ProtocolError(f"sent a HELLO of {len(payload)} bytes; it has at least {_HELLO.size}")
    version, longest = _HELLO.unpack_from(payload)
    return version, longest


class Parser:
    """Says where the next bytes are to be read to, and takes the frames out of them.

    A payload is copied once, out of the buffer; one that the buffer cannot hold has memory of its own, and what is
    missing of it is read straight into that. Tasks and other frames are kept apart, so that a CANCEL can overtake its
    TASK; it does not reach one that comes after it and has the same number. A client has RESULTs in their place.
    """

    def __init__(self, main: int = TASK, last: int = DRAIN) -> None:
        self._main = main
        self._last = last
        self.tasks: Deque[Task] = deque()
        self.others: List[Tuple[int, int, bytearray, Optional[Task]]] = []  # The last one: the TASK before it.
        self._buffer = bytearray(_BUFFER)
        self._view = memoryview(self._buffer)
        self._end = 0  # What is in the buffer: the beginning of a frame.
        self._long = bytearray()  # The payload of a frame that the buffer cannot hold ...
        self._long_of = (0, 0)  # ... its type and task ...
        self._long_end = 0  # ... and how much of it is there.
        self._problem = ""

    def room(self) -> memoryview:
        """Where the next bytes go: read at most so many, then say take(count)."""
        if self._long:
            return memoryview(self._long)[self._long_end :]
        return self._view[self._end :]

    def has_part(self) -> bool:
        """In the middle of a frame."""
        return self._end > 0 or len(self._long) > 0

    def take(self, count: int) -> None:
        if self._problem:
            raise ProtocolError(self._problem)
        if self._long:
            self._take_long(count)
            return
        buffer, add, unpack = self._buffer, self.tasks.append, HEADER.unpack_from
        main, last = self._main, self._last
        at, end = 0, self._end + count
        while end - at >= 16:
            length, kind, task = unpack(buffer, at)
            after = at + 16 + length
            if not HELLO <= kind <= last:
                self._problem = "sent bytes that are no frame of the task protocol"
                raise ProtocolError(self._problem)
            if after > end:
                if length > _BUFFER - 16:
                    self._begin_long(kind, task, length, at + 16, end)
                    at = end
                break
            if kind == main:
                add((task, buffer[at + 16 : after]))
            else:
                self._add_other(kind, task, buffer[at + 16 : after])
            at = after
        rest = end - at
        if at and rest:
            buffer[:rest] = buffer[at:end]
        self._end = rest

    def _begin_long(self, kind: int, task: int, length: int, begin: int, end: int) -> None:
        self._long_of = (kind, task)
        self._long = bytearray(length)
        self._long_end = end - begin
        self._long[: self._long_end] = self._view[begin:end]

    def _take_long(self, count: int) -> None:
        self._long_end += count
        if self._long_end < len(self._long):
            return
        (kind, task), payload = self._long_of, self._long
        self._long = bytearray()
        if kind == self._main:
            self.tasks.append((task, payload))
        else:
            self._add_other(kind, task, payload)

    def _add_other(self, kind: int, task: int, payload: bytearray) -> None:
        self.others.append((kind, task, payload, self.tasks[-1] if self.tasks else None))
