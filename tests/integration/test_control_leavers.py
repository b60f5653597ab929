"""Clients of the control API that leave, or lose their patience, while they wait for an answer."""

import json
import os
import select
import signal
import socket

from control import GET_STATUS, FaultTest, everything_from, raw_connection
from harness import await_that, main, program


def post(target, document):
    body = json.dumps(document).encode()
    head = f"POST {target} HTTP/1.1\r\nHost: c\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Leavers(FaultTest):
    """Nobody can be kept waiting by those who have left."""

    def begin_slow(self):
        """`a` does not end until it is killed, and is being stopped."""
        self.corral = self.run_controlled({"a": program("slow-stop 3600000", stop={"grace": "1h"}), "b": "hang"})
        self.await_listening(self.corral)
        self.corral.await_out("ready")
        self.ask_for("stop", "a", "--no-wait")
        self.corral.await_out("cleaning")
        self.restart_b()
        self.workers()  # One turn later: what is made at the end of the start is there.
        self.before = self.quiet()

    def restart_b(self):
        return self.http("POST", "/v1/workers/restart", {"targets": ["b"]})[0] == 200

    def end_slow(self):
        os.kill(self.workers()["a/0"]["pid"], signal.SIGKILL)
        await_that("it is down", lambda: self.workers()["a/0"]["state"] == "stopped")
        self.nothing_leaks()
        self.stop(self.corral, None)

    def test_a_hundred_that_leave(self):
        self.begin_slow()
        stop = post("/v1/workers/stop", {"targets": ["a"]})
        for said, how in ((stop, None), (stop, socket.SHUT_RDWR), (stop + stop, None), (stop + GET_STATUS * 500, None)):
            crowd = [raw_connection(self.socket) for _ in range(100)]
            for one in crowd:
                one.sendall(said)
            # All 64 places are taken: the others are told so. (Who looked by a command of his own could take the last one.)
            await_that("no room", lambda: len(select.select(crowd, [], [], 0)[0]) >= 100 - 64)
            for one in crowd:
                if how is not None:
                    one.shutdown(how)
                one.close()
            await_that("there is room", self.restart_b)
            self.nothing_leaks()
        self.assertEqual(self.workers()["a/0"]["state"], "stopping")  # What they have asked for goes on.
        self.end_slow()

    def test_a_hundred_that_lose_their_patience(self):
        self.begin_slow()
        for _ in range(100):
            status, _, document = self.http("POST", "/v1/workers/stop", {"targets": ["a"], "timeout": "1ms"})
            self.assertEqual(status, 504, document)
        self.assertTrue(self.restart_b())
        self.assertEqual(self.workers()["a/0"]["state"], "stopping")
        self.end_slow()

    def test_who_follows_leaves_room_for_others(self):
        """Few descriptors make few places, and whoever follows keeps his."""
        self.begin("prlimit", "--nofile=256:256")
        crowd = []
        for _ in range(70):  # Each asks before the next comes: whoever has not is let go where all places are taken.
            crowd.append(raw_connection(self.socket))
            crowd[-1].sendall(b"GET /v1/events?follow=true HTTP/1.1\r\nHost: c\r\n\r\n")
        heads = [one.recv(12) for one in crowd]
        self.assertEqual([heads.count(b"HTTP/1.1 200"), heads.count(b"HTTP/1.1 503")], [32, 38])
        self.assertIn("running", self.ask_for("status").out)
        for one in crowd:
            one.close()
        self.end()

    def test_one_that_has_said_all_is_answered_when_it_is_true(self):
        self.begin_slow()
        one = raw_connection(self.socket)
        one.sendall(post("/v1/workers/stop", {"targets": ["a"]}) + GET_STATUS)
        one.shutdown(socket.SHUT_WR)
        self.assertTrue(self.restart_b())
        self.assertFalse(select.select([one], [], [], 0)[0])
        os.kill(self.workers()["a/0"]["pid"], signal.SIGKILL)
        said = everything_from(one)
        self.assertIn(b'"result":"done"', said)
        self.assertIn(b'"supervisor"', said)  # And what it had asked next.
        one.close()
        self.nothing_leaks()
        self.stop(self.corral, None)

    def test_a_rolling_restart_goes_on_without_its_client(self):
        self.begin()
        one = raw_connection(self.socket)
        one.sendall(post("/v1/workers/restart", {"targets": ["a"], "rolling": True, "pause": "10ms"}))
        one.close()
        await_that("both are new", lambda: all(life > self.born[name] for name, life in self.lives().items()))
        self.end()

    def test_a_reload_goes_on_without_its_client(self):
        self.begin()
        self.reconfigure({"a": program("hang", workers=3, cores="shared")})
        one = raw_connection(self.socket)
        one.sendall(post("/v1/reload", {}))
        one.close()
        await_that("there are three", lambda: len(self.workers()) == 3)
        self.stop(self.corral, 0)


if __name__ == "__main__":
    main()
