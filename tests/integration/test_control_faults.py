"""Clients of the control API that are too many, slow, half gone or somebody else; and who gets its socket."""

import json
import os
import select
import signal
import socket
import subprocess
import unittest

from control import GET_STATUS, FaultTest, everything_from, raw_connection
from harness import CEILING, as_root, await_that, exists, main, program


class Crowds(FaultTest):
    def open_many(self, count, first=b""):
        """As many as get in: it may turn some away."""
        crowd = []
        for _ in range(count):
            one = socket.socket(socket.AF_UNIX)
            one.settimeout(CEILING)
            try:
                one.connect(self.socket)
                if first:
                    one.send(first)
            except OSError:
                pass  # Turned away.
            crowd.append(one)
        return crowd

    def test_half_requests_under_few_descriptors(self):
        self.begin("prlimit", "--nofile=256:256")
        crowd = self.open_many(400, b"GET /v1/status HTTP/1.1\r\nHo")
        self.workers()
        self.assertIn("running", self.ask_for("status").out)
        self.restart_works()
        for one in crowd:
            one.close()
        self.workers()
        self.end()

    def test_thousands_that_come_and_say_nothing(self):
        self.begin()
        crowd = []
        for _ in range(20):
            crowd += self.open_many(100)
            self.workers()
        self.restart_works()
        self.assertIn("running", self.ask_for("status").out)
        for one in crowd:
            one.close()
        self.end()

    def test_thousands_that_come_and_go(self):
        self.begin()
        for _ in range(20):
            for one in self.open_many(250, GET_STATUS):
                one.close()
            self.workers()
        self.restart_works()
        self.end()

    def test_crowds_that_never_read(self):
        """More replies than the socket holds, and nobody takes them."""
        self.begin()
        crowd = self.open_many(400, GET_STATUS * 2000)
        self.workers()
        self.restart_works()
        self.assertIn("running", self.ask_for("status").out)
        for one in crowd:
            one.close()
        self.end()

    def test_a_crowd_that_behaves_is_answered_to_the_last(self):
        self.begin()
        crowd = self.open_many(700, b"GET /v1/status HTTP/1.1\r\nHost: c\r\nConnection: close\r\n\r\n")
        for one in crowd:
            one.settimeout(CEILING)
            self.assertTrue(one.recv(4096).startswith(b"HTTP/1.1 200 OK"))
            one.close()
        self.end()

    def test_one_that_never_reads_is_dropped(self):
        self.begin()
        one = raw_connection(self.socket)
        one.setblocking(False)
        try:
            while True:  # Until it takes no more.
                one.send(GET_STATUS * 100)
        except OSError:
            pass
        self.nothing_leaks()  # Dropped, after its time, with what it had asked for.
        one.close()
        self.end()

    def test_many_wait_for_one_command_that_takes_long(self):
        self.corral = self.run_controlled({"a": program("slow-stop 3600000", stop={"grace": "1h"}), "b": "hang"})
        self.await_listening(self.corral)
        self.corral.await_out("ready")
        self.before = self.quiet()
        body = json.dumps({"targets": ["a"]}).encode()
        stop = b"POST /v1/workers/stop HTTP/1.1\r\nHost: c\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
        crowd = self.open_many(300, stop % (len(body), body))
        self.corral.await_out("cleaning")
        self.assertEqual(self.workers()["a/0"]["state"], "stopping")
        replies = [one for one in crowd if select.select([one], [], [], 0)[0]]
        self.assertTrue(any(b"too many commands" in one.recv(4096) for one in replies))
        os.kill(self.workers()["a/0"]["pid"], signal.SIGKILL)
        await_that("it is down", lambda: self.workers()["a/0"]["state"] == "stopped")
        for one in crowd:
            one.close()
        self.ask_for("restart", "b")  # There is room again.
        self.nothing_leaks()
        self.stop(self.corral, None)


