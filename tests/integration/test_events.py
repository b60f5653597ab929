"""What has happened and what happens: `corral events`, and the same over the socket."""

import json
import os
import signal
import socket
import urllib.parse

from control import ControlTest, everything_from, raw_connection
from harness import CEILING, await_that, main, program

FOLLOW = b"GET /v1/events HTTP/1.1\r\nHost: corral\r\nAccept: text/event-stream\r\n%s\r\n"


class Follower:
    """A reader of server-sent events over a raw connection: chunks are taken apart by the rules of RFC 9112."""

    def __init__(self, path, headers=b"", request=FOLLOW):
        self.connection = raw_connection(path)
        self.connection.sendall(request % headers)
        self.bytes = bytearray()
        self.events = []
        self.ids = []
        self.ended = False
        while b"\r\n\r\n" not in self.bytes:
            self.bytes += self.connection.recv(1 << 16)
        self.head, _, rest = bytes(self.bytes).partition(b"\r\n\r\n")
        self.bytes = bytearray(rest)
        self.text = b""
        self.take()

    def take(self):
        while b"\r\n" in self.bytes:
            size, _, rest = bytes(self.bytes).partition(b"\r\n")
            length = int(size, 16)
            if length == 0:
                self.ended = rest == b"\r\n"
                break
            if len(rest) < length + 2:
                break
            assert rest[length : length + 2] == b"\r\n"
            self.text += rest[:length]
            self.bytes = bytearray(rest[length + 2 :])
        while b"\n\n" in self.text:
            event, _, self.text = self.text.partition(b"\n\n")
            fields = dict(line.split(b": ", 1) for line in event.split(b"\n"))
            self.ids.append(int(fields[b"id"]) if b"id" in fields else None)
            self.events.append(json.loads(fields[b"data"]))

    def read_until(self, condition):
        while not condition(self.events):
            chunk = self.connection.recv(1 << 16)
            self.bytes += chunk
            self.take()
            if not chunk:
                raise AssertionError(f"ended with {self.events}")

    def read_to_the_end(self):
        self.bytes += everything_from(self.connection)
        self.take()

    def close(self):
        self.connection.close()


def named(events, name):
    return [event for event in events if event["event"] == name]


class History(ControlTest):
    def events(self, **query):
        target = "/v1/events" + ("?" + urllib.parse.urlencode(query, doseq=True) if query else "")
        status, headers, document = self.http("GET", target)
        self.assertEqual((status, headers.get_content_type()), (200, "application/json"), document)
        return document

    def test_what_has_happened(self):
        corral = self.run_controlled({"a": program("hang", workers=2, cores="shared"), "b": program("exit 3", restart="never")})
        self.await_listening(corral)
        corral.await_err("b/0 .*exited with status 3")
        corral.await_start("a/0")
        corral.await_start("a/1")
        all_of_them = self.events()
        self.assertEqual([event["seq"] for event in all_of_them["events"]], list(range(1, all_of_them["last"] + 1)))
        ended = named(all_of_them["events"], "worker_ended")
        self.assertEqual([(event["worker"], event["exit_status"]) for event in ended], [("b/0", 3)])
        self.assertIn(ended[0]["text"], corral.err)
        self.assertEqual({event["worker"] for event in self.events(worker="a")["events"]}, {"a/0", "a/1"})
        self.assertEqual({event["worker"] for event in self.events(worker=["a/1", "b"])["events"] if "worker" in event}, {"a/1", "b/0"})
        self.assertEqual(len(self.events(limit=1)["events"]), 1)
        self.assertEqual(self.events(limit=0)["events"], [])
        self.assertEqual([event["seq"] for event in self.events(after=2)["events"]], list(range(3, all_of_them["last"] + 1)))
        self.assertEqual(self.events(after=all_of_them["last"]), {"last": all_of_them["last"], "events": []})
        self.assertEqual({event["event"] for event in self.events(event="worker_started")["events"]}, {"worker_started"})
        for wrong, says in {"event=worker_endet": "did you mean 'worker_ended'", "workre=a": "did you mean 'worker'", "limit=-1": "whole number",
                            "limit=x": "whole number", "after=99999999999999999999": "whole number", "worker=%zz": "hexadecimal",
                            "follow=maybe": "true or false", "&".join(["worker=a"] * 101): "no more than 100"}.items():  # fmt: skip
            with self.subTest(wrong):
                status, _, document = self.http("GET", "/v1/events?" + wrong)
                self.assertEqual(status, 400, document)
                self.assertIn(says, document["error"])
        self.stop(corral, 1)

    def test_the_command_line(self):
        corral = self.run_controlled({"a": program("hang"), "b": program("exit 3", restart="never")})
        self.await_listening(corral)
        corral.await_err("b/0 .*exited with status 3")
        corral.await_start("a/0")
        text = self.ask_for("events").out
        self.assertRegex(text, r"(?m)^\d\d:\d\d:\d\d\.\d{3}  b/0 \(pid \d+\) exited with status 3")
        self.assertNotIn("a/0", self.ask_for("events", "b").out)
        self.assertEqual(len(self.ask_for("events", "-n", "1").out.splitlines()), 1)
        lines = [json.loads(line) for line in self.ask_for("events", "--json", "-n", "all").out.splitlines()]
        self.assertEqual([event["seq"] for event in lines], list(range(1, len(lines) + 1)))
        self.assertIn("did you mean 'worker_ended'", self.ask_for("events", "-e", "worker_end", status=2).err)
        self.stop(corral, 1)
        self.assertEqual(self.ask_for("events", status=3).out, "")

    def test_a_name_that_nobody_has_is_refused_unless_one_who_left_had_it(self):
        corral = self.run_controlled({"crunch": program("hang"), "web": program("hang")})
        self.await_listening(corral)
        corral.await_start("web/0")
        for words in (["crumch"], ["-f", "crumch/7"], ["web", "crumch"]):
            with self.subTest(words):
                done = self.ask_for("events", *words, status=2)
                self.assertRegex(done.err, "'crumch(/7)?' is no worker and no program of this configuration; did you mean 'crunch'?")
                self.assertEqual(done.out, "")
        self.ask_for("events", "web/7", status=2)
        self.reconfigure({"crunch": program("hang")})
        self.ask_for("reload")
        self.assertIn("web/0", self.ask_for("events", "web").out)
        self.assertIn("web/0", self.ask_for("events", "we*/0").out)
        self.stop(corral, 0)


