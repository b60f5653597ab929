"""The file that every worker of the bench writes its own record into, mapped here. worker.c has the layout."""

import mmap
import os
import struct
import time

SIZE = 64
SLOT = struct.Struct("<QQII")  # start_ns, handler_ns, pid, starts


class TookTooLong(Exception):
    """What was waited for did not happen under the ceiling."""


class Slots:
    def __init__(self, path, count):
        self.path = path
        self.count = count
        with open(path, "wb") as file:
            file.truncate(SIZE * (count + 1))
        self.fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self.map = mmap.mmap(self.fd, SIZE * (count + 1))

    def close(self):
        self.map.close()
        os.close(self.fd)
        os.unlink(self.path)

    def clear(self):
        self.map[:] = bytes(len(self.map))

    def exec_ns(self):
        """When the supervisor's start line was executed."""
        return struct.unpack_from("<Q", self.map, 0)[0]

    def read(self, index):
        """(start_ns, handler_ns, pid, starts) of a worker's latest life."""
        return SLOT.unpack_from(self.map, SIZE * (index + 1))

    def starts(self, index):
        return self.read(index)[3]

    def pids(self):
        return [self.read(index)[2] for index in range(self.count)]

    def last_start_ns(self):
        return max(self.read(index)[0] for index in range(self.count))

    def wait_started(self, minimum, ceiling, indices=None, alive=lambda: True):
        """Until each of the workers has begun that many lives (a number, or one for each). Looks, never wakes anybody.

        Gives up at the ceiling, or as soon as `alive` says that nobody is there any more to start one.
        """
        wanted = minimum if isinstance(minimum, list) else [minimum] * self.count
        limit = time.monotonic() + ceiling
        looks = 0
        left = list(indices if indices is not None else range(self.count))
        while left:
            # The last one first: while it is not there, the others need no look.
            if self.starts(left[-1]) >= wanted[left[-1]]:
                left.pop()
                continue
            looks += 1
            if looks % 64 == 0 and not alive():
                raise TookTooLong("the supervisor has ended")
            if time.monotonic() > limit:
                late = sum(self.starts(index) < wanted[index] for index in left)
                raise TookTooLong(f"{late} of {self.count} workers had not started after {ceiling:g} s")
            time.sleep(0.0005 if len(left) < 200 else 0.002)
