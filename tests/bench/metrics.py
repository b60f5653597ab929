"""How each figure of the table is taken. One function for each metric; each yields Figures.

Subjects take turns within every round, so that whatever else the machine does hits all of them alike. Figures of
different runs must not be compared, ratios within one may.
"""

import os
import random
import resource
import signal
import statistics
import time
from dataclasses import dataclass, field

import processes
from slots import Slots, TookTooLong


@dataclass
class Goal:
    """At most `limit` times the bare loop's figure (ratio), or at most/at least that figure itself."""

    kind: str  # "ratio", "at most" or "at least"
    limit: float


@dataclass
class Figure:
    """One line of numbers: a value for each subject, and the goals that some have to meet."""

    title: str
    unit: str
    values: dict
    goals: dict = field(default_factory=dict)
    remarks: dict = field(default_factory=dict)


class Bench:
    def __init__(self, setting, subjects, quick, scratch, say):
        self.setting, self.subjects, self.quick, self.scratch, self.say = setting, subjects, quick, scratch, say
        self.remarks = {}

    def able(self, metric):
        return [subject for subject in self.subjects if metric in subject.can]

    def interleaved(self, metric, rounds, once):
        """{name: [what once(subject) returned in each round]}. Who fails is left out from then on, with a remark."""
        samples, self.remarks = {}, {}
        for number in range(rounds):
            turn = [s for s in self.able(metric) if s.name not in self.remarks and number < (s.rounds or rounds)]
            random.Random(number).shuffle(turn)
            for subject in turn:
                try:
                    samples.setdefault(subject.name, []).append(once(subject))
                except (TookTooLong, ProcessLookupError, FileNotFoundError) as problem:
                    self.remarks[subject.name] = f"{problem}"
                    self.say(f"  {subject.name}: {problem}")
                finally:
                    processes.kill_everything()
        return {name: values for name, values in samples.items() if name not in self.remarks}

    def start(self, subject, workers, mode, ceiling=60):
        """A running supervisor of so many workers, all of which have begun: (pid, slots)."""
        slots = Slots(os.path.join(self.scratch, "slots"), workers)
        command = subject.command(self.setting, workers, mode, slots)
        log = os.path.join(self.scratch, subject.name.replace(" ", "-") + ".log")  # In memory: a disk would be part of the figure.
        starter = [self.setting.worker, f"e::{slots.path}", *command]
        pid = processes.spawn(starter, subject.environment(self.setting), log)
        slots.wait_started(1, ceiling, alive=lambda: processes.alive(pid))
        return pid, slots

    def start_seconds(self, subject, workers):
        pid, slots = self.start(subject, workers, "w")
        took = (slots.last_start_ns() - slots.exec_ns()) / 1e9
        # Asked to end first: after a SIGKILL the next start would be one that looks for what the last has left.
        os.kill(pid, signal.SIGTERM)
        processes.wait_gone(pid, 5)
        return took


def medians(samples):
    return {name: statistics.median(values) for name, values in samples.items()}


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def cold(bench):
    samples = bench.interleaved("cold", 40 if bench.quick else 150, lambda subject: bench.start_seconds(subject, 1))
    goals = {"corral exec": Goal("ratio", 1.5), "corral run": Goal("ratio", 3)}
    title = "exec of the supervisor to the first instruction of its one worker"
    yield Figure(title, "ms", {name: value * 1e3 for name, value in medians(samples).items()}, goals, bench.remarks)


def start_many(bench, workers, limit, rounds):
    metric = f"start_{10 ** len(str(workers - 1))}"  # 9,900 is the start of 10,000 where so many cannot be had.
    samples = bench.interleaved(metric, rounds, lambda subject: bench.start_seconds(subject, workers))
    values = {name: value * 1e3 for name, value in medians(samples).items()}
    yield Figure(f"start of {workers:,} workers", "ms", values, {"corral run": Goal("ratio", limit)}, bench.remarks)


