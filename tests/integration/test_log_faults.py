"""Log files and disks that fail: full, broken, gone, read-only, stalled, swapped for a link. Workers run on; what is lost is counted."""

import os
import pwd
import re
import shutil
import subprocess
import sys
import unittest

from harness import SANITIZER, as_root, await_that, exists, main, program, read, sanitized
from logging_help import LogTest, can_mount, to_file

# A line every few milliseconds with its number; and the number of the last one when it is asked to end.
TICKING = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
number = 0
while True:
    print(f"{number:08d}", "x" * int(sys.argv[1]), flush=True)
    number += 1
    time.sleep(0.002)
"""

NO_LEAK_CHECK = {"ASAN_OPTIONS": SANITIZER + ":detect_leaks=0"}  # It does not work below a tracer.


def ticking(width=200, **log):
    return {"command": [sys.executable, "-c", TICKING, str(width)], "log": to_file(**log)}


def resident(pid):
    return int(re.search(r"VmRSS:\s+(\d+) kB", read(f"/proc/{pid}/status")).group(1)) * 1024


class FaultTest(LogTest):
    def numbers(self, path):
        text = read(path)
        self.assertTrue(text == "" or text.endswith("\n"), "the file ends in the middle of a line")
        for line in text.splitlines():
            self.assertRegex(line, r"^\d{8} x+$")
        return [int(line.split()[0]) for line in text.splitlines()]

    def await_more(self, path, more=20):
        before = len(read(path).splitlines())
        await_that(f"{more} more lines in {path}", lambda: len(read(path).splitlines()) >= before + more)


@as_root
@unittest.skipUnless(can_mount(), "nothing can be mounted here")
class SmallDisks(FaultTest):
    def full(self, **log):
        corral = self.run_config({"a": ticking(40, rotate={"size": "0"}, **log), "b": "hang"}, wrapper=self.small_disk("1m"))
        path = self.inside(corral, "a-0.log")
        self.await_lines_at(path)
        with open(self.inside(corral, "filler"), "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(4096))
            except OSError:
                pass
        corral.await_err(r"^corral: the log of a/0, '.*/logs/a-0.log', takes nothing: cannot write it: No space left on device; ")
        return corral, path

    @staticmethod
    def await_lines_at(path):
        await_that("the log has begun", lambda: len(read(path).splitlines()) >= 5)

    def make_room(self, corral):
        os.unlink(self.inside(corral, "filler"))

    def test_a_full_disk_costs_counted_lines_and_no_worker(self):
        corral, path = self.full()
        pid = corral.await_start("a/0")
        before = int(read(path).splitlines()[-1].split()[0])
        await_that("the worker runs on", lambda: self.ticks(pid) > 0)
        self.make_room(corral)
        lost = int(corral.await_err(r"the log of a/0 is written again; (\d+) lines? \(.*\) were lost").group(1))
        self.await_more(path)
        numbers = self.numbers(path)
        self.stop(corral, 0)
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertEqual(numbers[-1] + 1 - len(numbers), lost)
        self.assertGreater(numbers[-1], before)
        self.assertEqual(len(re.findall("takes nothing", corral.err)), 1)
        self.assertEqual(len(corral.pids("a/0")), 1)

    @staticmethod
    def ticks(pid):
        return int(read(f"/proc/{pid}/stat").rpartition(")")[2].split()[11])

    def test_with_block_the_worker_waits_for_a_full_disk_and_nothing_is_lost(self):
        corral, path = self.full(when_full="block")
        corral.await_err("whoever writes to it waits until it does")
        pid = corral.await_start("a/0")
        # Its queue and its pipe fill up at some time; making room before or after must be the same to it.
        self.make_room(corral)
        corral.await_err("the log of a/0 is written again; nothing was lost")
        with open(self.inside(corral, "a-0.log"), "r+b") as file:  # The disk is small: what was seen goes.
            numbers = self.numbers(path)
            file.truncate(0)
        self.await_more(path)
        self.stop(corral, 0)
        self.assertEqual(numbers, list(range(len(numbers))))
        self.assertTrue(pid)

    def test_a_flood_into_a_full_disk_ends_in_time_all_the_same(self):
        for policy in ("block", "drop"):
            corral = self.run_config({"a": program("flood 1", log=to_file(when_full=policy, rotate={"size": "0"}))}, wrapper=self.small_disk("64k"))
            corral.await_err("takes nothing: cannot write it: No space left on device")
            self.stop(corral, 0)
            self.assertLessEqual(len(corral.err.splitlines()), 12, corral.err[-3000:])

    def test_a_disk_that_becomes_read_only(self):
        corral = self.run_config({"a": ticking()}, wrapper=self.small_disk("10m"))
        path = self.inside(corral, "a-0.log")
        self.await_lines_at(path)
        enter = ["nsenter", "-t", str(corral.pid), "-m"]
        fd = os.open(path, os.O_RDONLY)
        os.close(fd)
        # A file that is open for writing keeps it writable, so that file is put aside and begun anew first.
        subprocess.run([*enter, "mount", "-o", "remount,size=10m", self.path("logs")], check=True)
        subprocess.run([*enter, "sh", "-c", f"mount --bind {self.folder} {self.path('logs')} && mount -o remount,ro,bind {self.path('logs')}"], check=True)
        os.kill(corral.pid, 12)
        corral.await_err("takes nothing: .*Read-only file system; lines are dropped")
        subprocess.run([*enter, "umount", self.path("logs")], check=True)
        corral.await_err("the log of a/0 is written again")
        self.stop(corral)


class Places(FaultTest):
    def test_a_folder_that_is_removed_is_made_again(self):
        corral = self.run_config({"a": ticking()})
        await_that("the log has begun", lambda: len(read(self.log()).splitlines()) > 5)
        shutil.rmtree(self.path("logs"))
        corral.await_err(r"the log of a/0, '.*': somebody has removed it; a new one was begun")
        self.await_more(self.log())
        self.stop(corral, 0)
        numbers = self.numbers(self.log())
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))))

    def test_a_link_in_its_place_is_refused(self):
        os.makedirs(self.path("logs"))
        self.write("target", "mine\n")
        os.symlink(self.path("target"), self.log())
        corral = self.run_config({"a": ticking()})
        corral.await_err("takes nothing: it is a symbolic link, which is not followed; lines are dropped and counted")
        os.unlink(self.log())
        corral.await_err(r"the log of a/0 is written again; \d+ lines")
        self.await_more(self.log())
        self.stop(corral, 0)
        self.assertEqual(read(self.path("target")), "mine\n")

    def test_a_link_that_appears_while_it_is_written(self):
        self.write("target", "mine\n")
        corral = self.run_config({"a": ticking(rotate={"size": "2kB", "keep": 1})})
        await_that("the log has begun", lambda: os.path.exists(self.log()))
        for _ in range(20):
            os.symlink(self.path("target"), self.path("link"))
            os.rename(self.path("link"), self.log())
            await_that("it is put aside or refused", lambda: not os.path.islink(self.log()) or "symbolic link" in corral.err)
            if os.path.islink(self.log()):
                os.unlink(self.log())
        self.stop(corral)
        self.assertEqual(read(self.path("target")), "mine\n")

    @as_root
    def test_a_folder_that_the_workers_user_turns_into_a_link_is_refused(self):
        os.chmod(self.folder, 0o755)
        nobody, names = pwd.getpwnam("nobody").pw_uid, ("w.log", "w.log.1", "w.log.2", ".w.log.times", ".w.log.1.times")
        for folder in ("home", "precious"):
            os.mkdir(self.path(folder))
        for name in names:
            self.write(os.path.join("precious", name), "mine\n")
        os.chown(self.path("home"), nobody, -1)
        path = self.path("home/logs/w.log")
        tick = ["sh", "-c", f"while :; do echo {'x' * 200}; sleep 0.01; done"]  # A Python of root's is not for everybody.
        log = to_file(file=path, rotate={"size": "2kB", "keep": 2})
        corral = self.run_config({"a": {"command": tick, "log": log, "user": "nobody", "directory": "/"}})
        self.await_lines_in(path)
        subprocess.run(["sh", "-c", "mv logs before && ln -s ../precious logs"], user=nobody, cwd=self.path("home"), check=True)
        corral.await_err(f"takes nothing: '{self.path('home/logs')}' is a symbolic link that others could turn elsewhere, and is not followed: ")
        os.unlink(self.path("home/logs"))
        corral.await_err(r"the log of a is written again; \d+ lines")
        self.await_lines_in(path)
        self.stop(corral, 0)
        self.assertEqual({name: read(self.path(os.path.join("precious", name))) for name in names}, dict.fromkeys(names, "mine\n"))
        self.assertEqual(sorted(os.listdir(self.path("precious"))), sorted(names))

    @staticmethod
    def await_lines_in(path):
        await_that(f"lines in {path}", lambda: "\n" in read(path))

    def test_what_is_no_file_is_refused(self):
        os.makedirs(self.log())
        os.mkfifo(self.log("b-0.log"))
        corral = self.run_config({"a": ticking(), "b": ticking()})
        corral.await_err("the log of a/0, .* takes nothing: cannot open it: Is a directory")
        corral.await_err("the log of b/0, .* takes nothing: cannot open it: No such device or address")
        self.stop(corral)
        self.assertRegex(corral.err, r"the end of the log of a/0 is not written: \d+ lines were dropped")

    def test_a_limit_of_file_sizes_is_a_size_like_any_other(self):
        corral = self.run_config({"a": program("lines 3000 " + "x" * 90, log=to_file(rotate={"keep": 100}))}, wrapper=["prlimit", "--fsize=65536"])
        self.finish(corral, 0)
        self.assertEqual([int(line.split()[-1]) for line in self.lines()], list(range(3000)))
        corral = self.run_config({"a": program("lines 3000 " + "x" * 90, log=to_file(file="logs/b.log", rotate={"size": "0"}))}, wrapper=["prlimit", "--fsize=65536"])
        self.finish(corral, 0)
        corral.await_err("takes nothing: cannot write it: File too large")
        self.assertTrue(read(self.log("b.log")).endswith("\n"))


class Injected(FaultTest):
    def test_an_error_of_one_disk_is_nobody_elses(self):
        corral = self.run_config({"a": ticking(), "b": ticking()}, environment=NO_LEAK_CHECK)
        await_that("both logs have begun", lambda: len(read(self.log()).splitlines()) > 5 and len(read(self.log("b-0.log")).splitlines()) > 5)
        tracer = self.inject(corral, self.log(), "write:error=EIO")
        corral.await_err("the log of a/0, '.*', takes nothing: cannot write it: Input/output error; lines are dropped")
        self.await_more(self.log("b-0.log"))
        tracer.kill()
        corral.await_err("the log of a/0 is written again")
        self.await_more(self.log())
        self.stop(corral)
        self.assertNotIn("somebody has removed it", corral.err)
        numbers = self.numbers(self.log("b-0.log"))
        self.assertEqual(numbers, list(range(len(numbers))))
        self.assertNotIn("the log of b/0", corral.err)

    def stalled(self, policy):
        """A flood into a disk that hangs."""
        corral = self.run_config({"a": program("flood 1", log=to_file(when_full=policy, rotate={"size": "10MB", "keep": 0}))}, environment=NO_LEAK_CHECK)
        await_that("the log has begun", lambda: os.path.exists(self.log()) and os.path.getsize(self.log()) > 0)
        before = resident(corral.pid)
        tracer = self.inject(corral, self.log(), "write:delay_enter=60000000")
        return corral, tracer, before

    def flat(self, corral, before):
        self.assertLess(resident(corral.pid) - before, (256 if sanitized else 32) << 20)

    def test_a_disk_that_hangs_stops_nobody_with_drop(self):
        corral, tracer, before = self.stalled("drop")
        corral.await_err("the disk is too slow for the log of a/0, '.*': lines are dropped and counted until it has caught up")
        pid = corral.await_start("a/0")
        corral.signal(10)
        corral.await_err("SIGUSR1 received")
        self.flat(corral, before)
        tracer.kill()
        corral.await_err(r"the log of a/0 is written again; \d+ lines|killed by signal 10")
        self.assertTrue(pid)
        self.stop(corral)

    def test_a_disk_that_hangs_lets_its_worker_wait_with_block(self):
        corral, tracer, before = self.stalled("block")
        pid = corral.await_start("a/0")
        await_that("the worker waits", lambda: "pipe" in read(f"/proc/{pid}/wchan"))
        self.flat(corral, before)
        self.assertTrue(exists(pid))
        corral.signal(15)
        corral.await_err("SIGTERM received")
        tracer.kill()
        self.finish(corral, 0)


if __name__ == "__main__":
    main()
