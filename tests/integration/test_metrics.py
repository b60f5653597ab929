"""GET /metrics of a real supervisor: what it counts is what has happened, and others can read it."""

import os
import shutil
import signal
import subprocess
import unittest

from harness import CORRAL, QUICK, CorralTest, await_that, main, program
from unix_http import get, listens

try:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open
    from prometheus_client.parser import text_string_to_metric_families as read_older
except ImportError:
    read_open = read_older = None

OPEN = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"


@unittest.skipIf(read_open is None, "there is nobody to read them: apt-get install python3-prometheus-client")
class Metrics(CorralTest):
    def run_with_socket(self, programs, **top):
        self.socket = self.path("corral.sock")
        corral = self.run_config(programs, top={"control": {"socket": self.socket}, **top})
        await_that("the socket", lambda: listens(self.socket))
        return corral

    def metrics(self):
        """{(name, label values...): value}"""
        status, kind, text = get(self.socket, "/metrics", Accept=OPEN)
        self.assertEqual((status, kind), (200, "application/openmetrics-text; version=1.0.0; charset=utf-8"))
        return {(one.name, *one.labels.values()): one.value for family in read_open(text) for one in family.samples}

    def await_metric(self, *key, least=1):
        seen = {}

        def look():
            seen.update(self.metrics())
            return seen.get(key, 0) >= least and seen

        return await_that(lambda: f"{key} of at least {least}; there is {seen}", look)

    def test_restarts_by_cause_and_how_long_they_took(self):
        corral = self.run_with_socket({
            "dies": program("crash SEGV", restart=QUICK), "fails": program("exit 3", restart=QUICK),
            "ends": program("exit 0", restart=QUICK), "stays": program("line up + hang", workers=2, cores="shared"),
        })  # fmt: skip
        for name, cause in (("dies", "signal"), ("fails", "failure"), ("ends", "success")):
            self.await_metric("corral_program_restarts_total", name, cause, least=3)
        seen = self.await_metric("corral_restart_latency_seconds_count", least=6)
        self.assertEqual(seen["corral_program_restarts_total", "stays", "signal"], 0)
        self.assertEqual(seen["corral_program_workers", "stays", "running"], 2)
        self.assertEqual(seen["corral_worker_state", "stays", "stays/1", "running"], 1)
        self.assertEqual(seen["corral_worker_restarts_total", "stays", "stays/0"], 0)
        self.assertGreater(seen["corral_worker_memory_bytes", "stays", "stays/0"], 0)
        self.assertEqual(seen["corral_phase", "running"], 1)
        self.assertEqual(seen["corral_restart_downtime_seconds_count",], seen["corral_restart_latency_seconds_count",])
        self.assertGreater(seen["corral_loop_lag_seconds_count",], 0)
        self.stop(corral)

    def test_a_restart_that_was_asked_for(self):
        corral = self.run_with_socket({"a": program("line up + hang")})
        self.await_metric("corral_program_workers", "a", "running")
        done = subprocess.run([CORRAL, "restart", "a", "--socket", self.socket], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        seen = self.metrics()
        self.assertEqual(seen["corral_program_restarts_total", "a", "asked"], 1)
        self.assertEqual(seen["corral_restart_downtime_seconds_count",], 1)
        self.stop(corral)

    def test_what_the_dead_have_used_is_kept(self):
        corral = self.run_with_socket({"a": {"command": ["/usr/bin/python3", "-c", "while True: pass"], "restart": QUICK}})
        used = self.await_metric("corral_program_cpu_seconds_total", "a", least=0.2)["corral_program_cpu_seconds_total", "a"]
        os.kill(corral.await_start("a/0"), signal.SIGKILL)
        seen = self.await_metric("corral_program_restarts_total", "a", "signal")
        self.assertGreaterEqual(seen["corral_program_cpu_seconds_total", "a"], used)
        self.stop(corral)

    def test_what_files_took(self):
        written = program("line hello + hang", log={"to": "file", "file": self.path("{program}-{index}.log")})
        corral = self.run_with_socket({"a": written, "b": program("line hello + hang")})
        seen = self.await_metric("corral_log_written_bytes_total", "a", least=len("hello\n"))
        self.assertEqual(seen["corral_log_dropped_lines_total", "a"], 0)
        self.assertNotIn(("corral_log_written_bytes_total", "b"), seen)
        self.stop(corral)

    def test_the_older_format_and_promtool(self):
        corral = self.run_with_socket({"a": program("line up + hang", workers=3)})
        self.await_metric("corral_program_workers", "a", "running", least=3)
        status, kind, text = get(self.socket, "/metrics")
        self.assertEqual((status, kind), (200, "text/plain; version=0.0.4; charset=utf-8"))
        self.assertIn("corral_worker_state", {family.name for family in read_older(text)})
        if tool := os.environ.get("PROMTOOL") or shutil.which("promtool"):
            done = subprocess.run([tool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))
        self.stop(corral)


if __name__ == "__main__":
    main()
