"""`corral map`: workers that are replaced before they are worn out."""

import collections
import os
import sys

from harness import main
from mapping import MapTest

PACKAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "worker", "python")
WORKER = f"""
import os, sys
sys.path.insert(0, {PACKAGE!r})
import corral
corral.serve(lambda item: os.getpid())
"""


LEAKING = f"""
import os, sys, time
sys.path.insert(0, {PACKAGE!r})
import corral
kept = []
def work(item):
    if "grow" in item:
        kept.append(os.urandom(item["grow"] << 20))
    time.sleep(item.get("sleep", 0))
    return os.getpid()
corral.serve(work)
"""


# Says who it is, since when, and when it begins and ends to work. Its start takes longer than its tasks.
SLOW_TO_START = f"""
import time
started = time.monotonic()
import os, sys
sys.path.insert(0, {PACKAGE!r})
import corral
time.sleep(0.6)
here = [os.environ["CORRAL_WORKER"], int(os.environ["CORRAL_INCARNATION"]), started]
def work(item):
    began = time.monotonic()
    time.sleep(item["sleep"])
    return here + [began, time.monotonic()]
corral.serve(work)
"""

# The memory that it has is that of a process that it has started.
LEAKING_BELOW = f"""
import os, subprocess, sys, time
sys.path.insert(0, {PACKAGE!r})
import corral
def work(item):
    if "grow" in item:
        subprocess.Popen([sys.executable, "-c", "import time; kept = b'x' * (%d << 20); time.sleep(60)" % item["grow"]])
    time.sleep(item.get("sleep", 0))
    return os.getpid()
corral.serve(work)
"""


class Recycling(MapTest):
    def test_a_worker_is_replaced_after_its_tasks_and_none_of_them_is_tried_twice(self):
        corral = self.map(["pid"] * 20, "-j2", "--max-tasks", "3", command=[sys.executable, "-c", WORKER])
        self.finish(corral, 0)
        results = self.results(corral)
        self.assertEqual(len(results), 20)
        self.assertEqual({entry["attempts"] for entry in results.values()}, {1})
        done = collections.Counter(entry["result"] for entry in results.values())
        self.assertLessEqual(max(done.values()), 3)

    def test_a_worker_that_grows_is_replaced_when_its_task_is_done(self):
        tasks = [{"grow": 200, "sleep": 1.5}] + [{"grow": 1}] * 4  # It is looked at twice a second.
        corral = self.map(tasks, "-j1", "--max-memory", "150MiB", command=[sys.executable, "-c", LEAKING])
        self.finish(corral, 0)
        results = self.results(corral)
        self.assertEqual({entry["attempts"] for entry in results.values()}, {1})
        self.assertNotIn(results[0]["result"], [results[number]["result"] for number in range(1, 5)])

    def test_what_a_worker_has_started_counts(self):
        tasks = [{"grow": 300, "sleep": 2}] + [{}] * 4
        corral = self.map(tasks, "-j1", "--max-memory", "200MiB", command=[sys.executable, "-c", LEAKING_BELOW])
        self.finish(corral, 0)
        results = self.results(corral)
        self.assertNotIn(results[0]["result"], [results[number]["result"] for number in range(1, 5)])

    def test_the_next_process_is_there_before_the_last_one_goes(self):
        corral = self.map([{"sleep": 0.2}] * 18, "-j1", "--max-tasks", "6", command=[sys.executable, "-c", SLOW_TO_START])
        self.finish(corral, 0)
        entries = list(self.results(corral).values())
        self.assertEqual({entry["worker"] for entry in entries}, {0})
        results = sorted((entry["result"] for entry in entries), key=lambda result: result[3])
        self.assertEqual([result[:2] for result in results], [["0", life] for life in (1, 2, 3) for _ in range(6)])
        for before, after in zip(results, results[1:]):
            self.assertLessEqual(before[4], after[3], "one after the other")
            self.assertLess(after[2], before[4], "it had begun to start when the last task of the one before it ended")

    def test_a_worker_that_is_old_is_replaced(self):
        corral = self.map([{"sleep": 0.05}] * 30, "-j2", "--max-age", "300ms", command=[sys.executable, "-c", LEAKING])
        self.finish(corral, 0)
        results = self.results(corral)
        self.assertEqual({entry["attempts"] for entry in results.values()}, {1})
        self.assertGreater(len({entry["result"] for entry in results.values()}), 2)

    def test_filters_are_replaced_too_and_processes_for_one_task_are_not(self):
        corral = self.map(b"x\n" * 10, "-j1", "--max-tasks", "4", "--lines", "--raw", command=["sh", "-c", "sed s/x/$$/"])
        self.finish(corral, 0)
        self.assertEqual(len(set(corral.out.split())), 3)
        corral = self.map(b"x\n", "--max-tasks", "4", command=["true", "{}"])
        self.finish(corral, 2)


if __name__ == "__main__":
    main()
