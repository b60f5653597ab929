"""How fast tasks run: corral map beside a bare loop, the standard library's pools, GNU parallel and xargs.

As in metrics.py: subjects take turns, medians, ratios to the bare loop. A subject here is a command or a function that runs all
tasks; what it takes is divided by their number.
"""

import json
import os
import random
import shutil
import statistics
import subprocess
import tempfile
import time

from metrics import Figure, Goal
from report import BASE

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PYTHON = "/usr/bin/python3"
WORKERS = 2


class Tasks:
    """A file of tasks in memory, and a place for results."""

    def __init__(self, bench, count, line):
        self.bench, self.count = bench, count
        self.path, self.output = (os.path.join(bench.scratch, name) for name in ("tasks", "results"))
        with open(self.path, "w") as file:
            file.writelines(line(number) + "\n" for number in range(count))

    def run(self, words, **more):
        """Seconds for all of them; the results are counted."""
        environment = dict(os.environ, PYTHONPATH=os.path.join(ROOT, "worker", "python"), PYTHONDONTWRITEBYTECODE="1")
        begin = time.perf_counter()
        done = subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, **more)
        took = time.perf_counter() - begin
        if done.returncode != 0:
            raise RuntimeError(f"{words[0]} ended with status {done.returncode}: {done.stderr.decode()[-500:]}")
        return took

    def corral(self, *words, workers=WORKERS):
        return self.run([self.bench.setting.corral, "map", self.path, f"-j{workers}", "-q", "-o", self.output, *words])

    def loop(self, *words, workers=WORKERS, window=256):
        return self.run([tool(self.bench, "bench_task_loop"), self.path, self.output, str(window), str(workers), *words])

    def results(self):
        with open(self.output, "rb") as file:
            return sum(1 for _ in file)


def tool(bench, name):
    return os.path.join(os.path.dirname(bench.setting.bare), name)


def by_turns(bench, subjects, rounds, tasks=None):
    """{name: median of what subject() returned}, each of them once a round, in any order."""
    samples = {}
    for number in range(rounds):
        turn = list(subjects)
        random.Random(number).shuffle(turn)
        for name in turn:
            samples.setdefault(name, []).append(subjects[name]())
            if tasks is not None and tasks.results() != tasks.count:
                raise RuntimeError(f"{name} has left {tasks.results()} results of {tasks.count} tasks")
    return {name: statistics.median(values) for name, values in samples.items()}


def each_task(values, count):
    return {name: value / count * 1e6 for name, value in values.items()}


def tasks_noop(bench):
    count = 300_000 if bench.quick else 6_000_000  # Fewer are over before a second is.
    tasks, worker = Tasks(bench, count, str), tool(bench, "bench_noop_worker")
    for workers in (1, 2):
        subjects = {BASE: lambda: tasks.loop(worker, workers=workers), "corral map": lambda: tasks.corral("--", worker, workers=workers)}
        values = by_turns(bench, subjects, 3 if bench.quick else 5, tasks)
        rates = {name: count / value for name, value in values.items()}
        title = f"no-op tasks, {workers} C++ worker{'s' * (workers > 1)}: "
        yield Figure(title + "time a task", "µs", each_task(values, count), {"corral map": Goal("ratio", 1 / 0.7)})
        yield Figure(title + "tasks a second", "/s", rates, {"corral map": Goal("at least", 500_000)})


