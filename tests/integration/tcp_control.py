"""What the tests of the control API over TCP stand on: a supervisor that listens at a port too, and HTTP said byte by byte."""

import http.client
import socket

from control import FaultTest
from harness import CEILING, await_that


def free_port(family=socket.AF_INET, address="127.0.0.1"):
    with socket.socket(family) as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


class TcpTest(FaultTest):
    """`self.address` is where the supervisor listens beside its socket; `self.token_file` holds the token."""

    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.host = "127.0.0.1"
        self.token_file = self.path("token")

    @property
    def authority(self):
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def run_controlled(self, programs, *flags, top=None, **options):
        return super().run_controlled(programs, *flags, top=self.top(top), **options)

    def top(self, more=None):
        return {"control": {"socket": self.socket, "listen": self.authority, "token_file": self.token_file}, **(more or {})}

    def begin(self, *wrapper):
        super().begin(*wrapper)
        self.await_tcp()

    def await_tcp(self):
        def listens():
            try:
                self.connection().close()
                return True
            except OSError:
                return False

        await_that("the port listens", listens)

    def connection(self):
        return socket.create_connection((self.host, self.port), timeout=CEILING)

    @property
    def secret(self):
        with open(self.token_file) as file:
            return file.read().rstrip("\n")

    def letter(self, method="GET", target="/v1/status", body=b"", **headers):
        """A request as bytes; with no other word, one that is let in. A header that is None is left out, a list is repeated."""
        lines = {"Host": self.authority, "Authorization": "Bearer " + self.secret}
        if body:
            lines |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        lines |= {name.replace("_", "-"): value for name, value in headers.items()}
        text = f"{method} {target} HTTP/1.1\r\n"
        for name, values in lines.items():
            for value in [values] if isinstance(values, str) else values or []:
                text += f"{name}: {value}\r\n"
        return text.encode() + b"\r\n" + body

    def say(self, text):
        """(status, head, body) of the first reply."""
        connection = self.connection()
        try:
            try:
                connection.sendall(text)
            except (BrokenPipeError, ConnectionResetError):
                pass  # It has said enough, and closed: what it said can be read.
            reply = http.client.HTTPResponse(connection, method=text.split(b" ", 1)[0].decode("latin-1"))
            reply.begin()
            return reply.status, reply.headers, reply.read().decode()
        finally:
            connection.close()

    def status_by_tcp(self, *words, **headers):
        return self.say(self.letter(*words, **headers))[0]

    def nobody_knows(self, secret):
        """Neither what the supervisor has said, nor what others see of it and of its workers, holds the token."""
        self.assertNotIn(secret, self.corral.out + self.corral.err)
        for pid in (self.corral.pid, self.workers()["a/0"]["pid"]):
            for name in ("cmdline", "environ"):
                with open(f"/proc/{pid}/{name}", "rb") as file:
                    self.assertNotIn(secret.encode(), file.read())
