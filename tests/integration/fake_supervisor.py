"""A supervisor that is none: it answers the control API on a Unix socket with whatever a test has put into it."""

import http.server
import json
import socketserver
import threading


def worker(name, **changes):
    """A worker as GET /v1/status tells of it."""
    program, _, index = name.partition("/")
    return {"worker": name, "program": program, "index": int(index), "state": "running", "wanted": "up", "pid": 1000 + int(index),
            "incarnation": 1, "cores": index, "uptime_seconds": 75.0, "restarts": 0, "cpu_seconds": 10.0,
            "memory_bytes": 12 << 20, "next_start_seconds": None, **changes}  # fmt: skip


class FakeSupervisor:
    def __init__(self, path, workers):
        self.path = path
        self.workers = workers
        self.events = []
        self.asked = []       # (method, target, body) of all that is no status
        self.replies = {}     # target -> (status, body)
        self.held = {}        # target -> threading.Event that its answers wait for
        self.statuses = 0
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def address_string(self):
                return "unix"

            def log_message(self, *_):
                pass

            def reply(self):
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "null")
                status, answer = fake.answer(self.command, self.path, body)
                if event := fake.held.get(self.path):
                    event.wait(120)
                text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = reply

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 64

            def handle_error(self, *_):
                pass  # Whoever asked has gone.

        self.server = Server(path, Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def answer(self, method, target, body):
        if target in self.replies:
            return self.replies[target]
        if target == "/v1/status":
            self.statuses += 1
            return 200, self.status()
        if target == "/v1/events":
            return 200, {"events": self.events}
        self.asked.append((method, target, body))
        return (200, {}) if method == "POST" else (404, {"error": "there is no such thing"})

    def status(self):
        return {
            "supervisor": {"pid": 4711, "version": "0.1.0", "config": "/etc/corral/corral.json", "uptime_seconds": 3725.0,
                           "phase": "running", "containment": "cgroup", "socket": self.path},
            "programs": [{"program": name} for name in sorted({one["program"] for one in self.workers})],
            "workers": self.workers,
        }  # fmt: skip

    def end(self):
        """It is gone, and its socket file stays, as after kill -9. Twice does no harm."""
        self.server.shutdown()  # A thread that still polls would keep a closed socket open, or look at another with its number.
        self.server.server_close()
        self.thread.join()
