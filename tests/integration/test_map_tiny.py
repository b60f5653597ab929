"""Tiny tasks, whose answers share a write: whom a death is put down to."""

import json
import os

from harness import main
from mapping import MapTest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WORKER = """
import os, signal
import corral
@corral.task
def work(item):
    if item % 500 == 499:
        os.kill(os.getpid(), signal.SIGKILL)
    return item
corral.serve()
"""


class TinyTasks(MapTest):
    def test_a_poison_task_among_tiny_ones_takes_no_neighbour_along(self):
        quarantine = self.path("quarantine.jsonl")
        corral = self.map(list(range(5000)), "-j2", "--retries", "0", "--quarantine", quarantine,
                          command=["/usr/bin/python3", self.write("worker.py", WORKER)],
                          environment={"PYTHONPATH": os.path.join(ROOT, "worker", "python")})  # fmt: skip
        self.finish(corral, 1)
        with open(quarantine) as file:
            self.assertEqual(sorted(json.loads(line) for line in file), list(range(499, 5000, 500)))
        results = self.results(corral)
        self.assertEqual(len(results), 5000)
        self.assertEqual({entry["attempts"] for entry in results.values()}, {1})


if __name__ == "__main__":
    main()
