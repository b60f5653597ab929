"""The control API over TCP: who is let in, and who is not."""

import json
import os
import socket

from harness import main
from tcp_control import TcpTest, free_port


class Entrance(TcpTest):
    def test_a_token_is_made_and_lets_in(self):
        self.begin()
        info = os.stat(self.token_file)
        self.assertEqual((info.st_mode & 0o7777, info.st_uid), (0o600, os.geteuid()))
        self.assertRegex(self.secret, r"\A[0-9a-f]{64}\Z")
        self.assertEqual([name for name in os.listdir(self.folder) if name.startswith("token")], ["token"])
        status, headers, body = self.say(self.letter())
        self.assertEqual((status, headers["Content-Type"]), (200, "application/json"))
        self.assertEqual(sorted(worker["worker"] for worker in json.loads(body)["workers"]), ["a/0", "a/1"])
        self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
        self.assertEqual([name for name in headers if name.lower().startswith("access-control")], [])
        target = json.dumps({"targets": ["a/0"]}).encode()
        self.assertEqual(json.loads(self.say(self.letter("POST", "/v1/workers/restart", target))[2])["result"], "done")
        self.assertNotIn(self.secret, body + self.http("GET", "/v1/status")[1].as_string() + self.http("GET", "/metrics")[2])
        self.nobody_knows(self.secret)
        self.end()

    def test_the_same_token_lets_in_the_next_time(self):
        self.begin()
        before = self.secret
        self.end()
        self.begin()  # At once, and at the same port.
        self.assertEqual(self.secret, before)
        self.assertEqual(self.status_by_tcp(), 200)
        self.end()

    def test_only_this_machine_reaches_it(self):
        self.begin()
        listening = []
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            if os.path.exists(table):
                with open(table) as file:
                    rows = [line.split() for line in file.readlines()[1:]]
                listening += [row[1] for row in rows if row[3] == "0A" and row[1].endswith(f":{self.port:04X}")]
        self.assertEqual(listening, [f"0100007F:{self.port:04X}"])
        self.end()

    def test_off_unless_it_is_asked_for(self):
        self.corral = self.run_config({"a": "hang"}, top={"control": {"socket": self.socket, "token_file": self.token_file}})
        self.await_listening(self.corral)
        self.workers()
        self.assertRaises(ConnectionRefusedError, self.connection)
        self.assertFalse(os.path.exists(self.token_file))
        self.stop(self.corral, 0)

    def test_the_other_loopback(self):
        try:
            self.port = free_port(socket.AF_INET6, "::1")
        except OSError:
            self.skipTest("no IPv6 here")
        self.host = "::1"
        self.begin()
        self.assertEqual(self.status_by_tcp(), 200)
        self.assertEqual(self.status_by_tcp(Host=f"127.0.0.1:{self.port}"), 403)
        self.end()

    def test_the_socket_is_as_it_was(self):
        self.begin()
        self.assertEqual(self.http("GET", "/v1/status", headers={"Host": "evil.example", "Origin": "null"})[0], 200)
        self.assertIn("running", self.ask_for("status").out)
        self.end()


