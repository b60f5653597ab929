"""What corral renders as metrics: read by promtool and by the parsers of the Python client, neither of them ours; and the
dashboard and the guide of docs/ name metrics that exist.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

DOCS = pathlib.Path(__file__).resolve().parents[3] / "docs"
NAME = re.compile(r"\bcorral_[a-z_]+\b")
DUMP = None

try:
    from prometheus_client import openmetrics, parser
    from prometheus_client.openmetrics import parser as open_parser
except ImportError:
    parser = None

without_parser = unittest.skipIf(parser is None, "there is no other parser: apt-get install python3-prometheus-client")


def dump(*words):
    return subprocess.run([DUMP, *words], capture_output=True, check=True, timeout=60).stdout.decode()


def sample_names(text):
    """Every name that a query can use."""
    return {re.match(r"[a-z_]+", line).group() for line in text.splitlines() if line and not line.startswith("#")}


def promtool():
    """promtool comes with Debian's prometheus, which would also start a server: it may lie unpacked anywhere."""
    return os.environ.get("PROMTOOL") or shutil.which("promtool")


class Metrics(unittest.TestCase):
    def test_promtool(self):
        tool = promtool()
        if tool is None:
            self.skipTest("there is no promtool: put that of Debian's prometheus into PATH, or into PROMTOOL")
        done = subprocess.run([tool, "check", "metrics"], input=dump("prometheus"), capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    @without_parser
    def test_openmetrics_is_read_by_another_parser(self):
        text = dump("openmetrics")
        families = {family.name: family for family in open_parser.text_string_to_metric_families(text)}
        self.assertEqual(families["corral_build"].type, "info")
        self.assertEqual(families["corral_build"].samples[0].labels, {"version": '0.1.0 "odd" \\ \n name'})
        restarts = {(one.labels["program"], one.labels["cause"]): one.value for one in families["corral_program_restarts"].samples}
        self.assertEqual(restarts["plain", "out_of_memory"], 4)
        self.assertEqual(families["corral_restart_latency_seconds"].type, "histogram")
        self.assertEqual(families["corral_worker_memory_bytes"].unit, "bytes")
        self.assertEqual(sum(one.value for one in families["corral_worker_state"].samples), 26)
        self.assertTrue(all(family.documentation for family in families.values()))

    @without_parser
    def test_both_formats_say_the_same(self):
        open_samples = {(one.name, *sorted(one.labels.items())): one.value
                        for family in open_parser.text_string_to_metric_families(dump("openmetrics")) for one in family.samples}  # fmt: skip
        older = {(one.name, *sorted(one.labels.items())): one.value
                 for family in parser.text_string_to_metric_families(dump("prometheus")) for one in family.samples}  # fmt: skip
        self.assertEqual(open_samples, older)

    def test_size_is_bounded(self):
        few, some, many, more = (len(dump("openmetrics", str(workers)).splitlines()) for workers in (1, 900, 10_000, 100_000))
        self.assertLess(few, 300)
        self.assertLess(some, 300 + 900 * 13)
        self.assertEqual(many, more)

    def test_the_dashboard_asks_for_what_there_is(self):
        dashboard = json.loads((DOCS / "examples" / "grafana-dashboard.json").read_text())
        names = sample_names(dump("prometheus"))
        queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
        queries += [one["definition"] for one in dashboard["templating"]["list"] if "definition" in one]
        self.assertGreater(len(queries), 10)
        for query in queries:
            self.assertTrue(NAME.findall(query), query)
            self.assertLessEqual(set(NAME.findall(query)), names, query)
        ids = [panel["id"] for panel in dashboard["panels"]]
        self.assertEqual(len(ids), len(set(ids)))

    def test_the_guide_names_them_all_and_no_other(self):
        guide = (DOCS / "guide" / "metrics.md").read_text()
        named = set(re.findall(r"`(corral_[a-z_]+)", guide))
        there = {re.sub(r"_(bucket|sum|count)$", "", name) if "seconds_" in name else name for name in sample_names(dump("prometheus"))}
        self.assertEqual(named, there)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--dump", required=True)
    known, rest = arguments.parse_known_args()
    DUMP = known.dump
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
