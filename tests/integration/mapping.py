"""What the tests of `corral map` stand on: a worker that does as its task says, and results as JSON."""

import json
import os
import resource
import sys

from harness import CorralTest

WORKER = [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "task_worker.py")]


def room_for(size):
    """A preexec_fn: no file of that process grows beyond so many bytes, as on a disk that is full."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


class MapTest(CorralTest):
    def map(self, tasks, *options, command=WORKER, **popen):
        """Starts `corral map` on a file of these tasks: bytes, or values that become one line of JSON each."""
        content = tasks if isinstance(tasks, bytes) else "".join(json.dumps(task) + "\n" for task in tasks).encode()
        return self.start("map", self.write("tasks.jsonl", content), *options, "--", *command, **popen)

    def results(self, corral):
        """{task: line}, each task once and each line whole."""
        found = {}
        for line in corral.out.splitlines():
            entry = json.loads(line)
            self.assertNotIn(entry["task"], found, "written twice")
            found[entry["task"]] = entry
        return found
