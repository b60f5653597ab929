"""How fast a running supervisor answers, what an event costs it, and what hostile clients can do to both.

The client is a raw connection: what is measured is the supervisor and the kernel, and as little of Python as can be.
"""

import json
import os
import random
import signal
import socket
import statistics
import subprocess
import time

import processes
from metrics import Figure, Goal, percentile
from slots import Slots, TookTooLong

STATUS = b"GET /v1/status HTTP/1.1\r\nHost: corral\r\n\r\n"
HALF = b"GET /v1/status HTTP/1.1\r\nHost: cor"
RESTART = {"when": "always", "delay": "0", "jitter": 0, "healthy_after": "0", "limit": None}


class Kept:
    """So many idle workers that somebody keeps."""

    def __init__(self, bench, workers, name):
        self.bench, self.workers = bench, workers
        self.folder = bench.setting.fresh_folder(f"{name}-{workers}")
        self.slots = Slots(os.path.join(bench.scratch, "slots"), workers)

    def begin(self, words):
        self.pid = processes.spawn(words, os.environ, os.path.join(self.bench.scratch, "control.log"))
        self.slots.wait_started(1, 120, alive=lambda: processes.alive(self.pid))

    def cpu_ns(self):
        """Of all its threads, as the scheduler counts it."""
        total = 0
        for task in os.listdir(f"/proc/{self.pid}/task"):
            with open(f"/proc/{self.pid}/task/{task}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
        return total

    def restart_one(self, index, ceiling=20):
        """Seconds from the death of a worker to the first instruction of the next."""
        lives = self.slots.starts(index)
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        os.kill(self.slots.read(index)[2], signal.SIGKILL)
        self.slots.wait_started(lives + 1, ceiling, [index])
        return (self.slots.read(index)[0] - before) / 1e9

    def end(self):
        processes.kill_everything()
        self.slots.close()


class Loop(Kept):
    """The bare loop, which knows of nothing but vfork, exec and wait: here for the child that the signal names."""

    def __init__(self, bench, workers):
        super().__init__(bench, workers, "loop")
        self.begin([bench.setting.bare, "named", str(workers), bench.setting.worker, "w", self.slots.path])
        time.sleep(1)


class Running(Kept):
    """`corral run` with a control socket."""

    def __init__(self, bench, workers):
        super().__init__(bench, workers, "control")
        # Short: the path of a socket has room for a hundred characters.
        self.socket = os.path.join(bench.scratch, f"c{workers}.sock")
        program = {"command": [bench.setting.worker, f"w:{{index}}:{self.slots.path}"], "workers": workers, "cores": "shared", "restart": RESTART}
        with open(os.path.join(self.folder, "corral.json"), "w", encoding="utf-8") as file:
            json.dump({"programs": {"bench": program}, "control": {"socket": self.socket}}, file)
        self.begin([bench.setting.corral, "run", os.path.join(self.folder, "corral.json")])
        limit = time.monotonic() + 10
        while True:
            try:
                self.connect().close()
                break
            except OSError:
                if time.monotonic() > limit:
                    raise TookTooLong("nobody listens at its control socket") from None
                time.sleep(0.01)
        time.sleep(1)  # What a start leaves to be done is done.

    def connect(self, ceiling=60):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(ceiling)
        connection.connect(self.socket)
        return connection


class Client:
    """Asks for the status over one connection, again and again."""

    def __init__(self, running):
        self.connection = running.connect()

    def ask(self):
        self.connection.sendall(STATUS)
        text = self.connection.recv(1 << 20)
        head, separator, body = text.partition(b"\r\n\r\n")
        while not separator:
            text += self.connection.recv(1 << 20)
            head, separator, body = text.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise TookTooLong(f"it answered {head[:60]!r}")
        missing = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]) - len(body)
        while missing > 0:
            more = self.connection.recv(missing)
            if not more:
                raise TookTooLong("it hung up in the middle of an answer")
            missing -= len(more)

    def seconds(self):
        begin = time.perf_counter()
        self.ask()
        return time.perf_counter() - begin


