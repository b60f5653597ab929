"""What the tests of the control API stand on: a supervisor with a socket in the test's own folder, the command line against it,
and HTTP as a client of any other kind speaks it."""

import http.client
import json
import os
import signal
import socket
import subprocess

from harness import CEILING, CORRAL, SANITIZER, CorralTest, await_that, program

GET_STATUS = b"GET /v1/status HTTP/1.1\r\nHost: corral\r\n\r\n"


class UnixConnection(http.client.HTTPConnection):
    """Python's own client, over a Unix socket."""

    def __init__(self, path):
        super().__init__("corral", timeout=CEILING)
        self.path = path

    def connect(self):
        self.sock = raw_connection(self.path)


def raw_connection(path):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(CEILING)
    connection.connect(path)
    return connection


def everything_from(connection):
    """All bytes until the other side closes."""
    received = bytearray()
    try:
        while chunk := connection.recv(1 << 16):
            received += chunk
    except ConnectionResetError:
        pass  # It closed with something of ours unread: what it had said before has arrived.
    return bytes(received)


class Answer:
    """What the command line printed, and its exit status."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    @property
    def json(self):
        return json.loads(self.out)


class ControlTest(CorralTest):
    """`self.socket` is where the supervisor of run_controlled() listens."""

    def setUp(self):
        super().setUp()
        self.socket = self.path("control.sock")

    def run_controlled(self, programs, *flags, top=None, **options):
        return self.run_config(programs, *flags, top={"control": {"socket": self.socket}, **(top or {})}, **options)

    def reconfigure(self, programs, top=None):
        return self.configure(programs, {"control": {"socket": self.socket}, **(top or {})})

    def ask_for(self, *words, status=0, whose=None, wrapper=(), **options):
        """Runs `corral WORDS` against the supervisor, and looks at its exit status, which may be one of several."""
        end = self.begin_asking(*words, whose=whose, wrapper=wrapper, **options)
        return self.end_asking(end, status)

    def begin_asking(self, *words, whose=None, wrapper=(), **options):
        whose = ["--socket", self.socket] if whose is None else list(whose)
        variables = dict(os.environ, CORRAL_TEST_TOKEN=self.token, ASAN_OPTIONS=SANITIZER)
        process = subprocess.Popen([*wrapper, CORRAL, *words, *whose], env=variables, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)  # fmt: skip
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        return process

    def end_asking(self, process, status=0):
        try:
            out, err = process.communicate(timeout=CEILING)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"not ended within {CEILING:g} s: {process.args}") from None
        if status is not None:
            self.assertIn(process.returncode, [status] if isinstance(status, int) else status, f"{process.args}\n{out}\n{err}")
        return Answer(process.returncode, out, err)

    def http(self, method, target, body=None, headers=None, path=None):
        """One request by Python's client: (status, headers, document or text)."""
        connection = UnixConnection(path or self.socket)
        try:
            text = None if body is None else body if isinstance(body, (str, bytes)) else json.dumps(body)
            default = {} if text is None else {"Content-Type": "application/json"}
            connection.request(method, target, text, {**default, **(headers or {})})
            reply = connection.getresponse()
            raw = reply.read()
            return reply.status, reply.headers, json.loads(raw) if raw[:1] in (b"{", b"[") else raw.decode()
        finally:
            connection.close()

    def workers(self, path=None):
        """{name: what the status says of it}"""
        status, _, document = self.http("GET", "/v1/status", path=path)
        self.assertEqual(status, 200)
        return {worker["worker"]: worker for worker in document["workers"]}

    def await_listening(self, corral, path=None):
        """Once the first worker runs and the socket is there."""
        def listens():
            if corral.process.poll() is not None:
                raise AssertionError(f"ended\n{corral.err}")
            try:
                raw_connection(path or self.socket).close()
                return True
            except OSError:
                return False

        await_that("the control socket listens", listens)


class FaultTest(ControlTest):
    """One supervisor with two workers, which is the same afterwards as it was before."""

    def begin(self, *wrapper):
        self.corral = self.run_controlled({"a": program("hang", workers=2, cores="shared")}, wrapper=wrapper)
        self.await_listening(self.corral)
        self.corral.await_start("a/1")
        self.restart_works()  # What is made at the first request, and at the first death, is there.
        self.before = self.quiet()
        self.born = self.lives()

    def lives(self):
        return {name: worker["incarnation"] for name, worker in self.workers().items()}

    def quiet(self):
        return len(os.listdir(f"/proc/{self.corral.pid}/fd"))

    def restart_works(self):
        """A worker that is killed is started again, and status says so."""
        old = self.workers()["a/0"]
        os.kill(old["pid"], signal.SIGKILL)
        await_that("a/0 lives again", lambda: self.workers()["a/0"]["incarnation"] > old["incarnation"]
                   and self.workers()["a/0"]["state"] == "running")  # fmt: skip

    def nothing_leaks(self):
        await_that(lambda: f"{self.quiet()} descriptors, before {self.before}", lambda: self.quiet() <= self.before)

    def end(self):
        self.nothing_leaks()
        self.stop(self.corral, 0)

    def raw(self, *pieces):
        """What is answered to these bytes."""
        connection = raw_connection(self.socket)
        try:
            for piece in pieces:
                try:
                    connection.sendall(piece)
                except (BrokenPipeError, ConnectionResetError):
                    break  # It has said enough, and closed.
            return everything_from(connection)
        finally:
            connection.close()

    def status_of(self, *pieces):
        reply = self.raw(*pieces)
        self.assertTrue(reply.startswith(b"HTTP/1.1 "), reply[:200])
        return int(reply[9:12])
