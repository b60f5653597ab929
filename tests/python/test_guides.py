"""The programs in the guides run as they stand there."""

import os
import re
import subprocess
import sys
import tempfile
import unittest

from harness import CEILING, ROOT, environment


class Guides(unittest.TestCase):
    def run_programs(self, name):
        with open(ROOT / "docs" / "guide" / name, encoding="utf-8") as file:
            programs = re.findall(r"^```python\n(.*?)^```", file.read(), re.M | re.S)
        outputs = []
        for program in programs:
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "program.py")
                with open(path, "w", encoding="utf-8") as file:
                    file.write(program)
                done = subprocess.run([sys.executable, path], env=environment(), capture_output=True, text=True, timeout=CEILING)
                self.assertEqual((done.returncode, done.stderr), (0, ""), program)
                outputs.append(done.stdout)
        return outputs

    def test_the_executor(self):
        self.assertEqual(self.run_programs("executor.md"), ["332833500\n", "13 was tried 3 times, signal 11\n"])

    def test_from_multiprocessing(self):
        self.assertEqual(self.run_programs("from-multiprocessing.md"), ["", ""])


if __name__ == "__main__":
    unittest.main()
