"""Why a worker is what it is: `corral explain`. And log files that are opened anew because somebody asks: `corral logs --reopen`."""

import os
import re
import signal

from control import ControlTest
from harness import await_that, main, program


class Explaining(ControlTest):
    def test_why_and_what_comes_next(self):
        crash = {"when": "always", "delay": "1h", "max_delay": "1h", "jitter": 0, "limit": None}
        corral = self.run_controlled({"a": program("hang", workers=2, cores="shared"), "b": program("crash ABRT", restart=crash)})
        self.await_listening(corral)
        await_that("b/0 has crashed", lambda: self.workers()["b/0"]["state"] == "backoff")
        story = self.ask_for("explain", "b/0").out
        self.assertRegex(story, r"^b/0 is backoff")
        self.assertIn("signal 6 (Aborted)", story)
        self.assertRegex(story, r"it starts in (59|60) min|it starts in 1 h|it starts in 59")
        self.assertRegex(story, r"\.json:\d+: .*\"delay\": ?\"1h\"")
        both = self.ask_for("explain", "a").out
        self.assertRegex(both, r"(?s)^a/0 is running.*\n\na/1 is running")
        document = self.ask_for("explain", "b/0", "--json").json
        self.assertEqual((document["worker"], document["state"], document["crash"]["signal"]), ("b/0", "backoff", signal.SIGABRT))
        self.assertGreater(document["next"]["in_seconds"], 3000)
        self.assertEqual([event["event"] for event in document["events"]], ["worker_started", "worker_ended"])
        self.assertIn("no worker", self.ask_for("explain", "nobody", status=2).err)
        other = {"a": program("hang", workers=2, cores="shared"), "b": program("crash ABRT", restart={**crash, "delay": "2h", "max_delay": "2h"})}
        for changed in ({"b": {"comand": ["x"]}}, other):  # With a mistake, and not loaded yet.
            self.reconfigure(changed)
            said = self.ask_for("explain", "b/0").out
            self.assertIn("corral.json' has changed since it was loaded, so no line of it is shown", said)
            self.assertNotRegex(said, r"json:\d")
        self.ask_for("reload")
        self.assertIn("by default: when", self.ask_for("explain", "a/0").out)
        self.assertNotIn("has changed", self.ask_for("explain", "b/0").out)
        self.assertEqual(self.http("GET", "/v1/workers/b/9/explain")[0], 404)
        self.stop(corral)


class Reopening(ControlTest):
    def test_it_returns_when_the_files_are_open_again(self):
        path = self.path("a.log")
        corral = self.run_controlled({"a": program("lines 3 hello + hang", log={"to": "file", "file": path})})
        self.await_listening(corral)
        await_that("it writes", lambda: os.path.exists(path) and os.path.getsize(path) > 0)
        self.assertIn("--reopen", self.ask_for("logs", "--reopen", "a/0", status=2).err)
        for _ in range(20):
            os.rename(path, path + ".1")
            self.ask_for("logs", "--reopen", whose=["--config", self.path("corral.json")])
            self.assertTrue(os.path.exists(path))
        status, _, document = self.http("POST", "/v1/logs/reopen")
        self.assertEqual((status, document), (200, {"result": "done"}))
        os.unlink(path)
        os.mkdir(path)
        status, _, document = self.http("POST", "/v1/logs/reopen")
        self.assertEqual(status, 500)
        self.assertRegex(document["error"], re.escape(path))
        os.rmdir(path)
        self.stop(corral)

    def test_what_could_never_be_opened_is_said_and_tried_again(self):
        path = self.path("a.log")
        os.mkdir(path)
        writes = ["sh", "-c", "while :; do echo hello; sleep 0.02; done"]
        corral = self.run_controlled({"a": {"command": writes, "log": {"to": "file", "file": path}}})
        self.await_listening(corral)
        corral.await_err("takes nothing")
        self.assertIn(path, self.ask_for("logs", "--reopen", status=1).err)
        os.rmdir(path)
        self.ask_for("logs", "--reopen")
        self.assertTrue(os.path.isfile(path))
        self.stop(corral)

    def test_without_log_files_there_is_nothing_to_wait_for(self):
        corral = self.run_controlled({"a": program("hang")})
        self.await_listening(corral)
        self.assertEqual(self.http("POST", "/v1/logs/reopen", {"timeout": "10s"})[2], {"result": "done"})
        self.stop(corral)


if __name__ == "__main__":
    main()
