"""What is left of sixty tasks when something goes wrong: corral beside what one would use otherwise.

    failures.py [--corral BINARY] [--only SUBJECT] [--markdown]

Four misfortunes, each with a fresh program that has 2 workers and 60 tasks:
  worker   a busy worker is killed with SIGKILL: how many tasks are done, does it end?
  term     SIGTERM in the middle of tasks of 20 seconds, and once more a second later if it has not ended: has it ended 5 seconds
           later, and who is alive a second after that?
  kill     SIGKILL, likewise
  ctrl-c   Ctrl-C on its terminal, likewise
"""

import argparse
import fcntl
import os
import pathlib
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))
from harness import processes_with  # noqa: E402

TASKS, LONG = 60, 20
MISFORTUNES = ("worker", "term", "kill", "ctrl-c")

WORK = """
import os, sys, time
folder, seconds = os.environ["FAILURES_FOLDER"], float(os.environ["FAILURES_SECONDS"])
def work(number):
    with open(f"{folder}/begun-{number}", "w") as file:
        file.write(str(os.getpid()))
    time.sleep(seconds)
    open(f"{folder}/done-{number}", "w").close()
    return number
"""
POOL = """
import multiprocessing
if __name__ == "__main__":
    with multiprocessing.Pool(2) as pool:
        for result in pool.imap_unordered(work, range(60)):
            pass
"""
EXECUTOR = """
if __name__ == "__main__":
    with Executor(2) as executor:
        futures = [executor.submit(work, number) for number in range(60)]
        for future in futures:
            future.result()
"""
PEBBLE = """
from pebble import ProcessPool
if __name__ == "__main__":
    with ProcessPool(max_workers=2) as pool:
        futures = [pool.schedule(work, args=[number]) for number in range(60)]
        for future in futures:
            future.result()
"""
SHELL = 'echo $$ > "$FAILURES_FOLDER/begun-$1"; sleep "$FAILURES_SECONDS"; : > "$FAILURES_FOLDER/done-$1"'
WORKER = "import corral\ncorral.serve(work)\n"


def subjects(corral):
    """{name: (program for Python or None, command; {} is the program's path)}"""
    python, debian = sys.executable, "/usr/bin/python3"  # loky and pebble are what Debian's packages have, for its Python.
    each = ["sh", "-c", SHELL, "task"]
    return {
        "corral map": (WORK + WORKER, [corral, "map", "-j2", "TASKS", "--", python, "{}"]),
        "corral map {}": (None, [corral, "map", "-j2", "TASKS", "--", *each, "{}"]),
        "corral.Executor": (WORK + "from corral import Executor\n" + EXECUTOR, [python, "{}"]),
        "multiprocessing.Pool": (WORK + POOL, [python, "{}"]),
        "ProcessPoolExecutor": (WORK + "from concurrent.futures import ProcessPoolExecutor as Executor\n" + EXECUTOR,
                                [python, "{}"]),
        "loky": (WORK + "from joblib.externals.loky import ProcessPoolExecutor as Executor\n" + EXECUTOR, [debian, "{}"]),
        "pebble": (WORK + PEBBLE, [debian, "{}"]),
        "GNU parallel": (None, ["parallel", "-j2", "-a", "TASKS", *map(quoted, each), "{}"]),
        "xargs": (None, ["xargs", "-P2", "-n1", "-a", "TASKS", *each]),
    }  # fmt: skip


def is_here(name, command):
    module = {"loky": "joblib", "pebble": "pebble"}.get(name)
    if module and subprocess.run([command[0], "-c", f"import {module}"], capture_output=True).returncode != 0:
        return False
    return shutil.which(command[0]) is not None


def quoted(word):
    """GNU parallel gives its command to a shell."""
    return "'" + word.replace("'", "'\\''") + "'"


