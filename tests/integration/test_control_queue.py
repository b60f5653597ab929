"""What is accepted without waiting is done: scalings and reloads have a queue, and who finds it full is told so."""

import errno
import json
import os
import re
import signal
import socket

from control import GET_STATUS, FaultTest, everything_from, raw_connection
from harness import await_that, main, program

LAST_REQUEST = b"GET /v1/status HTTP/1.1\r\nHost: c\r\nConnection: close\r\n\r\n"


class Queue(FaultTest):
    def test_what_is_accepted_is_done(self):
        """A hundred and fifty ask for a scaling at once and do not wait for it: each is told truly whether it will come."""
        corral = self.run_controlled({"a": program("hang", cores="shared")})
        self.await_listening(corral)
        corral.signal(signal.SIGSTOP)
        asked = []
        for number in range(150):
            body = json.dumps({"workers": 1 + number % 7, "wait": False}).encode()
            connection = raw_connection(self.socket)
            connection.sendall(b"POST /v1/programs/a/scale HTTP/1.1\r\nHost: corral\r\nConnection: close\r\nContent-Type: application/json\r\n"
                               b"Content-Length: %d\r\n\r\n%s" % (len(body), body))  # fmt: skip
            asked.append((1 + number % 7, connection))
        corral.signal(signal.SIGCONT)
        accepted = []
        for workers, connection in asked:
            status = everything_from(connection).split(b" ", 2)[1]
            connection.close()
            self.assertIn(status, (b"202", b"503"))
            if status == b"202":
                accepted.append(workers)
        await_that("all that was accepted is done", lambda: len(re.findall("a has . workers? now", corral.err)) == len(accepted))
        self.stop(corral, 0)


class Line(FaultTest):
    def test_who_finds_the_queue_of_the_socket_full_waits_in_line(self):
        """The wait behind a crowd is bounded by a short queue; `corral` waits for a place in it and does not fail."""
        corral = self.run_controlled({"a": program("hang", cores="shared")})
        self.await_listening(corral)
        corral.signal(signal.SIGSTOP)
        crowd, full = [], False
        while not full:
            crowd.append(socket.socket(socket.AF_UNIX))
            crowd[-1].setblocking(False)
            full = crowd[-1].connect_ex(self.socket) == errno.EAGAIN
        self.assertLessEqual(len(crowd), 1100)
        asks = self.begin_asking("status")

        def is_in_line():
            if asks.poll() is not None:
                raise AssertionError(f"ended with {asks.returncode}: {asks.stderr.read()}")
            with open(f"/proc/{asks.pid}/stat", encoding="ascii") as file:
                sleeps = file.read().rpartition(")")[2].split()[0] == "S"
            return sleeps and os.path.lexists(f"/proc/{asks.pid}/fd/3") and "socket:" in os.readlink(f"/proc/{asks.pid}/fd/3")

        await_that("it waits in line", is_in_line)
        corral.signal(signal.SIGCONT)
        self.assertIn("a/0", self.end_asking(asks).out)
        for one in crowd:
            one.close()
        self.stop(corral, 0)

    def test_who_asks_for_many_things_at_once_lets_others_in_and_is_answered(self):
        """More come at once than are let in at once: the first of them gives way after one answer, and gets the others."""
        corral = self.run_controlled({"a": program("hang", cores="shared")})
        self.await_listening(corral)
        at_once = 128  # Half of the places. Where it is just so many nobody comes behind them.
        for count in (*range(at_once - 4, at_once + 4), 200):
            corral.signal(signal.SIGSTOP)
            first = raw_connection(self.socket)
            first.sendall(GET_STATUS * 20 + LAST_REQUEST)
            crowd = [raw_connection(self.socket) for _ in range(count)]
            for one in crowd:
                one.sendall(LAST_REQUEST)
            corral.signal(signal.SIGCONT)
            for one in crowd:
                self.assertEqual(everything_from(one).count(b"HTTP/1.1 200 OK"), 1)
                one.close()
            first.settimeout(10)  # Whoever is forgotten is remembered when the next one comes, and not before.
            self.assertEqual(everything_from(first).count(b"HTTP/1.1 200 OK"), 21)
            first.close()
        self.stop(corral, 0)


if __name__ == "__main__":
    main()
