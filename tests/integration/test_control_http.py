"""What clients of the control API may say: HTTP in all its forms, and what looks like it."""

import json
import os
import socket
import subprocess

from control import GET_STATUS, FaultTest, UnixConnection, everything_from, raw_connection
from harness import CORRAL, as_root, main

STRANGER = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
# Connects so often, asks when it is told to, and prints what is answered to the first; the others are left open.
LATE = """import socket, sys
all = [socket.socket(socket.AF_UNIX) for _ in range(int(sys.argv[2]))]
for one in all: one.connect(sys.argv[1])
print("there", flush=True)
if not sys.stdin.readline(): sys.exit()
all[-1].sendall(b"GET /v1/status HTTP/1.1\\r\\nHost: c\\r\\n\\r\\n")
while part := all[-1].recv(4096): print(part.decode(), flush=True)
sys.stdin.readline()
"""


class Unknown(FaultTest):
    def test_a_name_of_nobody_is_not_found_whatever_is_asked(self):
        self.corral = self.run_controlled({"crunch": "hang"})
        self.await_listening(self.corral)
        targets = {"targets": ["crumch"]}
        cases = [("GET", "/v1/workers/crumch/0", None), ("POST", "/v1/workers/start", targets), ("POST", "/v1/workers/stop", targets),
                 ("POST", "/v1/workers/restart", targets), ("POST", "/v1/workers/signal", {**targets, "signal": "USR1"}),
                 ("POST", "/v1/programs/crumch/scale", {"workers": 2}),
                 ("POST", "/v1/programs/crumch/scale", {"workers": 2, "wait": False})]  # fmt: skip
        for method, target, body in cases:
            with self.subTest(target):
                status, _, document = self.http(method, target, body)
                self.assertEqual(status, 404, document)
                self.assertIn("did you mean 'crunch'?", document["error"])
        self.stop(self.corral, 0)


