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


class Recycling(MapTest):
    def test_a_worker_is_replaced_after_its_tasks_and_none_of_them_is_tried_twice(self):
        corral = self.map(["pid"] * 20, "-j2", "--max-tasks", "3", command=[sys.executable, "-c", WORKER])
        self.finish(corral, 0)
        results = self.results(corral)
        self.assertEqual(len(results), 20)
        self.assertEqual({entry["attempts"] for entry in results.values()}, {1})
        done = collections.Counter(entry["result"] for entry in results.values())
        self.assertLessEqual(max(done.values()), 3)

    def test_filters_are_replaced_too_and_processes_for_one_task_are_not(self):
        corral = self.map(b"x\n" * 10, "-j1", "--max-tasks", "4", "--lines", "--raw", command=["sh", "-c", "sed s/x/$$/"])
        self.finish(corral, 0)
        self.assertEqual(len(set(corral.out.split())), 3)
        corral = self.map(b"x\n", "--max-tasks", "4", command=["true", "{}"])
        self.finish(corral, 2)


if __name__ == "__main__":
    main()
