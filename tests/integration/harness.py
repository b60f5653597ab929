"""What every integration test stands on: start corral, await what it says, and see that it leaves nothing behind.

Every test has a token in the environment of all that it starts. When corral has ended, /proc is searched for it: no process
of a test may be alive, whatever it forked and however. Nothing here sleeps for a fixed time: what is awaited has a ceiling,
far above what a loaded machine takes.
"""

import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import uuid

CORRAL = os.path.abspath(os.environ.get("CORRAL_BIN", "build/release/corral"))
ZOO = os.path.abspath(os.environ.get("CORRAL_ZOO", "build/release/tests/support/zoo/zoo"))
CEILING = float(os.environ.get("CORRAL_TEST_CEILING", "60"))

# A worker shares the supervisor's memory until its exec. The sanitizer's own signal handlers, which no release has, would run
# in it there and leave the sanitizer's locks taken behind. Other faults are found without them.
SANITIZER = ":".join(f"handle_{name}=0" for name in ("segv", "sigbus", "abort", "sigill", "sigfpe"))

# Restarts that do not keep a test waiting.
QUICK = {"when": "always", "delay": "1ms", "max_delay": "1ms", "limit": None}


def await_that(what, condition, ceiling=CEILING):
    """The first truthy value of condition(); fails with `what` when there is none in time."""
    deadline = time.monotonic() + ceiling
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {ceiling:g} s: {what() if callable(what) else what}")
        time.sleep(0.005)


def read(path, mode="r"):
    try:
        with open(path, mode) as file:
            return file.read()
    except OSError:
        return "" if mode == "r" else b""


def exists(pid):
    """Alive, and not merely waiting to be reaped."""
    stat = read(f"/proc/{pid}/stat")
    return bool(stat) and stat.rpartition(")")[2].split()[0] not in "ZX"


def guardian_of(pid):
    """The process that waits for the end of this corral; None while there is none."""
    for name in filter(str.isdigit, os.listdir("/proc")):
        if read(f"/proc/{name}/cmdline").startswith("corral: guardian"):
            if read(f"/proc/{name}/stat").rpartition(")")[2].split()[1:2] == [str(pid)]:
                return int(name)
    return None


def processes_with(token):
    """{pid: command line} of all that have the token in their environment or their arguments."""
    needle, found = token.encode(), {}
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            arguments = read(f"/proc/{name}/cmdline", "rb")
            if needle in arguments or needle in read(f"/proc/{name}/environ", "rb"):
                found[int(name)] = arguments.replace(b"\0", b" ").decode(errors="replace").strip()
    return found


def children(pid):
    """Of all its threads."""
    tasks = os.listdir(f"/proc/{pid}/task") if os.path.isdir(f"/proc/{pid}/task") else []
    return [int(child) for task in tasks for child in read(f"/proc/{pid}/task/{task}/children").split()]


