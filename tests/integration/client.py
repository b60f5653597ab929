"""A client of `corral map --client`, written from docs/protocol.md alone."""

import select
import socket
import struct
import time

HEADER = struct.Struct("<IIQ")
HELLO, TASK, RESULT, ERROR, PROGRESS, CANCEL, DRAIN, QUARANTINED, BEGUN = range(1, 10)


class Client:
    def __init__(self):
        self.socket, self.theirs = socket.socketpair()
        self.received = bytearray()

    def send(self, kind, task=0, payload=b""):
        self.socket.sendall(HEADER.pack(len(payload), kind, task) + payload)

    def greet(self, longest=0xFFFFFFFF):
        self.send(HELLO, 0, struct.pack("<II", 1, longest) + b"test client")

    def next(self, seconds=60):
        """The next frame: (kind, task, payload), or None at the end."""
        until = time.monotonic() + seconds
        while True:
            if len(self.received) >= HEADER.size:
                length, kind, task = HEADER.unpack_from(self.received)
                if len(self.received) >= HEADER.size + length:
                    payload = bytes(self.received[HEADER.size:HEADER.size + length])
                    del self.received[:HEADER.size + length]
                    return kind, task, payload
            if not select.select([self.socket], [], [], max(0, until - time.monotonic()))[0]:
                raise AssertionError(f"no frame in {seconds} s")
            chunk = self.socket.recv(1 << 18)
            if not chunk:
                return None
            self.received += chunk

    def next_of(self, task, *kinds):
        """The next frame of these kinds for the task; others are passed over."""
        while True:
            frame = self.next()
            if frame is None:
                raise AssertionError("the end, and no word of the task")
            if frame[1] == task and frame[0] in kinds:
                return frame

    def rest(self):
        """All that comes until the end."""
        found = []
        while frame := self.next():
            found.append(frame)
        return found