class Strangers(TcpTest):
    """None of it changes anything."""

    def all_are(self, expected, cases):
        stop = json.dumps({"targets": ["a"]}).encode()
        for headers in cases:
            for request in (("GET", "/v1/status"), ("HEAD", "/v1/status"), ("POST", "/v1/workers/stop", stop), ("OPTIONS", "/v1/workers/stop"),
                            ("GET", "/metrics"), ("GET", "/healthz"), ("GET", "/nowhere")):  # fmt: skip
                with self.subTest(headers=headers, request=request):
                    status, answered, body = self.say(self.letter(*request, **headers))
                    self.assertEqual(status, expected)
                    self.assertNotIn(self.secret, body + answered.as_string())
                    self.assertEqual(answered["WWW-Authenticate"], "Bearer" if expected == 401 else None)
                    self.assertEqual([name for name in answered if name.lower().startswith("access-control")], [])
        self.assertEqual(self.lives(), self.born)
        self.assertEqual({worker["state"] for worker in self.workers().values()}, {"running"})

    def test_without_the_token(self):
        self.begin()
        secret = self.secret
        wrong = secret[:-1] + ("0" if secret[-1] != "0" else "1")
        self.all_are(401, [{"Authorization": value} for value in
                           (None, "", secret, "Bearer", "Bearer ", f"Bearer {wrong}", f"Bearer {secret[1:]}", f"Bearer {secret}0",
                            f"Bearer {secret.upper()}x", f"Basic {secret}", [f"Bearer {secret}", f"Bearer {secret}"])])  # fmt: skip
        self.assertEqual(self.say(self.letter("GET", f"/v1/status?token={secret}", Authorization=None))[0], 401)
        self.corral.await_err("a client without the token was refused at 127.0.0.1")
        self.workers()
        self.assertEqual(self.corral.err.count("was refused"), 1)  # Once, however many there are.
        self.nobody_knows(secret)
        self.end()

    def test_by_another_name(self):
        """DNS rebinding: the name of a page's own server, which now leads here. It has no token, and does not get that far."""
        self.begin()
        hosts = ["evil.example", f"evil.example:{self.port}", "127.0.0.1", "localhost", f"127.0.0.2:{self.port}", "127.0.0.1:1",
                 f"localhost.:{self.port}", f"[::1]:{self.port}", f"{self.authority}.evil.example", ""]  # fmt: skip
        self.all_are(403, [{"Host": host} for host in hosts] + [{"Host": "evil.example", "Authorization": None}])
        self.assertEqual(self.status_by_tcp(Host=[self.authority, self.authority]), 403)
        self.assertEqual(self.status_by_tcp(Host=None), 403)
        self.assertEqual(self.say(self.letter(Host=None).replace(b"HTTP/1.1", b"HTTP/1.0"))[0], 403)
        self.assertEqual(self.status_by_tcp(Host=f"localhost:{self.port}"), 200)
        self.corral.await_err("asked for another Host was refused")
        self.end()

    def test_a_page_of_another_origin(self):
        self.begin()
        self.all_are(403, [{"Origin": origin} for origin in
                           ("null", "http://evil.example", f"https://{self.authority}", "http://127.0.0.1", f"http://localhost:{self.port}",
                            f"http://{self.authority}.evil.example", [f"http://{self.authority}"] * 2)])  # fmt: skip
        self.assertEqual(self.status_by_tcp(Origin=f"http://{self.authority}"), 200)
        self.corral.await_err("a page of another origin was refused")
        self.end()

    def test_a_form_of_a_page_is_no_command(self):
        self.begin()
        body = b'{"targets":["a"]}'
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None):
            self.assertEqual(self.status_by_tcp("POST", "/v1/workers/stop", body, Content_Type=kind), 415)
        self.assertEqual(self.status_by_tcp("GET", "/v1/workers/stop"), 405)
        self.assertEqual(self.lives(), self.born)
        self.end()

    def test_no_body_of_a_stranger_is_read(self):
        self.begin()
        for extra in ({}, {"Expect": "100-continue"}):
            head = self.letter("POST", "/v1/workers/stop", Authorization=None, Content_Length="1000000",
                               Content_Type="application/json", **extra)  # fmt: skip
            self.assertEqual(self.say(head)[0], 401)  # Without a byte of it, and without being told to go on.
        self.assertEqual(self.status_by_tcp("POST", "/v1/workers/stop", b" " * (1 << 21)), 413)
        self.assertEqual(self.status_by_tcp(X="x" * 9000), 431)
        self.assertEqual(self.say(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xff" * 200 + b"\r\n\r\n")[0], 400)
        self.end()


if __name__ == "__main__":
    main()