def start_100(bench):
    yield from start_many(bench, 100, 1.8, 9 if bench.quick else 25)


def start_1000(bench):
    yield from start_many(bench, 1000, 1.6, 5 if bench.quick else 11)


def start_10000(bench):
    # Two pipes a worker: where nobody may raise the limit of open files, it is the machine that cannot have 10,000.
    most = (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200) // 2
    yield from start_many(bench, min(10000, most), 1.6, 2 if bench.quick else 3)


def kill_one(bench):
    def once(subject):
        _, slots = bench.start(subject, 100, "w")
        time.sleep(1.2)  # runit and s6 make a worker that dies within its first second wait.
        taken, limit = [], time.monotonic() + 6
        for index in random.Random(len(subject.name)).sample(range(100), 60):
            if time.monotonic() > limit:
                break
            _, _, pid, starts = slots.read(index)
            before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            os.kill(pid, signal.SIGKILL)
            slots.wait_started([starts + 1] * 100, 10, [index])
            taken.append((slots.read(index)[0] - before) / 1e3)
            time.sleep(0.002)
        return taken

    rounds = bench.interleaved("kill_one", 3 if bench.quick else 7, once)
    samples = {name: [value for taken in values for value in taken] for name, values in rounds.items()}
    title = "SIGKILL of one of 100 to the first instruction of its replacement, "
    for what, part, limit in (("p50", 0.5, 1.2), ("p99", 0.99, 1.5)):
        values = {name: percentile(taken, part) for name, taken in samples.items()}
        yield Figure(title + what, "µs", values, {"corral run": Goal("ratio", limit)}, bench.remarks)


def restarts(bench):
    def once(subject):
        pid, slots = bench.start(subject, 1, "x")
        time.sleep(0.2)
        first, cpu, begin = slots.starts(0), processes.cpu_seconds(pid), time.monotonic()
        time.sleep(2)
        count, took = slots.starts(0) - first, time.monotonic() - begin
        if count == 0:
            raise TookTooLong("it did not restart its worker within 2 s")
        return count / took, (processes.cpu_seconds(pid) - cpu) / count * 1e6

    samples = bench.interleaved("restarts", 3 if bench.quick else 9, once)
    rate = {name: statistics.median(value[0] for value in values) for name, values in samples.items()}
    cpu = {name: statistics.median(value[1] for value in values) for name, values in samples.items()}
    title = "a worker that exits at once, throttling off: "
    period = {name: 1e6 / value for name, value in rate.items()}
    yield Figure(title + "time from start to start", "µs", period, {"corral run": Goal("ratio", 1.25)}, bench.remarks)
    yield Figure(title + "CPU time a restart", "µs", cpu, {"corral run": Goal("ratio", 1.3)})


def stop(bench):
    leaves = {}

    def once(subject):
        pid, slots = bench.start(subject, 1000, "w", 120)
        time.sleep(0.5 if bench.quick else 1.5)
        workers = slots.pids()
        begin = time.monotonic()
        os.kill(pid, signal.SIGTERM)
        if not processes.wait_gone(pid, 60):
            raise TookTooLong("it had not ended 60 s after SIGTERM")
        took = time.monotonic() - begin
        left = [worker for worker in workers if processes.alive(worker)]
        while left and time.monotonic() - begin < took + 2:
            left = [worker for worker in left if processes.alive(worker)]
            took_longer = time.monotonic() - begin
            if not left:
                return took_longer * 1e3
        if left:
            raise TookTooLong(f"it ended and left {len(left)} of 1,000 workers behind")
        return took * 1e3

    samples = bench.interleaved("stop", 5 if bench.quick else 11, once)
    leaves.update(bench.remarks)
    title = "SIGTERM to the supervisor until 1,000 workers and it are gone"
    yield Figure(title, "ms", medians(samples), {"corral run": Goal("ratio", 1.2)}, leaves)


