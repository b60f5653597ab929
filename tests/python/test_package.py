"""The package as it is installed, the example, and the guide's scripts."""

import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import unittest
import zipfile

from harness import CEILING, PACKAGE, ROOT, Worker, WorkerTest, environment, task

EXAMPLE = ROOT / "worker" / "examples" / "primes.py"
GUIDE = ROOT / "docs" / "guide" / "python.md"


def packing():
    spec = importlib.util.spec_from_file_location("packing", PACKAGE / "packing.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(words, data=b"", **variables):
    variables = {**environment(), **variables}
    words = [str(word) for word in words]
    done = subprocess.run(words, input=data, capture_output=True, env=variables, timeout=CEILING)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


class Package(WorkerTest):
    def test_one_version_everywhere(self):
        version = re.search(r"project\(corral VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
        self.assertIn(f'version = "{version}"', (PACKAGE / "pyproject.toml").read_text())
        self.assertIn(f'__version__ = "{version}"', (PACKAGE / "corral" / "__init__.py").read_text())

    def works_from(self, path):
        code = "import corral, sys; print(corral.__file__.startswith(sys.argv[1]), file=sys.stderr); corral.serve(abs)"
        self.assertEqual(run([sys.executable, "-c", code, path], b"-5\n", PYTHONPATH=str(path)), (0, "5\n", "True\n"))

    def test_the_wheel(self):
        name = packing().build_wheel(self.folder)
        with zipfile.ZipFile(os.path.join(self.folder, name)) as wheel:
            names = wheel.namelist()
            wheel.extractall(os.path.join(self.folder, "site"))
        self.assertIn("corral/py.typed", names)
        self.assertIn("corral/_serve.py", names)
        self.assertEqual([name for name in names if not name.startswith(("corral/", "corral-0"))], [])
        self.works_from(os.path.join(self.folder, "site"))

    def test_the_source_archive_builds_the_same_wheel(self):
        wheel = packing().build_wheel(self.folder)
        with tarfile.open(os.path.join(self.folder, packing().build_sdist(self.folder))) as archive:
            safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
            archive.extractall(os.path.join(self.folder, "source"), **safe)
        (source,) = pathlib.Path(self.folder, "source").iterdir()
        again = pathlib.Path(self.folder, "again")
        again.mkdir()
        code = f"import packing; packing.build_wheel({str(again)!r})"
        status, _, err = run([sys.executable, "-c", code], PYTHONPATH=str(source))
        self.assertEqual((status, err), (0, ""))
        self.assertEqual((again / wheel).read_bytes(), pathlib.Path(self.folder, wheel).read_bytes())

    def test_pip(self):
        if importlib.util.find_spec("pip") is None:
            self.skipTest("this Python has no pip")
        for more in ([], ["--editable"]):
            target = os.path.join(self.folder, "".join(more) or "site")
            pip = [sys.executable, "-m", "pip"]
            pip += ["--isolated", "--disable-pip-version-check", "-q", "install", "--no-index"]
            before = sorted(PACKAGE.rglob("*"))
            status, out, err = run([*pip, "--target", target, *more, PACKAGE], HOME=self.folder)
            self.assertEqual(status, 0, out + err)
            self.assertEqual([path for path in sorted(PACKAGE.rglob("*")) if path not in before], [])
            if more:
                self.assertEqual(pathlib.Path(target, "corral.pth").read_text(), f"{PACKAGE}\n")
            else:
                self.works_from(target)


class Example(WorkerTest):
    def test_primes(self):
        status, tasks, err = run([sys.executable, EXAMPLE, "--tasks", "3"])
        self.assertEqual((status, tasks.count("\n"), err), (0, 3, ""))
        status, results, _ = run([sys.executable, EXAMPLE], tasks.encode())
        self.assertEqual(status, 0)
        self.assertEqual([json.loads(line)["primes"] for line in results.splitlines()], [78498, 70435, 67883])

    def test_small_ranges(self):
        worker = Worker(self.folder, EXAMPLE.read_text())
        self.addCleanup(worker.close)
        prime = [number for number in range(400) if number > 1 and all(number % by for by in range(2, number))]
        ranges = ((0, 0), (0, 1), (0, 2), (0, 3), (2, 3), (3, 4), (4, 5), (0, 100), (89, 97), (90, 97), (97, 98))
        for begin, end in ranges:
            worker.send(task(1, {"from": begin, "to": end}))
            while (got := worker.frame())[0] == 5:
                pass
            inside = [number for number in prime if begin <= number < end]
            expected = {"primes": len(inside), "last": inside[-1] if inside else None}
            self.assertEqual(json.loads(got[2]), expected, (begin, end))


class Guide(WorkerTest):
    def test_its_scripts_do_what_it_shows(self):
        """A ```python block that serves is a script; a ```console block below it shows what it does without corral."""
        blocks = re.findall(r"^```(\w+)\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        shown = 0
        for (kind, text), (following, session) in zip(blocks, blocks[1:]):
            if kind != "python" or following != "console":
                continue
            pathlib.Path(self.folder, "worker.py").write_text(text, encoding="utf-8")
            command, _, expected = session.partition("\n")
            self.assertTrue(command.startswith("$ "), session)
            words = ["/bin/sh", "-c", command[2:].replace("python3", f"'{sys.executable}'")]
            done = subprocess.run(words, cwd=self.folder, env=environment(), capture_output=True, timeout=CEILING)
            self.assertEqual(done.stdout.decode(), expected, done.stderr.decode())
            shown += 1
        self.assertGreaterEqual(shown, 2)


if __name__ == "__main__":
    unittest.main()
