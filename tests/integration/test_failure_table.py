"""The table of docs/guide/failures.md, corral's rows: all tasks are done, and nobody is left behind."""

import os
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[1] / "bench"))
import failures  # noqa: E402

CORRAL = os.path.abspath(os.environ.get("CORRAL_BIN", "build/release/corral"))


class Table(unittest.TestCase):
    def outcome(self, name, misfortune):
        return failures.suffer(failures.subjects(CORRAL)[name], CORRAL, misfortune)

    def test_sixty_of_sixty_when_a_busy_worker_is_killed(self):
        for name in ("corral map", "corral map {}", "corral.Executor"):
            with self.subTest(name):
                self.assertEqual(self.outcome(name, "worker"), {"done": 60, "ended": True, "orphans": 0})

    def test_nobody_is_left_behind(self):
        for name in ("corral map", "corral map {}", "corral.Executor"):
            for misfortune in ("term", "kill", "ctrl-c"):
                with self.subTest(name, misfortune=misfortune):
                    outcome = self.outcome(name, misfortune)
                    self.assertEqual((outcome["ended"], outcome["orphans"]), (True, 0))


if __name__ == "__main__":
    unittest.main(verbosity=2)
