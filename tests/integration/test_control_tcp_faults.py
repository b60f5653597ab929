"""The control API over TCP: crowds, ports and token files that cannot be used, and what a configuration may say of it."""

import json
import os
import re
import select
import signal
import socket

from control import GET_STATUS, everything_from, raw_connection
from harness import as_root, await_that, main, program
from tcp_control import TcpTest


class Crowds(TcpTest):
    def crowd(self, count, first=b""):
        many = []
        for _ in range(count):
            try:
                one = self.connection()
                many.append(one)
                one.sendall(first)
            except OSError:
                pass  # Turned away.
        return many

    def test_strangers_take_no_place_from_the_socket(self):
        self.begin()
        slow = raw_connection(self.socket)
        slow.sendall(GET_STATUS[:-2])
        self.workers()  # It was seen.
        many = []
        for first in (b"", b"GET /v1/st", self.letter(Authorization=None)[:-2]):
            many += self.crowd(400, first)
            self.workers()
            self.assertEqual(self.status_by_tcp(), 200)
        slow.sendall(b"\r\n")
        self.assertTrue(slow.recv(100).startswith(b"HTTP/1.1 200 "))
        slow.close()
        for one in many:
            one.close()
        self.end()

    def test_those_that_come_by_the_socket_take_the_places_of_strangers(self):
        self.begin()
        many = self.crowd(256)
        for _ in range(20):
            self.workers()
        self.restart_works()
        for one in many:
            one.close()
        self.end()

    def test_one_that_has_said_all_is_answered(self):
        self.begin()
        connection = self.connection()
        connection.sendall(self.letter())
        connection.shutdown(socket.SHUT_WR)
        self.assertTrue(everything_from(connection).startswith(b"HTTP/1.1 200 "))
        connection.close()
        self.end()

    def test_a_hundred_that_leave(self):
        self.corral = self.run_controlled({"a": program("slow-stop 3600000", stop={"grace": "1h"}), "b": "hang"})
        self.await_listening(self.corral)
        self.await_tcp()
        self.corral.await_out("ready")
        stop = self.letter("POST", "/v1/workers/stop", json.dumps({"targets": ["a"]}).encode())
        restart = self.letter("POST", "/v1/workers/restart", json.dumps({"targets": ["b"]}).encode())
        self.assertEqual(self.say(restart)[0], 200)
        self.workers()  # One turn later: what is made at the end of the start is there.
        self.before = self.quiet()
        many = self.crowd(100, stop)
        self.corral.await_out("cleaning")
        await_that("no room", lambda: len(select.select(many, [], [], 0)[0]) == 100 - 64)
        self.assertEqual(self.say(restart)[0], 503)
        for one in many:
            one.close()
        await_that("there is room", lambda: self.say(restart)[0] == 200)
        self.nothing_leaks()
        os.kill(self.workers()["a/0"]["pid"], signal.SIGKILL)
        await_that("it is down", lambda: self.workers()["a/0"]["state"] == "stopped")
        self.stop(self.corral, None)


