"""`corral map --client`: a program gives tasks and takes answers over a socket."""

import json
import os
import signal
import socket
import sys

from client import BEGUN, CANCEL, DRAIN, ERROR, HEADER, HELLO, PROGRESS, QUARANTINED, RESULT, TASK, Client
from harness import await_that, children, main
from mapping import WORKER, MapTest

DECISIONS = (CANCEL, BEGUN, RESULT, ERROR)


class Clients(MapTest):
    def serve(self, *options, greet=True, command=WORKER):
        client = Client()
        fd = client.theirs.fileno()
        corral = self.start("map", "--client", str(fd), *options, "--", *command, pass_fds=[fd])
        client.theirs.close()
        self.addCleanup(client.socket.close)
        if greet:
            client.greet()
            self.assertEqual(client.next()[0], HELLO)
        return client, corral

    def give(self, client, *tasks, first=0):
        for number, task in enumerate(tasks, first):
            client.send(TASK, number, json.dumps(task).encode())

    def test_every_task_is_answered_once_and_then_it_ends(self):
        client, corral = self.serve("-j2")
        self.give(client, *range(100))
        client.send(TASK, 2**64 - 1, b'"any number"')
        client.send(DRAIN)
        frames = [frame for frame in client.rest() if frame[0] != BEGUN]
        self.finish(corral, 0)
        self.assertEqual({task: payload for kind, task, payload in frames if kind == RESULT},
                         {**{n: str(n).encode() for n in range(100)}, 2**64 - 1: b'"any number"'})
        self.assertEqual(len(frames), 101)

    def test_a_trace_has_its_tasks_by_its_numbers(self):
        client, corral = self.serve("-j1", "--trace", self.path("run.json"))
        self.give(client, 1, {"fail": "no"}, first=2**63)
        client.send(DRAIN)
        client.rest()
        self.finish(corral, 1)
        with open(self.path("run.json")) as file:
            events = [event["args"] for event in json.load(file) if event["ph"] == "X"]
        self.assertEqual([(event["task"], event["outcome"]) for event in events], [(2**63, "done"), (2**63 + 1, "failed")])

    def test_the_end_of_its_side_of_the_socket_is_a_drain(self):
        client, corral = self.serve("-j1")
        self.give(client, 1, 2)
        client.socket.shutdown(socket.SHUT_WR)
        self.assertEqual([f[1] for f in client.rest() if f[0] == RESULT], [0, 1])
        self.finish(corral, 0)

    def test_a_number_may_come_again_once_it_is_answered(self):
        client, corral = self.serve("-j1")
        for _ in range(3):
            self.give(client, "again", first=7)
            self.assertEqual(client.next_of(7, RESULT)[2], b'"again"')
        client.send(DRAIN)
        self.finish(corral, 0)

    def test_an_empty_payload_and_one_of_70_mib_are_tasks_like_any_other(self):
        echo = [sys.executable, "-c", ECHO]
        client, corral = self.serve("-j1", command=echo)
        big = os.urandom(70 << 20)
        client.send(TASK, 1)
        client.send(TASK, 2, big)
        self.assertEqual(client.next_of(1, RESULT)[2], b"")
        self.assertTrue(client.next_of(2, RESULT)[2] == big)
        client.send(DRAIN)
        self.finish(corral, 0)

    def test_errors_are_passed_on_and_quarantine_has_its_story(self):
        client, corral = self.serve("-j1")
        self.give(client, {"fail": "no good"}, {"kill": 9})
        self.assertEqual(json.loads(client.next_of(0, ERROR)[2])["message"], "no good")
        story = json.loads(client.next_of(1, QUARANTINED)[2])
        self.assertEqual((story["type"], story["signal"], story["attempts"]), ("WorkerDied", 9, 3))
        self.assertIn("killed by signal 9", story["message"])
        client.send(DRAIN)
        self.finish(corral, 1)

    def test_who_runs_long_is_told_of_and_cannot_be_cancelled(self):
        client, corral = self.serve("-j1")
        self.give(client, {"sleep": 1}, "behind")
        client.next_of(0, BEGUN)
        client.send(CANCEL, 1)
        client.send(CANCEL, 0)
        self.assertEqual(client.next_of(1, *DECISIONS)[0], CANCEL)
        self.assertEqual(client.next_of(0, *DECISIONS)[0], BEGUN)
        self.assertEqual(client.next_of(0, *DECISIONS)[0], RESULT)
        client.send(DRAIN)
        self.finish(corral, 0)

    def test_what_is_cancelled_is_not_executed(self):
        client, corral = self.serve("-j2")
        marks = [self.path(f"mark{n}") for n in range(400)]
        self.give(client, *[{"kill-once": mark} if n % 50 == 49 else {"touch": mark} for n, mark in enumerate(marks)])
        for number in range(0, 400, 2):
            client.send(CANCEL, number)
        client.send(DRAIN)
        ends = {}
        for kind, task, _ in client.rest():
            if kind in (RESULT, CANCEL, QUARANTINED):
                self.assertNotIn(task, ends, "answered twice")
                ends[task] = kind
        self.finish(corral)
        self.assertEqual(len(ends), 400)
        self.assertIn(CANCEL, ends.values())
        for number, mark in enumerate(marks):
            if ends[number] == CANCEL:
                self.assertFalse(os.path.exists(mark), f"task {number} was cancelled, and executed")
            else:
                self.assertTrue(os.path.exists(mark))

    def test_what_is_behind_a_drain_can_be_cancelled_and_a_client_that_goes_then_is_seen(self):
        client, corral = self.serve("-j1")
        self.give(client, {"sleep": 600}, 1, 2)
        client.send(DRAIN)
        client.next_of(0, BEGUN)
        client.send(CANCEL, 2)
        self.assertEqual(client.next_of(2, *DECISIONS)[0], CANCEL)
        client.socket.close()
        self.finish(corral, 1)

    def test_progress_is_passed_on(self):
        client, corral = self.serve("-j1", "--timeout", "5s")
        self.give(client, {"progress": 0.3})
        client.next_of(0, PROGRESS)
        client.next_of(0, RESULT)
        client.send(DRAIN)
        self.finish(corral, 0)

    def test_a_client_that_ends_takes_the_workers_along(self):
        client, corral = self.serve("-j2")
        self.give(client, {"sleep": 600}, {"sleep": 600})
        client.next_of(0, BEGUN)
        client.socket.close()
        self.finish(corral, 1)
        self.assertIn("the client has closed its socket", corral.err)

    def test_a_client_that_dies_takes_the_workers_along_whoever_else_holds_its_socket(self):
        # It forks a process that holds the socket open, and is killed.
        client = self.start(*WORKER, wrapper=[sys.executable, "-c", FORKING],
                            environment={"TESTS": os.path.dirname(os.path.abspath(__file__))})
        client.await_out("begun")
        corral = next(pid for pid in children(client.pid) if pid != int(client.out.split()[0]))
        holder = int(client.out.split()[0])
        try:
            workers = await_that("a worker", lambda: children(corral))
            os.kill(client.pid, signal.SIGKILL)
            for pid in [corral, *workers]:
                await_that("its end", lambda: not os.path.exists(f"/proc/{pid}") or self.is_zombie(pid))
        finally:
            os.kill(holder, signal.SIGKILL)

    def is_zombie(self, pid):
        try:
            with open(f"/proc/{pid}/stat") as stat:
                return stat.read().rsplit(")", 1)[1].split()[0] == "Z"
        except OSError:
            return True

    def test_what_workers_print_goes_where_that_of_corral_goes(self):
        client, corral = self.serve("-j1")
        self.give(client, {"say": "hello"})
        client.next_of(0, RESULT)
        client.send(DRAIN)
        self.finish(corral, 0)
        self.assertEqual(corral.out, "hello\n")

    def test_what_is_no_protocol_ends_it_with_a_sentence(self):
        for name, frames, words in [
            ("no HELLO", [HEADER.pack(1, TASK, 0) + b"1"], "did not say HELLO first"),
            ("garbage", [b"\xff" * 64], "no frame"),
            ("a frame of the supervisor", [HELLO_FRAME, HEADER.pack(0, RESULT, 0)], "has sent RESULT"),
            ("a number twice", [HELLO_FRAME, HEADER.pack(13, TASK, 5) + b'{"sleep": 60}', HEADER.pack(1, TASK, 5) + b"1"],
             "has sent task 5 again"),
            ("half a frame", [HELLO_FRAME, HEADER.pack(9, TASK, 5) + b"1", None], "in the middle of a frame"),
            ("nothing at all", [None], "has closed its socket"),
        ]:
            with self.subTest(name):
                client, corral = self.serve("-j1", greet=False)
                for frame in frames:
                    client.socket.sendall(frame) if frame else client.socket.shutdown(socket.SHUT_WR)
                self.finish(corral, 1)
                self.assertIn(words, corral.err)

    def test_a_command_that_does_not_work_ends_it(self):
        client, corral = self.serve("-j1", command=["false"])
        self.give(client, 1)
        client.rest()
        self.finish(corral, 125)

    def test_what_cannot_be_a_client_is_refused(self):
        for options, words in [
            (["--client", "77"], "descriptor 77"),
            (["--client", "1"], "descriptor 1"),
            (["--client", "x"], "x"),
            (["--client", "3", "--lines"], "--lines"),
            (["--client", "3", "-o", "out"], "-o"),
        ]:
            with self.subTest(options):
                corral = self.start("map", *options, "--", "true")
                self.finish(corral)
                self.assertIn(corral.process.returncode, (2, 125))
                self.assertIn(words, corral.err)


