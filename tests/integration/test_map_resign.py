"""Workers that somebody else tells to end: no task is charged for that."""

import os
import signal

from harness import children, main, read
from mapping import MapTest

PRIMES = os.path.join(os.path.dirname(os.path.abspath(os.environ["CORRAL_BIN"])), "worker", "examples", "primes")
# Sends itself SIGTERM while it is idle, and takes its time to clean up.
POLITE_END = """
import os, signal, sys, threading, time
import corral
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
@corral.task
def work(item):
    if item == "a":
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM)).start()
    return item
try:
    corral.serve()
finally:
    time.sleep(0.5)
    print("cleaned up")
"""


class Resignation(MapTest):
    def test_sigterm_to_a_worker_charges_no_task(self):
        tasks = [f"{i} {i + 3_000_000}" for i in range(0, 120_000_000, 3_000_000)]
        corral = self.map(("\n".join(tasks) + "\n").encode(), "-j1", "--retries", "0", command=[PRIMES])
        for number in range(2, 40, 4):
            corral.await_out(f'"task":{number},')  # One that has answered is hit, never one that has not said HELLO.
            for pid in children(corral.pid):
                if b"primes" in read(f"/proc/{pid}/cmdline", "rb"):
                    os.kill(pid, signal.SIGTERM)
        self.finish(corral, 0)
        results = self.results(corral)
        self.assertEqual(sorted(results), list(range(40)))
        self.assertEqual({line["attempts"] for line in results.values()}, {1})

    def test_what_a_worker_does_behind_its_last_task_is_not_cut_off(self):
        script = self.write("worker.py", POLITE_END)
        root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        out, into = os.pipe()
        corral = self.start("map", "-", "-j1", "--retries", "0", "--", "/usr/bin/python3", script, stdin=out,
                            environment={"PYTHONPATH": os.path.join(root, "worker", "python")})  # fmt: skip
        os.close(out)
        with os.fdopen(into, "w", buffering=1) as tasks:
            tasks.write('"a"\n')
            corral.await_err("cleaned up")
            tasks.write('"b"\n')
            corral.await_out('"b"')
        self.finish(corral, 0)
        self.assertEqual(len(self.results(corral)), 2)


if __name__ == "__main__":
    main()