class Refused(TcpTest):
    """It runs on without the port, and says why in one line."""

    def runs_without(self, why):
        self.corral = self.run_controlled({"a": "hang"})
        self.await_listening(self.corral)
        self.corral.await_err(why + r".*; there is no control API over TCP")
        self.assertEqual(self.corral.err.count("no control API over TCP"), 1)
        self.assertEqual(list(self.workers()), ["a/0"])
        self.stop(self.corral, 0)

    def test_a_port_that_another_one_has(self):
        with socket.socket() as other:
            other.bind(("127.0.0.1", self.port))
            other.listen()
            self.runs_without(rf"cannot listen at 127\.0\.0\.1:{self.port}: Address already in use")

    def test_a_port_that_another_supervisor_has(self):
        self.begin()
        control = {"socket": self.path("second.sock"), "listen": self.authority, "token_file": self.token_file}
        other = self.start("run", self.write("other.json", {"programs": {"x": {"command": ["sleep", "1000"]}}, "control": control}))
        other.await_start("x/0")
        other.await_err("Address already in use; there is no control API over TCP")
        self.assertEqual(self.status_by_tcp(), 200)
        other.signal(signal.SIGTERM)
        self.assertEqual(other.wait(), 0, other.err)
        self.assertEqual(self.status_by_tcp(), 200)
        self.end()

    def test_a_token_that_others_can_read(self):
        secret = "s" * 64
        for mode in (0o640, 0o604, 0o660, 0o666, 0o602):
            with self.subTest(oct(mode)):
                self.write("token", secret + "\n")
                os.chmod(self.token_file, mode)
                self.runs_without("is open to others; close it with: chmod 600")
                self.assertNotIn(secret, self.corral.err)
                self.assertEqual(os.stat(self.token_file).st_mode & 0o777, mode)

    def test_a_file_that_holds_no_token(self):
        for text in ("", "\n", "short\n", "x" * 31, "two lines of text, and more of it\n", "a" * 40 + "\nb", "ü" * 40, "x" * 600, "a" * 40 + "\0"):
            with self.subTest(text[:20]):
                self.write("token", text)
                os.chmod(self.token_file, 0o600)
                self.runs_without("holds no token")

    def test_what_is_no_file(self):
        os.mkdir(self.token_file, 0o700)
        self.runs_without("is no plain file")
        os.rmdir(self.token_file)
        os.mkfifo(self.token_file, 0o600)
        self.runs_without("is no plain file")  # And is not waited for.
        os.unlink(self.token_file)
        self.write("elsewhere", "s" * 64)
        os.chmod(self.path("elsewhere"), 0o600)
        os.symlink(self.path("elsewhere"), self.token_file)
        self.runs_without("is a symbolic link")
        os.unlink(self.token_file)
        os.symlink(self.path("nothing"), self.token_file)
        self.runs_without("is a symbolic link")
        self.assertFalse(os.path.lexists(self.path("nothing")))

    def test_a_folder_that_is_not_there(self):
        self.token_file = self.path("nowhere/token")
        self.runs_without("cannot make the token file '.*nowhere/token': No such file or directory")

    @as_root
    def test_a_token_of_another_user(self):
        self.write("token", "s" * 64)
        os.chmod(self.token_file, 0o600)
        os.chown(self.token_file, 65534, 65534)
        self.runs_without("belongs to user 65534")

    def test_a_token_of_ones_own(self):
        self.write("token", "my-own_token.of/enough=characters+~")
        os.chmod(self.token_file, 0o600)
        self.begin()
        self.assertEqual(self.status_by_tcp(), 200)
        self.end()


class Configuration(TcpTest):
    def test_what_is_refused(self):
        cases = [({"listen": "127.0.0.1:8080"}, "`listen` needs `token_file`"),
                 ({"listen": "0.0.0.0:8080", "token_file": "t"}, "expected a loopback address .* only this machine may reach it"),
                 ({"listen": "localhost:8080", "token_file": "t"}, r"write it as a number: 127\.0\.0\.1"),
                 ({"listen": "127.0.0.1:0", "token_file": "t"}, "expected a loopback address"),
                 ({"listen": "127.0.0.1:65536", "token_file": "t"}, "a port at most 65535"),
                 ({"listen": 8080, "token_file": "t"}, "expected a loopback address"),
                 ({"listen": "[::]:8080", "token_file": "t"}, "expected a loopback address")]  # fmt: skip
        for control, why in cases:
            with self.subTest(control):
                corral = self.run_config({"a": "hang"}, top={"control": control})
                self.assertEqual(corral.wait(), 2)
                self.assertTrue(re.search(why, corral.err, re.S), corral.err)

    def test_a_reload_changes_nothing_about_it(self):
        self.begin()
        self.configure({"a": program("hang", workers=2, cores="shared")}, {"control": {"socket": self.socket}})
        self.ask_for("reload")
        self.corral.await_err("`control` has changed in the configuration; a reload changes nothing about it")
        self.assertEqual(self.status_by_tcp(), 200)
        self.assertEqual(self.lives(), self.born)
        self.end()


if __name__ == "__main__":
    main()