HELLO_FRAME = HEADER.pack(8, HELLO, 0) + b"\1\0\0\0\xff\xff\xff\xff"

ECHO = """
import os, socket, struct
H = struct.Struct("<IIQ")
s = socket.socket(fileno=int(os.environ["CORRAL_TASK_FD"]))
def get(n):
    data = bytearray()
    while len(data) < n:
        chunk = s.recv(min(n - len(data), 1 << 20))
        if not chunk:
            os._exit(0)
        data += chunk
    return bytes(data)
s.sendall(H.pack(8, 1, 0) + struct.pack("<II", 1, 0xFFFFFFFF))
while True:
    length, kind, task = H.unpack(get(16))
    payload = get(length)
    if kind == 2:
        s.sendall(H.pack(length, 3, task) + payload)
"""

FORKING = """
import os, subprocess, sys, time
sys.path.insert(0, os.environ["TESTS"])
from client import *
client = Client()
fd = client.theirs.fileno()
holder = os.fork()
if holder == 0:
    time.sleep(600)
corral = subprocess.Popen([sys.argv[1], "map", "--client", str(fd), "-j1", "--", *sys.argv[2:]], pass_fds=[fd])
client.theirs.close()
client.greet()
client.send(TASK, 0, b'{"sleep": 600}')
client.next_of(0, BEGUN)
print(holder, "begun", flush=True)
time.sleep(600)
"""

if __name__ == "__main__":
    main()
