"""`corral map --state`: killed with SIGKILL at any moment, corral or its workers, and every result is there once.

The seed of a round is in its messages; CORRAL_SEED repeats it.
"""

import json
import os
import random
import signal
import sqlite3
import subprocess
import time

from harness import CORRAL, children, main, read
from mapping import MapTest

SEED = int(os.environ.get("CORRAL_SEED", random.randrange(1 << 30)))
TASKS = 20000
DIFFERENT = 15000  # The others are lines that came before.
KILLS = 30
AT_ONCE = 1000  # However fast the machine is, there are tasks left for the later rounds.


class Killed(MapTest):
    def setUp(self):
        super().setUp()
        self.chance = random.Random(SEED)
        self.tasks = self.write("tasks", "".join(f"{number % DIFFERENT}\n" for number in range(TASKS)))
        self.command = ["map", self.tasks, "--state", self.path("run.db"), "-o", self.path("out"), "-j2", "--lines", "--retries", "1000"]

    def words(self, *options):
        return [*self.command, *options, "--", "sh", "-c", 'while read -r line; do echo "$line done"; done']

    def rows(self):
        database = sqlite3.connect(self.path("run.db"))
        rows = database.execute("SELECT result FROM tasks ORDER BY id").fetchall()
        database.close()
        return [row[0] for row in rows]

    def check(self):
        written = read(self.path("out")).splitlines()
        self.assertEqual(written, self.rows(), f"seed {SEED}: the file is not what the state says")
        entries = [json.loads(line) for line in written]
        self.assertEqual(sorted(entry["task"] for entry in entries), list(range(TASKS)), f"seed {SEED}")
        for entry in entries:
            self.assertEqual(entry["result"], f"{entry['task'] % DIFFERENT} done", f"seed {SEED}")

    def moment(self, most):
        """Not for an event: any moment at all is what is tested."""
        time.sleep(self.chance.random() * most)

    def rounds(self, *options):
        """How far one gets in between does not matter: with nothing done, or all of it, the end must be the same."""
        for _ in range(KILLS):
            corral = self.start(*self.words(*options, "--limit", str(AT_ONCE)))
            self.moment(0.1)
            if self.chance.random() < 0.3:
                for worker in children(corral.pid):
                    try:
                        os.kill(worker, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
            corral.process.kill()
            corral.wait()
            self.assertNotIn("move it away", corral.err, f"seed {SEED}")
            self.assertNotIn("damaged", corral.err, f"seed {SEED}")
            if self.chance.random() < 0.3 and os.path.exists(self.path("run.db")):
                subprocess.run([CORRAL, "map", "--state", self.path("run.db"), "--status"], capture_output=True, timeout=60)
            if self.chance.random() < 0.2 and os.path.exists(self.path("out")):
                os.truncate(self.path("out"), self.chance.randrange(os.path.getsize(self.path("out")) + 1))
        self.finish(self.start(*self.words(*options)), 0)
        self.check()

    def test_results_as_they_come(self):
        self.rounds()

    def test_results_in_order(self):
        self.rounds("--ordered")

    def test_at_every_call_that_writes(self):
        """Killed as it is about to make its n-th such call, for n = 1, 2, 3, …, each time going on with what is there."""
        for call in range(1, 40):
            tracer = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64,fdatasync,fsync,ftruncate,unlink",
                      "-e", f"inject=pwrite64,fdatasync,fsync,ftruncate,unlink:signal=SIGKILL:when={call}"]  # fmt: skip
            corral = self.start(*self.words("--limit", "100"), wrapper=tracer)
            corral.wait()
            self.assertNotIn("move it away", corral.err)
            self.assertNotIn("damaged", corral.err)
        self.finish(self.start(*self.words()), 0)
        self.check()

    def test_a_disk_that_fails_from_some_call_on(self):
        """Then corral says so, ends with a failure, and has made nothing of it: with a disk that works the same command goes on."""
        for call, error in (("fdatasync", "EIO"), ("pwrite64", "EIO"), ("pwrite64", "ENOSPC")):
            for count in (1, 4, 9, 30, 100, 300):
                with self.subTest(f"{call} {error} from the {count}th on"):
                    tracer = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={count}+"]
                    corral = self.start(*self.words("--limit", str(AT_ONCE)), wrapper=tracer)
                    status = self.finish(corral)
                    if status != 0:  # With few calls it may be through before.
                        self.assertIn(status, (1, 2))
                        self.assertRegex(corral.err, "state|results file")
                        self.assertRegex(corral.err, "Input/output error|full|No space left")
        self.finish(self.start(*self.words()), 0)
        self.check()


if __name__ == "__main__":
    main()
