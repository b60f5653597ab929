"""Random harm to the workers of `corral map`, and to corral itself, round after round; the ledger balances after each.

What must hold: every task has exactly one result, and each line of the results is whole; where nobody harmed corral itself, all are
done (their retries are more than there is harm), those that nobody can do are quarantined, and no neighbour is; when corral is killed
or stopped, no result is there twice, nobody is left, and the end comes in time. The seed decides everything but the machine's timing.
"""

import argparse
import json
import os
import random
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
from harness import await_that, children, main, processes_with, read  # noqa: E402
from mapping import MapTest  # noqa: E402


class Chaos(MapTest):
    seconds, seed = 20.0, 1

    def some_tasks(self):
        chance = self.chance
        kinds = [lambda: chance.randint(0, 10**9), lambda: {"sleep": chance.choice([0.001, 0.01, 0.03])}, lambda: {"big": 5000},
                 lambda: {"fail": "no good"}, lambda: {"twice": 1}, lambda: {"kill-once": self.path(f"once-{chance.random()}")}]  # fmt: skip
        weights = [chance.random() for _ in kinds]
        tasks = [chance.choices(kinds, weights)[0]() for _ in range(chance.randint(1, 400))]
        poisons = chance.sample(range(len(tasks)), min(len(tasks), chance.choice([0, 0, 1, 3])))
        for position in poisons:
            tasks[position] = chance.choice([{"kill": 11}, {"exit": 3}, {"garbage": 1}])
        return tasks, set(poisons)

    def victims(self, corral):
        return [pid for pid in children(corral.pid) if b"task_worker" in read(f"/proc/{pid}/cmdline", "rb")]

    def test_map(self):
        began, rounds = time.monotonic(), 0
        while time.monotonic() - began < self.seconds:
            self.chance = random.Random(self.seed * 1_000_003 + rounds)
            rounds += 1
            with self.subTest(seed=self.seed, round=rounds):
                self.one_round()
        print(f"{rounds} rounds", file=sys.stderr)

    def one_round(self):
        chance = self.chance
        tasks, poisons = self.some_tasks()
        deeds = chance.randint(0, 8)
        end = chance.choice([None, None, None, signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
        options = ["-j", str(chance.randint(1, 4)), "--retries", "12" if not poisons else str(12 + deeds), "-q"]
        options += chance.choice([[], ["--ordered"]]) + chance.choice([[], ["--max-tasks", str(chance.randint(1, 30))]])
        if poisons:
            options[3] = "2"
            deeds = 0  # A poisoned task and a murderer together are not to be told apart.
        corral = self.map(tasks, *options)
        for _ in range(deeds):
            time.sleep(chance.random() * 0.03)
            for pid in chance.sample(self.victims(corral), min(1, len(self.victims(corral)))):
                try:
                    os.kill(pid, chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM]))
                except ProcessLookupError:
                    pass
        if end is not None:
            time.sleep(chance.random() * 0.2)
            corral.process.send_signal(end)
            if end != signal.SIGKILL and chance.random() < 0.5:
                corral.process.send_signal(end)
        corral.process.wait(60)
        await_that("nobody is left", lambda: not processes_with(self.token), 10)
        corral.wait(60)
        self.check(corral, tasks, poisons, end)

    def check(self, corral, tasks, poisons, end):
        lines = corral.out.splitlines(keepends=True)
        if end == signal.SIGKILL and lines and not lines[-1].endswith("\n"):
            lines.pop()  # What is in a pipe when its writer is killed need not end with a line.
        results = {}
        for line in lines:
            entry = json.loads(line)
            self.assertNotIn(entry["task"], results, "written twice")
            results[entry["task"]] = entry
        self.assertNotIn("internal error", corral.err)
        for number, entry in results.items():
            if entry.get("quarantined"):
                self.assertIn(number, poisons, "a neighbour of the poisoned")
            elif not entry["ok"]:
                self.assertIn("fail", tasks[number])
        if end is None or corral.process.returncode in (0, 1):
            self.assertEqual(set(results), set(range(len(tasks))), corral.err[-2000:])
            self.assertTrue(all(results[number].get("quarantined") for number in poisons))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=Chaos.seconds)
    parser.add_argument("--seed", type=int, default=Chaos.seed)
    options, sys.argv[1:] = parser.parse_known_args()
    Chaos.seconds, Chaos.seed = options.seconds, options.seed
    main()