def tasks_python(bench):
    count = 60_000 if bench.quick else 400_000
    tasks = Tasks(bench, count, lambda number: json.dumps({"n": number}))
    bare = [PYTHON, os.path.join(HERE, "bare_worker.py")]
    library = [PYTHON, "-c", "import corral\ncorral.serve(lambda item: item)"]
    subjects = {
        BASE: lambda: tasks.loop(*bare),
        "corral map, corral.serve()": lambda: tasks.corral("--", *library),
        "corral map, bare worker": lambda: tasks.corral("--", *bare),
        "multiprocessing.Pool": lambda: pool_seconds(tasks, count // 10) * 10,
    }
    values = each_task(by_turns(bench, subjects, 3 if bench.quick else 5), count)
    goals = {"corral map, corral.serve()": Goal("ratio", 1 / 0.9), "corral map, bare worker": Goal("ratio", 1 / 0.9)}
    yield Figure("no-op JSON tasks, 2 Python workers: time a task", "µs", values, goals)
    words = [PYTHON, os.path.join(ROOT, "tests", "python", "speed.py"), "2" if bench.quick else "7", "100000"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    costs = json.loads(done.stdout.splitlines()[-1])
    values = {BASE: costs["bare"] * 1e6, "corral.serve()": costs["library"] * 1e6}
    yield Figure("a no-op JSON task: CPU time of its Python worker", "µs", values, {"corral.serve()": Goal("ratio", 1 / 0.9)})


POOL = """
import json, multiprocessing, sys
def work(line):
    return json.dumps(json.loads(line))
if __name__ == "__main__":
    with multiprocessing.Pool(2) as pool, open(sys.argv[1]) as tasks:
        for result in pool.imap_unordered(work, [next(tasks) for _ in range(int(sys.argv[2]))]):
            print(result)
"""


def pool_seconds(tasks, count):
    path = os.path.join(tasks.bench.scratch, "pool.py")
    with open(path, "w") as file:
        file.write(POOL)
    return tasks.run([PYTHON, path, tasks.path, str(count)], stdout=subprocess.DEVNULL)


def tasks_executor(bench):
    script = os.path.join(ROOT, "tests", "python", "executor_speed.py")
    words = [PYTHON, "-B", script, "--rounds", "3" if bench.quick else "7", "--calls", "5000" if bench.quick else "20000"]
    done = subprocess.run(words, env=dict(os.environ, CORRAL_BIN=bench.setting.corral), capture_output=True, text=True, check=True)
    ratios = json.loads(done.stdout.splitlines()[-1])["ratios"]
    for title, name, peer, least in (
        ("Executor.map, chunksize 1: times ProcessPoolExecutor", "chunksize 1", "ProcessPoolExecutor", 4),
        ("Executor.submit: times ProcessPoolExecutor", "submit", "ProcessPoolExecutor", 4),
        ("Executor.map, chunksize 64: times multiprocessing.Pool", "chunksize 64", "multiprocessing.Pool", 1),
    ):
        yield Figure(title, "×", {"corral.Executor": ratios[name], peer: 1.0}, {"corral.Executor": Goal("at least", least)})


def tasks_each(bench):
    count = 1000 if bench.quick else 4000
    tasks = Tasks(bench, count, str)
    loop = [tool(bench, "bench_task_loop"), "--each", tasks.path, tasks.output, str(WORKERS), "/bin/true"]
    subjects = {
        BASE: lambda: tasks.run(loop),
        "corral map {}": lambda: tasks.corral("--", "/bin/true", "{}"),
        "xargs": lambda: tasks.run(["xargs", "-a", tasks.path, f"-P{WORKERS}", "-n1", "/bin/true"]),
    }
    if shutil.which("parallel"):
        few = max(100, count // 10)
        words = ["sh", "-c", f"head -n {few} '{tasks.path}' | parallel -j{WORKERS} /bin/true"]
        subjects["GNU parallel"] = lambda: tasks.run(words) * count / few
    values = each_task(by_turns(bench, subjects, 3 if bench.quick else 5), count)
    yield Figure("a process for each task: time a task", "µs", values, {"corral map {}": Goal("ratio", 1 / 0.9)})
    for peer, least in (("xargs", 1.3), ("GNU parallel", 8)):
        if peer in values:
            ratio = {"corral map {}": values[peer] / values["corral map {}"], peer: 1.0}
            yield Figure(f"a process for each task: times {peer}", "×", ratio, {"corral map {}": Goal("at least", least)})


BUSY = """
import os, time
def work(number):
    begin, until = time.monotonic(), time.process_time() + 0.05
    while time.process_time() < until:
        pass
    return [begin, time.monotonic(), os.getpid()]
"""


def busy_share(spans):
    """Of the cores' time from the first task to the end of the last but one."""
    ends = sorted(end for _, end, _ in spans)
    first, last = min(begin for begin, _, _ in spans), ends[-2]
    return 100 * sum(max(0, min(end, last) - begin) for begin, end, _ in spans) / (last - first) / WORKERS


def tasks_busy(bench):
    tasks = Tasks(bench, 60 if bench.quick else 200, str)
    path = os.path.join(bench.scratch, "busy.py")
    with open(path, "w") as file:
        file.write(BUSY + "if __name__ == '__main__':\n    import corral\n    corral.serve(work)\n")
    peer = os.path.join(bench.scratch, "busy_peer.py")
    with open(peer, "w") as file:
        file.write(BUSY + "import json, sys\nif __name__ == '__main__':\n    from multiprocessing import Pool\n    with Pool(2) as pool:\n"
                   "        print(json.dumps(pool.map(work, range(int(sys.argv[1])), chunksize=1)))\n")  # fmt: skip

    def of_results():
        with open(tasks.output) as file:
            return busy_share([json.loads(line)["result"] for line in file])

    def with_corral():
        tasks.corral("--", PYTHON, path)
        return of_results()

    def with_loop():
        tasks.loop(PYTHON, path, window=1)
        return of_results()

    def with_pool():
        return busy_share(json.loads(subprocess.run([PYTHON, peer, str(tasks.count)], capture_output=True, check=True).stdout))

    subjects = {BASE: with_loop, "corral map": with_corral, "multiprocessing.Pool": with_pool}
    values = by_turns(bench, subjects, 3)
    yield Figure("Python tasks of 50 ms: cores busy from the first to the last but one", "%", values, {"corral map": Goal("at least", 99)})


def tasks_payload(bench):
    size, count = 1 << 20, 100 if bench.quick else 400
    tasks = Tasks(bench, count, lambda _: '"' + "x" * (size - 2) + '"')
    echo = [PYTHON, os.path.join(HERE, "bare_worker.py"), "--echo"]
    subjects = {BASE: lambda: tasks.loop(*echo, workers=1, window=4), "corral map": lambda: tasks.corral("--", *echo, workers=1)}
    values = by_turns(bench, subjects, 3, tasks)
    rates = {name: count * size / 1e6 / value for name, value in values.items()}
    yield Figure("payload of 1 MiB tasks through one worker, in each direction", "MB/s", rates, {"corral map": Goal("at least", 100)})


def tasks_state(bench):
    """Durable: the state lies on the disk of the report, not in memory, and each round begins with none."""
    count = 100_000 if bench.quick else 1_000_000
    tasks, worker = Tasks(bench, count, str), tool(bench, "bench_noop_worker")

    def recorded():
        if os.path.exists(tasks.output):
            os.remove(tasks.output)  # A state does not touch results that it knows nothing of.
        with tempfile.TemporaryDirectory(prefix="state-", dir=bench.setting.folder) as folder:
            return tasks.corral("--state", os.path.join(folder, "run.db"), "--", worker)

    subjects = {"corral map --state": recorded, "corral map": lambda: tasks.corral("--", worker)}
    values = by_turns(bench, subjects, 3, tasks)
    rates = {name: count / value for name, value in values.items()}
    yield Figure("no-op tasks that are recorded, 2 C++ workers: tasks a second", "/s", rates, {"corral map --state": Goal("at least", 50_000)})


def tasks_memory(bench):
    count = 1_000_000 if bench.quick else 10_000_000
    tasks = Tasks(bench, count, str)
    worker = tool(bench, "bench_noop_worker")
    corral = subprocess.Popen([bench.setting.corral, "map", tasks.path, "-j2", "-q", "-o", "/dev/null", "--", worker])
    most = 0
    while corral.poll() is None:
        try:
            with open(f"/proc/{corral.pid}/status") as file:
                most = max([most, *(int(line.split()[1]) for line in file if line.startswith("VmHWM"))])
        except OSError:
            pass
        time.sleep(0.02)
    title = f"{count:,} tasks: the most memory that corral had"
    yield Figure(title, "MiB", {"corral map": most / 1024}, {"corral map": Goal("at most", 64)})


METRICS = {
    function.__name__: function
    for function in (tasks_noop, tasks_python, tasks_executor, tasks_each, tasks_busy, tasks_payload, tasks_state, tasks_memory)
}