class Corral:
    """One running corral. Its output is read at once by threads of its own, unless told otherwise."""

    def __init__(self, token, words, *, environment=None, wrapper=(), stdin=subprocess.DEVNULL, stdout=None, stderr=None, **popen):
        variables = dict(os.environ, CORRAL_TEST_TOKEN=token, ASAN_OPTIONS=SANITIZER)
        for name, value in (environment or {}).items():
            variables.pop(name, None)
            if value is not None:
                variables[name] = value
        self.process = subprocess.Popen(
            [*wrapper, CORRAL, *words], env=variables, stdin=stdin, stdout=stdout or subprocess.PIPE,
            stderr=stderr or subprocess.PIPE, **popen
        )  # fmt: skip
        self.pid = self.process.pid
        self.token = token
        self._out, self._err = bytearray(), bytearray()
        self._readers = []
        for stream, buffer in ((self.process.stdout, self._out), (self.process.stderr, self._err)):
            if stream is not None:
                thread = threading.Thread(target=self._read, args=(stream, buffer), daemon=True)
                thread.start()
                self._readers.append(thread)

    @staticmethod
    def _read(stream, buffer):
        while chunk := os.read(stream.fileno(), 1 << 16):
            buffer += chunk
        stream.close()

    @property
    def out(self):
        return bytes(self._out).decode(errors="replace")

    @property
    def err(self):
        return bytes(self._err).decode(errors="replace")

    @property
    def raw_out(self):
        return bytes(self._out)

    def _said(self):
        return f"\n--- stdout\n{self.out[-3000:]}\n--- stderr\n{self.err[-6000:]}\n--- status {self.process.poll()}"

    def _await(self, pattern, text, count, ceiling):
        expression = re.compile(pattern, re.MULTILINE)

        def look():
            found = list(expression.finditer(text()))
            if len(found) >= count:
                return found
            if self.process.poll() is not None and not any(reader.is_alive() for reader in self._readers):
                found = list(expression.finditer(text()))
                if len(found) < count:
                    raise AssertionError(f"ended without {count} × {pattern!r}{self._said()}")
                return found
            return None

        return await_that(lambda: f"{count} × {pattern!r}{self._said()}", look, ceiling)[count - 1]

    def await_out(self, pattern, count=1, ceiling=CEILING):
        return self._await(pattern, lambda: self.out, count, ceiling)

    def await_err(self, pattern, count=1, ceiling=CEILING):
        return self._await(pattern, lambda: self.err, count, ceiling)

    def await_start(self, worker, incarnation=1):
        """The pid of that life, once corral has said that it started."""
        return int(self.await_err(rf"^corral: {re.escape(worker)} \(pid (\d+)\) started", count=incarnation).group(1))

    def pids(self, worker):
        """Every pid that this worker has had, as far as corral has said so."""
        return [int(pid) for pid in re.findall(rf"^corral: {re.escape(worker)} \(pid (\d+)\) started", self.err, re.MULTILINE)]

    def signal(self, number):
        self.process.send_signal(number)

    def signal_again(self, number):
        """A second wish: the same signal so much later that it is no echo of the first."""
        time.sleep(0.06)
        self.signal(number)

    def wait(self, ceiling=CEILING):
        """The exit status, when both its streams have been read to their end."""
        try:
            status = self.process.wait(ceiling)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"corral did not end within {ceiling:g} s{self._said()}") from None
        self.leftovers = processes_with(self.token)
        for reader in self._readers:
            reader.join(ceiling)
            if reader.is_alive():
                raise AssertionError(f"somebody holds the output of corral open{self._said()}")
        return status


sanitized = b"__asan_init" in read(CORRAL, "rb")
as_root = unittest.skipUnless(os.geteuid() == 0, "needs root")


class CorralTest(unittest.TestCase):
    """A folder, a token, and at the end the proof that nothing is left."""

    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="corral-test-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.token = f"zoo-{uuid.uuid4().hex}"
        self.running = []

    def tearDown(self):
        for corral in self.running:
            if corral.process.poll() is None:
                corral.process.kill()
                corral.process.wait()
        left = {}

        def gone():
            left.clear()
            left.update(processes_with(self.token))
            return not left

        try:
            await_that("", gone, 5)
        except AssertionError:
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.fail(f"left behind: {left}")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        """A file that is replaced whole, as an editor does."""
        path = self.path(name)
        if not isinstance(content, (str, bytes)):
            content = json.dumps(content, indent=2)
        with open(path + ".new", "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        os.replace(path + ".new", path)
        return path

    def start(self, *words, **options):
        corral = Corral(self.token, words, **options)
        self.running.append(corral)
        return corral

    def run_config(self, programs, *flags, top=None, **options):
        """Starts `corral run` with {name: definition}; a list of words is a command of the zoo."""
        path = self.configure(programs, top)
        return self.start("run", path, *flags, **options)

    def configure(self, programs, top=None):
        full = {name: {"command": zoo(program)} if isinstance(program, str) else program for name, program in programs.items()}
        return self.write("corral.json", {"programs": full, **(top or {})})

    def finish(self, corral, status=None, ceiling=CEILING):
        """Waits for the end; nothing may be alive the moment corral has gone."""
        got = corral.wait(ceiling)
        self.assertNotIn("internal error", corral.err)
        self.assertEqual(corral.leftovers, {}, f"alive when corral had gone\n{corral.err[-4000:]}")
        if status is not None:
            self.assertEqual(got, status, f"{corral.out[-2000:]}\n{corral.err[-6000:]}")
        return got

    def stop(self, corral, status=0, number=signal.SIGTERM, ceiling=CEILING):
        corral.signal(number)
        return self.finish(corral, status, ceiling)


def cgroup_works(folder):
    """Can corral make a cgroup here?"""
    path = os.path.join(folder, "probe.json")
    with open(path, "w") as file:
        file.write('{"containment": "cgroup", "programs": {"a": {"command": ["true"]}}}')
    return subprocess.run([CORRAL, "run", path], capture_output=True, timeout=60).returncode == 0


def zoo(verbs):
    """The command line of a zoo worker: "line hello + hang"."""
    return [ZOO, *verbs.split()]


def program(verbs, **keys):
    return {"command": zoo(verbs), **keys}


def main():
    unittest.main(verbosity=2)