def status(bench):
    running = Running(bench, 1000)
    client = Client(running)
    rounds = 20 if bench.quick else 100

    def fresh():
        time.sleep(0.11)  # Or the answer would be the last one, told again.
        return client.seconds()

    by_socket = [fresh() for _ in range(rounds)]

    def by_command():
        time.sleep(0.11)
        begin = time.perf_counter()
        words = [bench.setting.corral, "status", "--socket", running.socket]
        subprocess.run(words, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        return time.perf_counter() - begin

    by_command = [by_command() for _ in range(rounds)]
    running.end()
    values = {"corral status": statistics.median(by_command) * 1e3, "GET /v1/status": statistics.median(by_socket) * 1e3}
    goal = Goal("at most", 20)
    yield Figure("status of 1,000 workers", "ms", values, {"corral status": goal, "GET /v1/status": goal})


def requests(bench):
    running = Running(bench, 2)
    client = Client(running)
    count = 3000 if bench.quick else 10_000
    samples = []
    for _ in range(5):
        begin = time.perf_counter()
        for _ in range(count):
            client.ask()
        samples.append(count / (time.perf_counter() - begin))
    running.end()
    title = "status of 2 workers, one request after the other on one connection"
    yield Figure(title, "a second", {"corral run": statistics.median(samples)}, {"corral run": Goal("at least", 10_000)})


def event_cost(bench):
    """Processor time of the keeper for a worker that dies and starts again: launch included, which is most of it.

    With thousands of processes the kernel takes longer for each clone and each wait, whoever asks: so the bare loop is asked the
    same.
    """
    few, many = 10, 1000 if bench.quick else min(10_000, most_workers())
    count, keepers = 200, {"bare loop": Loop, "corral run": Running}
    samples = {(name, workers): [] for name in keepers for workers in (few, many)}
    for number in range(2 if bench.quick else 3):
        for name, workers in random.Random(number).sample(list(samples), len(samples)):
            kept = keepers[name](bench, workers)
            begin = kept.cpu_ns()
            for lap in range(count):
                kept.restart_one(random.Random(lap).randrange(workers))
            samples[name, workers].append((kept.cpu_ns() - begin) / count / 1e3)
            kept.end()
    for workers in (few, many):
        values = {name: statistics.median(samples[name, workers]) for name in keepers}
        yield Figure(f"processor time for a death and the start that follows, with {workers:,} workers", "µs", values)
    growth = {name: statistics.median(samples[name, many]) / statistics.median(samples[name, few]) for name in keepers}
    yield Figure(f"the same, with {many:,} workers against {few}", "×", growth, {"corral run": Goal("at most", 1.2)})


def most_workers():
    import resource

    return (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200) // 2


class Hostile:
    """So many clients that do not behave: half a request, an end of their own with the answer to come, no reading of any answer. Five
    hundred a second go and come again."""

    def __init__(self, path, count):
        self.path, self.count = path, count

    def attack(self, number):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.setblocking(False)
        try:
            connection.connect(self.path)
            connection.send((HALF, STATUS, STATUS * 10)[number % 3])
            if number % 3 == 1:
                connection.shutdown(socket.SHUT_WR)
        except OSError:  # No room in the queue, or let go of already.
            pass
        return connection

    def attack_for_ever(self, all_are_there):
        held = [self.attack(number) for number in range(self.count)]
        all_are_there()
        number = 0
        while True:
            for _ in range(5):
                number = (number + 1) % self.count
                held[number].close()
                held[number] = self.attack(number)
            time.sleep(0.01)


def hostile(bench):
    clients = 10_000
    running = Running(bench, 100)
    rounds = 100 if bench.quick else 400

    def command():
        begin = time.perf_counter()
        words = [bench.setting.corral, "status", "--socket", running.socket]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise TookTooLong(done.stderr.strip())
        return time.perf_counter() - begin

    def look():
        statuses = [command() for _ in range(rounds // 4)]
        restarts = [running.restart_one(lap % running.workers) for lap in range(rounds)]
        return statuses, restarts

    calm_statuses, calm_restarts = look()
    there, says_so = os.pipe()
    attackers = os.fork()
    if attackers == 0:
        Hostile(running.socket, clients).attack_for_ever(lambda: os.write(says_so, b"!"))
    os.read(there, 1)
    os.close(there)
    os.close(says_so)
    try:
        statuses, restarts = look()
    finally:
        os.kill(attackers, signal.SIGKILL)
        running.end()
    title = f"corral status, with {clients:,} clients that do not behave"
    values = {"without them, worst": max(calm_statuses) * 1e3, "median": statistics.median(statuses) * 1e3, "99 of 100": percentile(statuses, 0.99) * 1e3, "worst": max(statuses) * 1e3}
    yield Figure(title, "ms", values, {"99 of 100": Goal("at most", 100)})
    values = {"without them": statistics.median(calm_restarts) * 1e3, "with them": statistics.median(restarts) * 1e3}
    yield Figure("the restart of a worker meanwhile, median", "ms", values)


METRICS = {"status": status, "requests": requests, "event_cost": event_cost, "hostile": hostile}
