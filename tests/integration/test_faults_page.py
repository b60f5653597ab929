"""docs/faults.md names tests that exist: a row whose test was renamed or removed is found here."""

import glob
import os
import re
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))


def tests_in(name):
    with open(os.path.join(HERE, f"test_{name}.py")) as file:
        text = file.read()
    return set(re.findall(r"def test_(\w+)", text)) | set(re.findall(r"^class (\w+)\(", text, re.MULTILINE))


class FaultsPage(unittest.TestCase):
    def test_every_named_test_exists(self):
        with open(os.path.join(HERE, "..", "..", "docs", "faults.md")) as file:
            rows = [line.split(" | ") for line in file if re.match(r"\| \d", line)]
        self.assertGreater(len(rows), 55)
        files = {os.path.basename(path)[5:-3] for path in glob.glob(os.path.join(HERE, "test_*.py"))}
        named = 0
        for row in rows:
            for reference in row[3].split("; "):
                file, colon, names = reference.partition(": ")
                if not colon or file not in files:
                    continue
                for name in names.split(", "):
                    stem, dots, _ = name.strip().partition("…")
                    if stem.startswith("all"):
                        continue
                    known = tests_in(file)
                    found = any(test.startswith(stem) for test in known) if dots else stem in known
                    if " " not in stem:
                        self.assertTrue(found, f"row {row[0]} names {file}: {name}")
                        named += 1
        self.assertGreater(named, 50)


if __name__ == "__main__":
    unittest.main(verbosity=2)
