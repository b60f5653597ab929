"""Runs the tests of this folder in the oldest and the newest Python from 3.9 on that is at hand.

    every_python.py [NAME...]        # test files, without "test_" and ".py"; all if none is named

With CORRAL_EVERY_PYTHON=1, as in ./dev test --full, those between them too, one for each minor version. CORRAL_TEST_PYTHONS names
others, separated by colons.
"""

import glob
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ASK = "import sys; print(sys.version_info[0] * 100 + sys.version_info[1])"


def minor_of(python):
    """309 for Python 3.9; None for what is none, or does not run (a shim of a version that is not chosen)."""
    try:
        done = subprocess.run([python, "-c", ASK], capture_output=True, text=True, timeout=60)
        return int(done.stdout) if done.returncode == 0 else None
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def candidates():
    named = os.environ.get("CORRAL_TEST_PYTHONS")
    if named:
        return named.split(":")
    found = [sys.executable, *glob.glob("/usr/bin/python3.*"), *glob.glob("/usr/local/bin/python3.*")]
    root = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    found += glob.glob(os.path.join(root, "versions", "*", "bin", "python3"))
    found += filter(None, (shutil.which(f"python3.{minor}") for minor in range(9, 20)))
    return [python for python in found if re.fullmatch(r"python3(\.\d+)?", os.path.basename(python))]


def pythons():
    """{minor version: interpreter}, the one that runs this first of all."""
    chosen = {}
    for python in candidates():
        version = minor_of(python)
        if version is not None and version >= 309:
            chosen.setdefault(version, python)
    ordered = sorted(chosen.items())
    everyone = os.environ.get("CORRAL_EVERY_PYTHON") or os.environ.get("CORRAL_TEST_PYTHONS")
    return dict(ordered if everyone else ordered[:1] + ordered[-1:])


def main():
    names = [f"test_{name}" for name in sys.argv[1:]]
    words = names or ["discover", "--start-directory", HERE]
    failed = []
    for version, python in pythons().items():
        print(f"Python 3.{version - 300}, {python}:", flush=True)
        if subprocess.run([python, "-B", "-m", "unittest", *words], cwd=HERE).returncode != 0:
            failed.append(python)
    if failed:
        sys.exit(f"failed in {', '.join(failed)}")


if __name__ == "__main__":
    main()