class Halves(FaultTest):
    def test_one_that_has_said_all_is_answered(self):
        self.begin()
        connection = raw_connection(self.socket)
        connection.sendall(GET_STATUS)
        connection.shutdown(socket.SHUT_WR)
        reply = everything_from(connection)
        self.assertTrue(reply.startswith(b"HTTP/1.1 200 "), reply[:100])
        connection.close()
        self.end()

    def test_those_that_vanish(self):
        self.begin()
        body = b'{"targets":["a"]}'
        post = b"POST /v1/workers/restart HTTP/1.1\r\nHost: c\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n"
        for text in (b"", b"G", b"GET /v1/status HTTP/1.1\r\n", GET_STATUS, GET_STATUS * 50, post, post + body[:5], post + body):
            for how in (socket.SHUT_WR, socket.SHUT_RDWR, None):
                connection = raw_connection(self.socket)
                connection.sendall(text)
                if how is not None:
                    connection.shutdown(how)
                connection.close()
        await_that("all is well", lambda: all(worker["state"] == "running" for worker in self.workers().values()))
        self.end()


class Owners(FaultTest):
    def test_only_its_owner_can_open_it(self):
        self.begin()
        info = os.stat(self.socket)
        self.assertEqual((info.st_mode & 0o777, info.st_uid), (0o600, os.geteuid()))
        self.end()

    @as_root
    def test_another_user_is_refused_and_told_of(self):
        self.begin()
        os.chmod(self.socket, 0o666)
        os.chmod(self.folder, 0o755)
        for request in ("GET /v1/status HTTP/1.1", "POST /v1/shutdown HTTP/1.1"):
            code = ("import socket,sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
                    "try: s.sendall(sys.argv[2].encode() + b'\\r\\nHost: c\\r\\n\\r\\n')\n"
                    "except OSError: pass\n"
                    "data = b''\n"
                    "try:\n"
                    "  while part := s.recv(4096): data += part\n"
                    "except OSError: pass\n"
                    "sys.stdout.buffer.write(data)")  # fmt: skip
            ids = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            done = subprocess.run([*ids, "/usr/bin/python3", "-c", code, self.socket, request], capture_output=True, timeout=CEILING)
            head, _, body = done.stdout.partition(b"\r\n\r\n")
            self.assertTrue(head.startswith(b"HTTP/1.1 403 "), done)
            self.assertIn("belongs to another user", json.loads(body)["error"])
        self.corral.await_err("user 65534 was refused at the control socket")
        self.assertEqual(self.corral.err.count("was refused"), 1)
        self.restart_works()
        self.end()

    @as_root
    def test_a_listener_of_another_user_is_told_nothing(self):
        os.chmod(self.folder, 0o777)
        code = ("import os, socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); os.chmod(sys.argv[1], 0o666); s.listen()\n"
                "print('listens', flush=True); c, _ = s.accept(); print(c.recv(9), flush=True)")  # fmt: skip
        other = subprocess.Popen(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c", code, self.socket],
                                 stdout=subprocess.PIPE)  # fmt: skip
        self.addCleanup(other.stdout.close)
        self.assertEqual(other.stdout.readline(), b"listens\n")
        said = self.ask_for("status", wrapper=["setpriv", "--reuid=65533", "--regid=65533", "--clear-groups"], status=3).err
        self.assertIn("a process of user 65534 listens, which is neither you nor root", said)
        self.assertEqual(other.stdout.readline(), b"b''\n")  # Not a word of the request.
        self.assertEqual(other.wait(), 0)

    @as_root
    def test_one_in_a_pid_namespace_of_its_own_is_known_by_the_number_it_noted(self):
        corral = self.run_config({"a": program("hang")}, wrapper=["unshare", "--pid", "--fork", "--kill-child"])
        whose = ["--config", self.path("corral.json")]
        await_that("it answers", lambda: self.ask_for("status", whose=whose, status=None).status == 0)
        self.assertEqual(self.ask_for("status", "--json", whose=whose).json["supervisor"]["pid"], 1)
        self.ask_for("shutdown", whose=whose)
        self.finish(corral, 0)

    @as_root
    def test_locks_in_a_folder_that_others_can_write_to_count_for_nothing(self):
        runtime = self.path("runtime")
        os.chmod(self.folder, 0o755)
        os.mkdir(runtime, 0o700)
        os.chown(runtime, 65534, 65534)
        user = ["env", f"XDG_RUNTIME_DIR={runtime}", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        corral = self.run_config({"a": program("hang")}, wrapper=user)
        path = self.path("corral.json")
        await_that("it is listed", lambda: path in self.ask_for("status", "--all", whose=[], wrapper=user).out)
        self.assertIn("a/0", self.ask_for("status", whose=["--config", path], wrapper=user).out)
        for mode, owner in ((0o770, 65534), (0o707, 65534), (0o755, 65533)):
            os.chown(runtime + "/corral", owner, 65534)
            os.chmod(runtime + "/corral", mode)
            self.assertEqual(self.ask_for("status", "--all", whose=[], wrapper=user).out, "no supervisor of yours runs\n")
            self.assertIn("no supervisor of yours runs", self.ask_for("status", whose=["--config", path], wrapper=user, status=3).err)
        os.chown(runtime + "/corral", 65534, 65534)
        os.chmod(runtime + "/corral", 0o700)
        self.assertIn("a/0", self.ask_for("status", whose=["--config", path], wrapper=user).out)
        self.stop(corral, 0)

    def test_a_second_one_at_the_same_socket_runs_without(self):
        self.begin()
        other = self.write("other.json", {"programs": {"x": {"command": ["sleep", "1000"]}}, "control": {"socket": self.socket}})
        second = self.start("run", other)
        second.await_start("x/0")
        second.await_err(f"process {self.corral.pid} listens at .*do not reach this supervisor")
        self.assertEqual(sorted(self.workers()), ["a/0", "a/1"])
        self.stop_beside(second)
        self.assertEqual(sorted(self.workers()), ["a/0", "a/1"])  # Its end has not removed the other's file.
        self.end()

    def test_a_second_one_of_the_same_configuration_names_the_owner(self):
        self.begin()
        second = self.start("run", self.path("corral.json"))
        self.assertEqual(second.wait(), 2)
        self.assertIn(str(self.corral.pid), second.err)
        self.assertEqual(sorted(self.workers()), ["a/0", "a/1"])
        self.end()

    def test_a_stale_socket_is_replaced(self):
        self.begin()
        self.corral.process.kill()
        self.corral.wait()
        await_that("its workers are gone", lambda: not any(exists(pid) for pid in self.corral.pids("a/0")))
        self.assertTrue(os.path.exists(self.socket))
        self.assertIn("no supervisor answers", self.ask_for("status", status=3).err)
        self.begin()
        self.assertNotIn("degraded", self.corral.err)
        self.assertNotIn("do not reach", self.corral.err)
        self.end()
        self.assertFalse(os.path.exists(self.socket))

    def test_many_that_start_at_once_beside_a_stale_socket(self):
        self.begin()
        self.corral.process.kill()
        self.corral.wait()
        names = [f"other-{number}.json" for number in range(6)]
        for name in names:
            self.write(name, {"programs": {"x": {"command": ["sleep", "1000"]}}, "control": {"socket": self.socket}})
        many = [self.start("run", self.path(name)) for name in names]
        for one in many:
            one.await_start("x/0")
        owner = await_that("one of them listens", self.owner)
        for one in many:
            if one.pid != owner:
                one.await_err("do not reach this supervisor")
        for one in many:
            if one.pid != owner:
                self.stop_beside(one)
        self.assertEqual(self.owner(), owner)
        for one in many:
            if one.pid == owner:
                self.stop(one, 0)

    def stop_beside(self, corral):
        """While another one of this test runs."""
        corral.signal(signal.SIGTERM)
        self.assertEqual(corral.wait(), 0, corral.err)

    def owner(self):
        try:
            return self.http("GET", "/v1/status")[2]["supervisor"]["pid"]
        except OSError:
            return None


@unittest.skipUnless(os.geteuid() == 0, "needs root")
class ReadOnly(FaultTest):
    def test_no_place_for_a_socket_is_said_in_one_line(self):
        path = self.configure({"a": "line up + hang"})
        wrapper = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o ro,size=16k none /run && exec "$@"', "sh"]
        if subprocess.run([*wrapper, "true"], capture_output=True, timeout=CEILING).returncode != 0:
            self.skipTest("no mount namespace here")
        corral = self.start("run", path, wrapper=wrapper)
        corral.await_out("up")
        corral.await_err("do not reach this supervisor")
        self.stop(corral, 0)
        self.assertEqual(len([line for line in corral.err.splitlines() if "/run" in line]), 1, corral.err)
        self.assertRegex(corral.err, "might not be noticed, and corral status and its like do not reach this supervisor")


if __name__ == "__main__":
    main()