class Run:
    """One program, its tasks and whom it has left behind."""

    def __init__(self, subject, corral, seconds, terminal=False):
        program, command = subject
        self.folder = tempfile.mkdtemp(prefix="failures-")
        self.token = uuid.uuid4().hex
        path, tasks = os.path.join(self.folder, "program.py"), os.path.join(self.folder, "tasks")
        pathlib.Path(path).write_text(program or "")
        pathlib.Path(tasks).write_text("".join(f"{number}\n" for number in range(TASKS)))
        words = [path if word == "{}" and program else tasks if word == "TASKS" else word for word in command]
        variables = dict(os.environ, FAILURES_FOLDER=self.folder, FAILURES_SECONDS=str(seconds), CORRAL_BIN=corral,
                         PYTHONPATH=str(ROOT / "worker" / "python"), PYTHONDONTWRITEBYTECODE="1", CORRAL_TEST_TOKEN=self.token)  # fmt: skip
        self.terminal, theirs = pty.openpty() if terminal else (-1, subprocess.DEVNULL)
        self.process = subprocess.Popen(words, env=variables, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
                                        preexec_fn=take_terminal if terminal else None)  # fmt: skip
        if terminal:
            os.close(theirs)

    def names(self, prefix):
        return {name[len(prefix):] for name in os.listdir(self.folder) if name.startswith(prefix)}

    def await_that(self, condition, seconds):
        until = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > until:
                return False
            self.drain_terminal()
            time.sleep(0.01)
        return True

    def drain_terminal(self):
        if self.terminal >= 0:
            try:
                os.set_blocking(self.terminal, False)
                os.read(self.terminal, 65536)
            except OSError:
                pass

    def ended(self):
        return self.process.poll() is not None

    def busy(self):
        """The process of a task that has begun and is not done."""
        for number in sorted(self.names("begun-") - self.names("done-")):
            text = pathlib.Path(self.folder, f"begun-{number}").read_text().strip()
            if text and int(text) in self.alive():
                return int(text)
        return None

    def befall(self, misfortune):
        if misfortune == "ctrl-c":
            os.write(self.terminal, b"\x03")
        else:
            self.process.send_signal(signal.SIGTERM if misfortune == "term" else signal.SIGKILL)

    def alive(self):
        return processes_with(self.token)

    def close(self):
        for pid in self.alive():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        if self.terminal >= 0:
            os.close(self.terminal)
        shutil.rmtree(self.folder, ignore_errors=True)


def take_terminal():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def suffer(subject, corral, misfortune, seconds=0.1, patience=15):
    """{"done": N, "ended": bool, "orphans": N}"""
    run = Run(subject, corral, seconds if misfortune == "worker" else LONG, terminal=misfortune == "ctrl-c")
    try:
        enough = 4 if misfortune == "worker" else 0
        if not run.await_that(lambda: len(run.names("done-")) >= enough and len(run.names("begun-")) >= 2 and run.busy(), 60):
            raise AssertionError("it has not begun")
        if misfortune == "worker":
            os.kill(run.busy(), signal.SIGKILL)
            ended = run.await_that(run.ended, TASKS * seconds + patience)
        else:
            run.befall(misfortune)
            ended = run.await_that(run.ended, 1)
            if not ended:
                run.befall(misfortune)
                ended = run.await_that(run.ended, 5)
        if ended:
            run.await_that(lambda: not run.alive(), 1)
        return {"done": len(run.names("done-")), "ended": ended, "orphans": len(run.alive()) if ended else None}
    finally:
        run.close()


def words(misfortune, outcome):
    if misfortune == "worker":
        return f"{outcome['done']} of {TASKS}" + ("" if outcome["ended"] else ", then it hangs")
    if not outcome["ended"]:
        return "runs on"
    return f"{outcome['orphans']} left behind" if outcome["orphans"] else "ends, nobody left"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corral", default=str(ROOT / "build/release/corral"))
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    print("| | " + " | ".join(MISFORTUNES) + " |\n| --- |" + " --- |" * len(MISFORTUNES))
    for name, subject in subjects(os.path.abspath(options.corral)).items():
        if options.only not in name or not is_here(name, subject[1]):
            continue
        cells = [words(misfortune, suffer(subject, os.path.abspath(options.corral), misfortune)) for misfortune in MISFORTUNES]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