def supervisors(pid, slots):
    """The supervising processes: all but the workers."""
    workers = set(slots.pids())
    return [pid] + [other for other in processes.descendants(pid) if other not in workers]


def memory(bench):
    for workers in (1, 100, 1000):

        def once(subject, workers=workers):
            if workers == 1000 and subject.name == "pm2":
                raise TookTooLong("not tried with 1,000")
            pid, slots = bench.start(subject, workers, "w", 120)
            time.sleep(0.3)
            return processes.pss_bytes(supervisors(pid, slots)) / 2**20

        values = medians(bench.interleaved("memory", 1 if bench.quick else 3, once))
        goal = {"corral run": Goal("at most", 2.3 + (workers - 1) / 1024)}
        yield Figure(f"memory (PSS) with {workers:,} worker{'s' * (workers > 1)}", "MiB", values, goal, bench.remarks)


def idle(bench):
    seconds = 10

    def once(subject):
        pid, slots = bench.start(subject, 1000, "w", 120)
        time.sleep(11)  # Past every default that might still be due, such as healthy_after.
        watched = supervisors(pid, slots)
        before = processes.context_switches(watched)
        time.sleep(seconds)
        return processes.context_switches(watched) - before

    values = medians(bench.interleaved("idle", 1, once))
    yield Figure(f"wake-ups in {seconds} s, idle with 1,000 workers", "", values, {"corral run": Goal("at most", 0)}, bench.remarks)


def sigterm(bench):
    def once(subject):
        pid, slots = bench.start(subject, 1, "t")
        time.sleep(0.004)
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        os.kill(pid, signal.SIGTERM)
        if not processes.wait_gone(pid, 10):
            raise TookTooLong("it had not ended 10 s after SIGTERM")
        handled = slots.read(0)[1]
        if handled == 0:
            raise TookTooLong("it ended without passing SIGTERM on")
        return (handled - before) / 1e3

    samples = bench.interleaved("sigterm", 60 if bench.quick else 200, once)
    yield Figure("SIGTERM to the handler of the worker", "µs", medians(samples), {"corral exec": Goal("ratio", 1.15)}, bench.remarks)


def kill_all(bench):
    def once(subject):
        _, slots = bench.start(subject, 1000, "w", 120)
        time.sleep(1.5)
        wanted = [slots.starts(index) + 1 for index in range(1000)]
        workers = slots.pids()
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        slots.wait_started(wanted, 60)
        return (slots.last_start_ns() - before) / 1e9

    samples = bench.interleaved("kill_all", 3 if bench.quick else 7, once)
    goal = {"corral run": Goal("at most", 1)}
    yield Figure("1,000 workers killed at once until all run again", "s", medians(samples), goal, bench.remarks)


def busy(bench):
    """Not through `start`: these workers are Python and note nothing."""
    cores = len(os.sched_getaffinity(0))

    def once(subject):
        log = os.path.join(bench.setting.folder, "log", subject.name.replace(" ", "-"))
        pid = processes.spawn(subject.spinning(bench.setting, cores), subject.environment(bench.setting), log)
        time.sleep(1)
        workers = processes.workers_of(pid)
        if len(workers) != cores:
            raise TookTooLong(f"it runs {len(workers)} workers on {cores} cores")
        before, begin = sum(map(processes.cpu_seconds, workers)), time.monotonic()
        time.sleep(3 if bench.quick else 10)
        took = time.monotonic() - begin
        return 100 * (sum(map(processes.cpu_seconds, workers)) - before) / took / cores

    samples = bench.interleaved("busy", 3, once)
    title = "CPU-bound Python on all cores: cores busy (the best of 3)"
    values = {name: max(taken) for name, taken in samples.items()}
    yield Figure(title, "%", values, {"corral run": Goal("at least", 98)}, bench.remarks)


METRICS = {
    function.__name__: function
    for function in (cold, start_100, start_1000, start_10000, kill_one, restarts, stop, memory, idle, sigterm, kill_all, busy)
}
