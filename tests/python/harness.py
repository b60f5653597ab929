"""A supervisor that speaks the task protocol to real worker processes, written from docs/protocol.md alone.

It shares no code with worker/python. Whatever is awaited has a ceiling, so that a worker that hangs fails its test.
"""

import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import textwrap
import threading
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "worker" / "python"
CEILING = float(os.environ.get("CORRAL_TEST_CEILING", "60"))

HELLO, TASK, RESULT, ERROR, PROGRESS, CANCEL, DRAIN = range(1, 8)
LONGEST = 64 << 20


def frame(kind, task=0, payload=b""):
    return struct.pack("<IBBHQ", len(payload), kind, 0, 0, task) + payload


def hello(version=1, longest=LONGEST, name=b"fake supervisor"):
    return frame(HELLO, 0, struct.pack("<II", version, longest) + name)


def task(number, value):
    return frame(TASK, number, json.dumps(value).encode())


def environment(**more):
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("CORRAL_TASK", "CORRAL_MARK", "PYTHON"))}
    variables.update(PYTHONPATH=str(PACKAGE), PYTHONDONTWRITEBYTECODE="1", PYTHONIOENCODING="utf-8", **more)
    return variables


def script(body):
    """A worker of which `body` defines work(item)."""
    head, tail = "import corral, os, sys, time\n", "\nif __name__ == '__main__':\n    corral.serve()\n"
    return head + textwrap.dedent(body) + tail


class Worker:
    """One worker process at the other end of a channel. Its logs are read by threads of their own."""

    def __init__(self, folder, text, greet=True, version=1, longest=LONGEST, blocking=True, variables=None, pass_fds=()):
        path = os.path.join(folder, "worker.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(CEILING)
        with theirs:
            theirs.setblocking(blocking)
            variables = {"CORRAL_TASK_FD": str(theirs.fileno()), **(variables or {})}
            self.process = subprocess.Popen(
                [sys.executable, path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno(), *pass_fds], env=environment(**variables), start_new_session=True)  # fmt: skip
        self.logs = {}
        self.threads = [threading.Thread(target=self._read, args=(name,), daemon=True) for name in ("stdout", "stderr")]
        for thread in self.threads:
            thread.start()
        self.data = bytearray()
        if greet:
            self.hello = self.frame()
            self.send(hello(version, longest))

    def _read(self, name):
        stream = getattr(self.process, name)
        self.logs[name] = b""
        for line in stream:
            self.logs[name] += line

    def send(self, *frames):
        self.socket.sendall(b"".join(frames))

    def send_beside(self, data):
        """While the caller reads: more than fits into the channel would block both."""
        thread = threading.Thread(target=self.socket.sendall, args=(data,), daemon=True)
        thread.start()
        return thread

    def frame(self):
        """(type, task, payload) of the next frame, or None at the end of the stream."""
        while True:
            if len(self.data) >= 16:
                length, kind, flags, zero, number = struct.unpack_from("<IBBHQ", self.data)
                assert (flags, zero) == (0, 0) and 1 <= kind <= 7, "the worker wrote something that is no frame"
                if len(self.data) >= 16 + length:
                    payload = bytes(self.data[16 : 16 + length])
                    del self.data[: 16 + length]
                    return kind, number, payload
            try:
                more = self.socket.recv(1 << 20)
            except ConnectionResetError:
                more = b""
            if not more:
                assert not self.data, "the worker's last frame is not whole"
                return None
            self.data += more

    def value(self, number):
        """The RESULT that is the next frame, and of this task."""
        kind, of, payload = self.frame()
        assert (kind, of) == (RESULT, number), (kind, of, payload[:2000])
        return json.loads(payload)

    def error(self, number):
        kind, of, payload = self.frame()
        assert (kind, of) == (ERROR, number), (kind, of, payload[:2000])
        story = json.loads(payload.decode("ascii"))
        assert sorted(story) == ["message", "traceback", "type"]
        assert all(isinstance(text, str) for text in story.values())
        return story

    def run(self, value, number=1):
        self.send(task(number, value))
        return self.value(number)

    def wait(self):
        """Its exit status, after its logs are complete."""
        status = self.process.wait(CEILING)
        for thread in self.threads:
            thread.join(CEILING)
        return status

    def drain(self):
        self.send(frame(DRAIN))
        self.socket.shutdown(socket.SHUT_WR)
        return self.wait()

    def close(self):
        self.socket.close()
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(CEILING)
        for thread in self.threads:
            thread.join(CEILING)
        self.process.stdout.close()
        self.process.stderr.close()


class WorkerTest(unittest.TestCase):
    """Every test has a folder of its own, and leaves no worker behind."""

    maxDiff = 4000

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def start(self, body, **options):
        return self.start_script(script(body), **options)

    def start_script(self, text, **options):
        worker = Worker(self.folder, text, **options)
        self.addCleanup(worker.close)
        return worker

    def ends_well(self, worker):
        self.assertEqual(worker.drain(), 0, worker.logs)
        self.assertEqual(worker.logs["stderr"], b"")
        self.assertIsNone(worker.frame())
