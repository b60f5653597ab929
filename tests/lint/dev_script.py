"""What ./dev says of a command line that means nothing, and of a place where nothing can be built: one sentence, status 2."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from house import ROOT


class Dev(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="corral-dev-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        shutil.copy(ROOT / "dev", self.root)
        (self.root / "docs").symlink_to(ROOT / "docs")

    def dev(self, *words):
        return subprocess.run([self.root / "dev", *words], capture_output=True, text=True, timeout=60)

    def refused(self, *words):
        done = self.dev(*words)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertFalse((self.root / "build").is_dir(), "something was built")
        return done.stderr

    def test_help_builds_nothing(self):
        for words in ([], ["help"], ["--help"], ["run", "--help"], ["run", "-h"]):
            done = self.dev(*words)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("./dev", done.stdout)
        self.assertFalse((self.root / "build").exists())

    def test_what_means_nothing_is_refused(self):
        for words in (["rnu"], ["build", "--bogus"], ["build", "corral"], ["format", "--bogus"], ["fuzz", "soon"]):
            self.assertRegex(self.refused(*words).splitlines()[-1], f"^dev: .*{words[-1]}")

    def test_a_folder_that_cannot_be_made_is_named(self):
        (self.root / "build").write_text("in the way\n")
        said = self.refused("build")
        self.assertEqual(said.count("\n"), 1, said)
        self.assertIn(f"cannot make the folder {self.root}/build", said)


if __name__ == "__main__":
    unittest.main()