class Strangers(FaultTest):
    def open_to_all(self):
        self.begin()
        os.chmod(self.socket, 0o666)
        os.chmod(self.folder, 0o755)

    def come(self, count):
        late = subprocess.Popen([*STRANGER, "/usr/bin/python3", "-c", LATE, self.socket, str(count)], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True, bufsize=1)  # fmt: skip
        self.addCleanup(lambda: (late.stdin.close(), late.stdout.close(), late.wait()))
        self.assertEqual(late.stdout.readline(), "there\n")
        return late

    @as_root
    def test_who_asks_late_sees_why_he_is_refused(self):
        self.open_to_all()
        late = self.come(1)
        self.corral.await_err("user 65534 was refused")
        late.stdin.write("\n")
        self.assertTrue(late.stdout.readline().startswith("HTTP/1.1 403 "))
        self.end()

    @as_root
    def test_many_of_them_are_kept_for_a_moment_and_only_a_few(self):
        self.open_to_all()
        self.come(60)
        self.workers()  # Answered after all of them.
        self.assertLessEqual(self.quiet(), self.before + 20)
        self.restart_works()
        self.end()  # They are still connected, and it has let them go.

    @as_root
    def test_every_command_says_why_and_ends_alike(self):
        if subprocess.run([*STRANGER, "test", "-x", CORRAL], stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("the binary itself cannot be reached by another user")
        self.open_to_all()
        for words in (["status"], ["status", "--ready"], ["events"], ["events", "-f"], ["explain", "a/0"], ["restart", "a"],
                      ["scale", "a=1", "b=1"], ["shutdown"], ["logs"]):  # fmt: skip
            with self.subTest(words):
                done = self.ask_for(*words, wrapper=STRANGER, status=2)
                self.assertIn("belongs to another user", done.err)
        self.end()


class Malformed(FaultTest):
    def test_requests_that_are_none(self):
        self.begin()
        body = b'{"targets":["a"]}'
        post = b"POST /v1/workers/signal HTTP/1.1\r\nHost: c\r\nContent-Type: application/json\r\n"
        cases = {
            "garbage": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xff" * 200 + b"\r\n\r\n", {400}),
            "no version": (b"GET /v1/status\r\n\r\n", {400}),
            "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400}),
            "two hosts": (b"GET /v1/status HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", {400}),
            "no host": (b"GET /v1/status HTTP/1.1\r\n\r\n", {400}),
            "a space before the colon": (b"GET /v1/status HTTP/1.1\r\nHost : a\r\n\r\n", {400}),
            "a folded header": (b"GET /v1/status HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: b\r\n c\r\n\r\n", {400, 200}),
            "a NUL": (b"GET /v1/\0status HTTP/1.1\r\nHost: a\r\n\r\n", {400}),
            "a bare line feed": (b"GET /v1/status HTTP/1.1\nHost: a\n\n", {400}),
            "CL and TE": (post + b"Content-Length: 17\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
            "TE and CL": (post + b"Transfer-Encoding: chunked\r\nContent-Length: 17\r\n\r\n0\r\n\r\n", {400}),
            "two lengths": (post + b"Content-Length: 17\r\nContent-Length: 18\r\n\r\n" + body, {400}),
            "a length below zero": (post + b"Content-Length: -1\r\n\r\n" + body, {400}),
            "a length of words": (post + b"Content-Length: x\r\n\r\n" + body, {400}),
            "a length beyond all numbers": (post + b"Content-Length: 99999999999999999999\r\n\r\n" + body, {400, 413}),
            "a coding nobody knows": (post + b"Transfer-Encoding: gzip\r\n\r\n" + body, {400, 501}),
            "a coding of two": (post + b"Transfer-Encoding: gzip, chunked, identity\r\n\r\n" + body, {501}),
            "a coding that looks like one": (post + b"Transfer-Encoding: xchunked\r\n\r\n" + body, {501}),
            "a chunk of words": (post + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n" + body, {400}),
            "a big body": (post + b"Content-Length: 104857600\r\n\r\n" + body, {413}),
            "a big chunked body": (post + b"Transfer-Encoding: chunked\r\n\r\n" + (b"10000\r\n" + b" " * 65536 + b"\r\n") * 32, {413}),
            "a big header": (b"GET /v1/status HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 9000 + b"\r\n\r\n", {431}),
            "many headers": (b"GET /v1/status HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 3000 + b"\r\n", {431}),
            "a long target": (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", {414, 431}),
        }
        for name, (text, expected) in cases.items():
            with self.subTest(name):
                self.assertIn(self.status_of(text), expected)
                self.assertEqual(self.lives(), self.born)
        self.end()

    def test_bodies_that_are_none(self):
        self.begin()
        cases = [
            ("{", 400), ("[]", 400), ("null", 400), ("[" * 100_000, 400), ('{"a":' * 100_000, 400), (b"\xff\xfe", 400),
            ('{"targets": "a"}', 400), ('{"targets": []}', 400), ('{"targets": [1]}', 400), ('{"targets": [null]}', 400),
            ('{"targets": ["a"], "tragets": 1}', 400), ('{"targets": ["a"], "wait": "yes"}', 400), ("{}", 400),
            ('{"targets": ["a"], "timeout": "soon"}', 400), ('{"targets": ["a"], "timeout": "-1s"}', 400),
            ('{"targets": ["a"], "timeout": 5}', 400), ('{"targets": ["' + "a" * 5000 + '"]}', 400),
            (json.dumps({"targets": ["a"] * 5000}), 400), ('{"targets": ["nobody"]}', 404), ('{"targets": ["\\u0000"]}', 404),
            ('{"targets": ["a"], "parallel": 0}', 400), ('{"targets": ["a"], "parallel": -1}', 400),
            ('{"targets": ["a"], "parallel": 1e9}', 400), ('{"targets": ["a"], "targets": ["a"]}', 400),
        ]  # fmt: skip
        for body, expected in cases:
            with self.subTest(body[:60]):
                status, _, document = self.http("POST", "/v1/workers/restart", body)
                self.assertEqual((status, list(document)), (expected, ["error"]), document)
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx"):
            self.assertEqual(self.http("POST", "/v1/workers/restart", '{"targets":["a"]}', {"Content-Type": kind})[0], 415, kind)
        self.assertEqual(self.lives(), self.born)
        for kind in ("application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8"):
            self.assertEqual(self.http("POST", "/v1/workers/signal", '{"targets":["a"],"signal":"CONT"}', {"Content-Type": kind})[0], 200)
        self.end()

    def test_a_get_changes_nothing(self):
        self.begin()
        for path in ("/v1/workers/start", "/v1/workers/stop", "/v1/workers/restart", "/v1/workers/signal", "/v1/reload",
                     "/v1/shutdown", "/v1/programs/a/scale"):  # fmt: skip
            for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
                status, headers, _ = self.http(method, path)
                self.assertEqual((status, headers["Allow"]), (405, "POST"), (method, path))
        for path in ("/v1/status", "/v1/workers", "/v1/workers/a/0", "/v1/programs", "/healthz", "/readyz"):
            for method in ("POST", "PUT", "DELETE"):
                status, headers, _ = self.http(method, path)
                self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"), (method, path))
        self.assertEqual(self.lives(), self.born)
        self.end()

    def test_paths_that_lead_nowhere(self):
        self.begin()
        for path in ("/", "//", "/v1", "/v1/", "/v1//status", "/v1/status/", "//v1/status", "/v1/../v1/status", "/v1/workers/../status",
                     "/v1/%2e%2e/status", "/%2e%2e/%2e%2e/etc/passwd", "/../../etc/passwd", "/v1/workers/a/0%00", "/v1/workers/a%2F0",
                     "/v1/workers/a/0/", "/v1/workers/a/00", "/v1/workers/a/-0", "/v1/workers/*", "/V1/status", "/v1/workers/",
                     "/v1/programs/a", "/v1/programs//scale", "/v1/programs/a/b/scale", "/metrics/..", "/index.html"):  # fmt: skip
            status, _, document = self.http("GET", path)
            self.assertEqual((status, list(document)), (404, ["error"]), path)
        self.assertEqual(self.http("GET", "/healthz?x=/../y#z")[0], 200)
        self.assertEqual(self.http("GET", "/v1/status?x=/../y#z")[0], 400)
        self.end()


class WellFormed(FaultTest):
    def test_many_requests_of_one_connection(self):
        self.begin()
        connection = UnixConnection(self.socket)
        for _ in range(500):
            connection.request("GET", "/healthz")
            self.assertEqual(connection.getresponse().read(), b'{"ok":true}\n')
        connection.close()
        self.end()

    def test_requests_in_one_go_are_answered_in_order(self):
        self.begin()
        texts = [b"GET /healthz HTTP/1.1\r\nHost: c\r\n\r\n", GET_STATUS, b"HEAD /v1/status HTTP/1.1\r\nHost: c\r\n\r\n",
                 b"GET /v1/workers/a/1 HTTP/1.1\r\nHost: c\r\n\r\n",
                 b"GET /healthz HTTP/1.1\r\nHost: c\r\nConnection: close\r\n\r\n"]  # fmt: skip
        connection = raw_connection(self.socket)
        connection.sendall(b"".join(texts))
        reply = everything_from(connection)
        connection.close()
        self.assertEqual(reply.count(b"HTTP/1.1 200 OK"), 5, reply)
        order = [reply.index(b'{"ok":true}'), reply.index(b'{"supervisor":'), reply.index(b'{"worker":"a/1"'), reply.rindex(b'{"ok":true}')]
        self.assertEqual(order, sorted(order))
        self.end()

    def test_a_head_has_no_body(self):
        self.begin()
        status, headers, text = self.http("HEAD", "/v1/status")
        self.assertEqual((status, text), (200, ""))
        self.assertGreater(int(headers["Content-Length"]), 100)
        self.assertEqual((headers["Cache-Control"], headers["X-Content-Type-Options"]), ("no-store", "nosniff"))
        self.end()

    def test_http_1_0(self):
        self.begin()
        reply = self.raw(b"GET /healthz HTTP/1.0\r\n\r\n")  # And it closes.
        self.assertIn(b" 200 OK\r\n", reply)
        self.assertTrue(reply.endswith(b'\r\n\r\n{"ok":true}\n'), reply)
        self.end()

    def test_a_client_that_asks_before_it_sends_its_body(self):
        self.begin()
        connection = raw_connection(self.socket)
        body = b'{"targets":["a"],"signal":"CONT"}'
        connection.sendall(b"POST /v1/workers/signal HTTP/1.1\r\nHost: c\r\nContent-Type: application/json\r\nConnection: close\r\n"
                           b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))  # fmt: skip
        self.assertTrue(connection.recv(100).startswith(b"HTTP/1.1 100 "))
        connection.sendall(body)
        self.assertTrue(everything_from(connection).startswith(b"HTTP/1.1 200 "))
        connection.close()
        self.assertEqual(self.status_of(b"POST /v1/reload HTTP/1.1\r\nHost: c\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n"), 413)
        self.end()

    def test_a_chunked_body(self):
        self.begin()
        head = b"POST /v1/workers/signal HTTP/1.1\r\nHost: c\r\nContent-Type: application/json\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.assertEqual(self.status_of(head, b'11\r\n{"targets":["a"],\r\n', b'10\r\n"signal":"CONT"}\r\n0\r\n\r\n'), 200)
        self.end()

    def test_byte_by_byte(self):
        self.begin()
        text = b"GET /healthz HTTP/1.1\r\nHost: c\r\nConnection: close\r\n\r\n"
        self.assertEqual(self.status_of(*(text[at:at + 1] for at in range(len(text)))), 200)
        self.end()


if __name__ == "__main__":
    main()
