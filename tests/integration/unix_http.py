"""HTTP over the supervisor's Unix socket, with nothing but Python's own library."""

import http.client
import socket


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("corral", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self.path)


def listens(path):
    """A socket has its name a moment before anybody listens at it."""
    try:
        Connection(path).connect()
        return True
    except OSError:
        return False


def get(path, target, **headers):
    """(status, content type, text)"""
    connection = Connection(path)
    try:
        connection.request("GET", target, headers=headers)
        reply = connection.getresponse()
        return reply.status, reply.headers["Content-Type"], reply.read().decode()
    finally:
        connection.close()
