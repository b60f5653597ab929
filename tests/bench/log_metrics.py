"""How fast workers' lines get into files: corral run beside a bare loop that reads the same pipe and writes the same rotated file.

As in metrics.py: subjects take turns, medians, ratios to the bare loop within one run. A subject here runs one worker that writes
lines of 100 bytes to its stdout and ends; what it takes until the supervisor has ended too is divided by their number.
"""

import json
import os
import random
import shutil
import statistics
import subprocess
import time

from metrics import Figure, Goal
from report import BASE
from task_metrics import tool

SIZE = 64 << 20
KEEP = 2


class Capture:
    def __init__(self, bench, count):
        self.bench, self.count = bench, count
        self.folder = os.path.join(bench.scratch, "logs")
        self.writer = [tool(bench, "bench_log_loop"), "write"]
        self.log = os.path.join(self.folder, "w.log")

    def run(self, words, workers=1):
        begin = time.perf_counter()
        subprocess.run(words, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        took = time.perf_counter() - begin
        with open(self.log, "rb") as file:
            file.seek(-400, os.SEEK_END)
            last = file.read().splitlines()[-1]
        if b"%010d" % (self.count // workers - 1) not in last:
            raise RuntimeError(f"the last line is not there: {last!r}")
        return took / self.count * 1e9

    def fresh(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)

    def bare(self):
        self.fresh()
        return self.run([self.writer[0], "take", self.log, str(SIZE), str(KEEP), *self.writer, str(self.count)])

    def corral(self, workers=1, **log):
        self.fresh()
        path = os.path.join(self.folder, "corral.json")
        log = {"to": "file", "file": "w.log", "rotate": {"size": f"{SIZE}B", "keep": KEEP}, "when_full": "block", **log}
        program = {"command": [*self.writer, str(self.count // workers)], "workers": workers, "cores": "shared", "restart": "never", "log": log}
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"programs": {"w": program}}, file)
        return self.run([self.bench.setting.corral, "run", path], workers)


def logs(bench):
    capture = Capture(bench, 2_000_000 if bench.quick else 30_000_000)  # Fewer are over before a second is.
    subjects = {
        BASE: capture.bare,
        "corral run, plain": capture.corral,
        "corral run, names (2 workers)": lambda: capture.corral(workers=2),
        "corral run, JSON": lambda: capture.corral(format="json"),
    }
    samples = {name: [] for name in subjects}
    for number in range(5 if bench.quick else 9):
        turn = list(subjects)
        random.Random(number).shuffle(turn)
        for name in turn:
            samples[name].append(subjects[name]())
    capture.fresh()
    goals = {"corral run, plain": Goal("ratio", 1 / 0.85), "corral run, names (2 workers)": Goal("ratio", 2), "corral run, JSON": Goal("ratio", 2)}
    yield Figure("lines of 100 bytes into a rotated file, time for each", "ns", {name: statistics.median(values) for name, values in samples.items()}, goals)


METRICS = {"logs": logs}
