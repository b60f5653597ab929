"""The commands in the guides do what stands there."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

GUIDES = pathlib.Path(__file__).resolve().parents[2] / "docs" / "guide"
CORRAL = os.path.abspath(os.environ.get("CORRAL_BIN", "build/release/corral"))


class Guides(unittest.TestCase):
    def outputs(self, name):
        commands = re.findall(r"^```sh\n(.*?)^```", (GUIDES / name).read_text(), re.M | re.S)
        with tempfile.TemporaryDirectory() as folder:
            os.symlink(CORRAL, os.path.join(folder, "corral"))
            variables = dict(os.environ, PATH=folder + ":" + os.environ["PATH"])
            done = [subprocess.run(["sh", "-c", text], env=variables, capture_output=True, text=True, timeout=60) for text in commands]
        for command, one in zip(commands, done):
            self.assertEqual(one.returncode, 0, command + one.stderr)
        return [one.stdout for one in done]

    def test_from_gnu_parallel(self):
        self.assertEqual(self.outputs("from-gnu-parallel.md"), [
            "1 squared is 1\n2 squared is 4\n3 squared is 9\n",
            "1\n2\n3\n",
            '{"task":0,"ok":true,"result":"2"\n{"task":1,"ok":true,"result":"3"\n{"task":2,"ok":true,"result":"4"\n',
            "line 1\nline 2\nline 3\n",
        ])  # fmt: skip


if __name__ == "__main__":
    unittest.main(verbosity=2)
