"""The commands of docs/guide/operating.md and api.md do what stands there, one after another, against a running supervisor."""

import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import unittest

from control import ControlTest
from harness import CEILING, CORRAL, SANITIZER, await_that, main

GUIDES = pathlib.Path(__file__).resolve().parents[2] / "docs" / "guide"


class OperatingGuides(ControlTest):
    def setUp(self):
        super().setUp()
        self.socket = self.path("corral.sock")
        self.port = None
        os.symlink(CORRAL, self.path("corral"))
        self.write("corral.json", re.search(r"^```json\n(.*?)^```", (GUIDES / "operating.md").read_text(), re.M | re.S).group(1))
        self.corral = self.start("run", cwd=self.folder)
        self.corral.await_start("web/0")
        await_that("it listens", lambda: self.ask_for("status", whose=[], cwd=self.folder, status=None).status == 0)

    def listen_too(self):
        """Starts it again, as api.md has it for TCP, at a port that is free here."""
        self.stop(self.corral, 0)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = str(probe.getsockname()[1])
        wanted = re.search(r"^```json\n(.*?)^```", (GUIDES / "api.md").read_text(), re.M | re.S).group(1)
        configuration = pathlib.Path(self.path("corral.json")).read_text()
        before = '"control": {"socket": "corral.sock"}'
        self.assertIn(before, configuration)
        self.write("corral.json", configuration.replace(before, wanted.strip()[1:-1].replace("7480", self.port)))
        self.corral = self.start("run", cwd=self.folder)
        self.corral.await_start("web/0")
        await_that("it listens", lambda: self.http_by_tcp() == 401)

    def http_by_tcp(self):
        connection = http.client.HTTPConnection("127.0.0.1", int(self.port), timeout=CEILING)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status
        except OSError:
            return None
        finally:
            connection.close()

    def outputs(self, name):
        """What each block of the guide prints; all of them end well."""
        blocks = re.findall(r"^```sh\n(.*?)^```", (GUIDES / name).read_text(), re.M | re.S)
        variables = dict(os.environ, PATH=self.folder + ":" + os.environ["PATH"], CORRAL_TEST_TOKEN=self.token, ASAN_OPTIONS=SANITIZER)
        printed = []
        for block in (block.replace("127.0.0.1:7480", f"127.0.0.1:{self.port}") for block in blocks):
            done = subprocess.run(["sh", "-ec", block], cwd=self.folder, env=variables, capture_output=True, text=True, timeout=CEILING)
            self.assertEqual(done.returncode, 0, block + done.stdout + done.stderr)
            printed.append(done.stdout)
        return printed

    def test_operating(self):
        whose, looks, changes, rolling, scales, reload, rollback, _, shell = self.outputs("operating.md")
        self.assertIn(self.path("corral.json"), whose)
        self.assertEqual(looks.count("crunch/0 "), 3)
        self.assertEqual(changes, "1 worker is down\n2 workers run\n3 workers restarted\nsent to 1 worker\n")
        self.assertEqual(rolling, "2 workers restarted\n")
        self.assertEqual(scales.splitlines()[0], "1 worker changed")
        self.assertEqual(sorted(self.workers()), ["crunch/0", "crunch/1", "web/0"])
        self.assertIn("reloaded", reload)
        self.assertEqual(shell, "")
        self.assertGreater(os.path.getsize(self.path("corral.1")), 1000)
        self.ask_for("shutdown", whose=[], cwd=self.folder)
        self.finish(self.corral, 0)

    @unittest.skipIf(shutil.which("curl") is None, "no curl here")
    def test_api(self):
        self.listen_too()
        looks, reasons, ready, changes, no_wait, tcp = self.outputs("api.md")
        status, _, workers, worker = map(json.loads, looks.splitlines())
        self.assertEqual([len(status["workers"]), len(workers["workers"]), worker["worker"]], [3, 3, "crunch/0"])
        reason, past = map(json.loads, reasons.splitlines())
        self.assertEqual((reason["worker"], reason["state"], len(past["events"])), ("crunch/0", "running", 2))
        self.assertTrue(json.loads(ready)["ready"])
        replies = [json.loads(line) for line in changes.splitlines()]
        self.assertEqual([reply.get("workers") for reply in replies], [1, 2, 1, 3, 1, 1, None, 0])
        self.assertEqual({change["does"] for change in replies[6]["plan"]}, {"keep"})
        self.assertEqual(json.loads(no_wait), {"result": "accepted"})
        status, restarted = map(json.loads, tcp.splitlines())
        self.assertEqual((status["supervisor"]["pid"], restarted["result"]), (self.corral.pid, "done"))
        self.stop(self.corral, 0)


if __name__ == "__main__":
    main()
