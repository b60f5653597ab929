"""What the tests of logs share: programs with a log file, its lines in order across rotation, and small file systems."""

import glob
import gzip
import os
import re
import subprocess

from harness import CORRAL, CorralTest, await_that, read


def to_file(**keys):
    return {"to": "file", **keys}


def older(path):
    """The older files of a log, the oldest first."""
    found = {}
    for name in glob.glob(glob.escape(path) + ".*"):
        if match := re.fullmatch(r".*\.(\d+)(\.gz)?", name):
            found[int(match.group(1))] = name
    return [found[number] for number in sorted(found, reverse=True)]


def content(path):
    """All bytes of a log, older files first."""
    whole = b""
    for name in [*older(path), path]:
        try:
            with (gzip.open if name.endswith(".gz") else open)(name, "rb") as file:
                whole += file.read()
        except FileNotFoundError:
            pass  # It has just been put aside, or compressed.
    return whole


class LogTest(CorralTest):
    maxDiff = 2000

    def log(self, name="a-0.log"):
        return self.path(os.path.join("logs", name))

    def lines(self, name="a-0.log"):
        return content(self.log(name)).decode(errors="surrogateescape").splitlines()

    def await_lines(self, count, name="a-0.log"):
        return await_that(lambda: f"{count} lines in {name}: there are {len(self.lines(name))}", lambda: (lines := self.lines(name)) and len(lines) >= count and lines)

    def small_disk(self, size):
        """A file system of so many bytes on logs/ that corral alone sees: (wrapper, path as seen from here through /proc)."""
        os.makedirs(self.path("logs"), exist_ok=True)
        script = f'mount -t tmpfs -o size={size} none "$0" && exec "$@"'
        return ["unshare", "-m", "--propagation", "private", "sh", "-c", script, self.path("logs")]

    def inject(self, corral, path, what):
        """A fault in calls that concern `path`; kill() of what is returned ends it."""
        tracer = subprocess.Popen(["strace", "-f", "-q", "-o", self.path("trace"), "-P", path, "-p", str(corral.pid), "-e", "inject=" + what], stderr=subprocess.PIPE)

        def end():
            tracer.kill()
            tracer.wait()
            tracer.stderr.close()

        self.addCleanup(end)

        def attached():
            tasks = os.listdir(f"/proc/{corral.pid}/task")
            return all(re.search(r"TracerPid:\s+[1-9]", read(f"/proc/{corral.pid}/task/{task}/status")) for task in tasks)

        await_that("strace has attached", lambda: attached() or tracer.poll())
        if tracer.poll() is not None:
            self.skipTest("strace does not attach here")
        return tracer

    def inside(self, corral, name=""):
        return f"/proc/{corral.pid}/root{self.path('logs')}/{name}"


def can_mount():
    probe = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", "mount -t tmpfs none /mnt"], capture_output=True)
    return probe.returncode == 0


__all__ = ["CORRAL", "LogTest", "can_mount", "content", "older", "to_file"]