class Following(ControlTest):
    def begin(self):
        self.corral = self.run_controlled({"a": program("hang", workers=2, cores="shared")})
        self.await_listening(self.corral)
        # Both have been told of before anyone follows: which of them was first is not corral's to promise.
        self.corral.await_start("a/0")
        self.corral.await_start("a/1")

    def kill(self, worker):
        pid = self.workers()[worker]["pid"]
        os.kill(pid, signal.SIGKILL)
        return pid

    def test_every_event_once_and_the_last_of_all(self):
        self.begin()
        follower = Follower(self.socket, b"Last-Event-ID: 0\r\n")
        self.assertIn(b"Content-Type: text/event-stream", follower.head)
        for count in range(1, 4):
            pid = self.kill("a/0")
            follower.read_until(lambda events: len(named(events, "worker_ended")) == count
                                and len(named(events, "worker_started")) == 2 + count)  # fmt: skip
            self.assertEqual(named(follower.events, "worker_ended")[-1]["pid"], pid)
        self.stop(self.corral)
        follower.read_to_the_end()
        self.assertTrue(follower.ended, "the last chunk says that nothing is missing")
        self.assertEqual(follower.events[-1]["event"], "finished")
        self.assertEqual(follower.ids, list(range(1, len(follower.ids) + 1)))
        self.assertEqual([event["seq"] for event in follower.events], follower.ids)
        follower.close()

    def test_a_reader_of_the_old_protocol(self):
        self.begin()
        connection = raw_connection(self.socket)
        connection.sendall(b"GET /v1/events?follow=true&after=0 HTTP/1.0\r\n\r\n")
        begun = connection.recv(1 << 16)  # Who is heard before the stop, not who stands in the queue while it begins.
        self.stop(self.corral)
        text = begun + everything_from(connection)
        head, _, body = text.partition(b"\r\n\r\n")
        self.assertNotIn(b"chunked", head)
        self.assertTrue(body.startswith(b"id: 1\ndata: {"), body[:100])
        self.assertIn(b'"event":"finished"', body)
        connection.close()

    def test_from_now_on_and_again(self):
        self.begin()
        follower = Follower(self.socket)
        self.kill("a/1")
        follower.read_until(lambda events: named(events, "worker_started"))
        self.assertEqual([event["event"] for event in follower.events], ["worker_ended", "worker_started"])
        seen = follower.ids[0]
        follower.close()
        again = Follower(self.socket, b"Last-Event-ID: %d\r\n" % seen)
        again.read_until(lambda events: events)
        self.assertEqual(again.ids[0], seen + 1)
        again.close()
        self.assertEqual(self.http("GET", "/v1/events", headers={"Accept": "text/event-stream", "Last-Event-ID": "x"})[0], 400)
        self.assertEqual(self.http("HEAD", "/v1/events", headers={"Accept": "text/event-stream"})[0], 200)
        self.stop(self.corral)

    def test_the_command_line_follows_to_the_end(self):
        self.begin()
        process = self.begin_asking("events", "-f", "--json", "-n", "1", "a/0")
        text = self.follow_a_death(process, "a/0")
        self.corral.signal(signal.SIGTERM)
        out, err = process.communicate(timeout=CEILING)
        self.assertEqual((process.returncode, err), (0, ""))
        events = [json.loads(line) for line in (text + out).splitlines()]
        self.assertEqual({event["worker"] for event in events}, {"a/0"})
        self.assertEqual(events[-1]["event"], "worker_ended")
        self.finish(self.corral, 0)

    def follow_a_death(self, process, worker):
        """Once the first lines are there a worker is killed, and what is said up to its death is returned: now it follows."""
        text = process.stdout.readline()
        self.kill(worker)
        while "signal 9" not in text:
            line = process.stdout.readline()
            self.assertTrue(line, text)
            text += line
        return text

    def test_a_supervisor_that_is_killed_is_no_good_end(self):
        self.begin()
        process = self.begin_asking("events", "-f")
        self.follow_a_death(process, "a/0")
        self.kill_and_reap()
        _, err = process.communicate(timeout=CEILING)
        self.assertEqual(process.returncode, 3)
        self.assertIn("in the middle", err)

    def kill_and_reap(self):
        self.corral.signal(signal.SIGKILL)
        self.corral.wait()

    def test_nobody_who_reads_ends_it(self):
        self.begin()
        process = self.begin_asking("events", "-f")
        self.follow_a_death(process, "a/0")
        process.stdout.close()
        self.assertEqual(process.wait(CEILING), 0)
        self.stop(self.corral)

    def test_who_does_not_read_is_told_what_he_missed_or_dropped(self):
        """Row 67: a stalled client costs a bounded queue and nothing else."""
        crash = program("exit 1", restart={"when": "always", "delay": "0s", "limit": None}, workers=2, cores="shared")
        self.corral = self.run_controlled({"a": program("hang"), "b": crash}, "--quiet")
        self.await_listening(self.corral)
        # As many as there may be, none of which reads; their buffers are as small as the kernel has them.
        stalled = []
        for _ in range(64):
            connection = socket.socket(socket.AF_UNIX)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            connection.settimeout(CEILING)
            connection.connect(self.socket)
            connection.sendall(FOLLOW % b"")
            stalled.append(connection)
        await_that("all places are taken", lambda: self.follow_status() == 503)
        before = self.restarts()
        await_that("restarts go on", lambda: self.restarts() > before + 500)
        self.assertEqual(self.workers()["a/0"]["state"], "running")
        # Who does not read for ten seconds is dropped, and his place is free.
        await_that("a place is free again", lambda: self.follow_status() == 200)
        for connection in stalled:
            connection.close()
        self.stop(self.corral)

    def restarts(self):
        return sum(worker["restarts"] for worker in self.workers().values())

    def follow_status(self):
        connection = raw_connection(self.socket)
        try:
            connection.sendall(FOLLOW % b"")
            return int(connection.recv(1 << 12).split()[1])
        finally:
            connection.close()

    def test_clients_that_leave_leave_nothing(self):
        self.begin()
        count = lambda: len(os.listdir(f"/proc/{self.corral.pid}/fd"))  # noqa: E731
        self.follow_status()
        await_that("quiet", lambda: self.follow_status() == 200)
        before = count()
        for _ in range(100):  # More than may follow at a time.
            self.assertEqual(self.follow_status(), 200)
            self.workers()  # Whoever has left is known to have.
        await_that(lambda: f"{count()} descriptors, before {before}", lambda: count() <= before)
        self.stop(self.corral)


if __name__ == "__main__":
    main()
