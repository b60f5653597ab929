"""Logs in files: not a line is lost in a steady stream, at a rotation, at a crash, at a stop; and lines are whole and exact."""

import json
import os
import signal
import sys
import time

from harness import QUICK, await_that, main, program, read, zoo
from logging_help import LogTest, content, older, to_file

PIECE = 64 * 1024

COUNT = """
import os, sys
first, count = int(sys.argv[1]), int(sys.argv[2])
out = [b"%08d " % number + b"x" * 90 + b"\\n" for number in range(first, first + count)]
os.write(1, b"")
sys.stdout.buffer.write(b"".join(out))
"""


def counting(count, **keys):
    return {"command": [sys.executable, "-c", COUNT, "0", str(count)], "restart": "never", **keys}


class Lines(LogTest):
    def numbers(self, name="a-0.log"):
        return [int(line.split()[0]) for line in self.lines(name)]

    def test_each_worker_has_its_file_and_no_line_is_lost(self):
        corral = self.run_config({"a": counting(20000, workers=3, cores="shared", log=to_file())})
        self.finish(corral, 0)
        for index in range(3):
            self.assertEqual(self.numbers(f"a-{index}.log"), list(range(20000)))
        self.assertEqual(corral.out, "")
        self.assertEqual(os.stat(self.log()).st_mode & 0o777, 0o640)

    def test_no_line_is_lost_or_cut_by_a_rotation(self):
        corral = self.run_config({"a": counting(50000, log=to_file(rotate={"size": "300kB", "keep": 1000}))})
        self.finish(corral, 0)
        self.assertEqual(self.numbers(), list(range(50000)))
        files = older(self.log())
        self.assertGreater(len(files), 15)
        for name in files:
            self.assertLessEqual(os.path.getsize(name), 300_000)
            self.assertEqual(read(name, "rb")[-1:], b"\n")

    def test_only_so_many_older_files_are_kept_and_compressed(self):
        corral = self.run_config({"a": program("lines 30000 " + "x" * 90 + " + hang", log=to_file(rotate={"size": "100kB", "keep": 4, "compress": True}))})
        await_that("three are compressed", lambda: "29999" in read(self.log()) and [os.path.basename(name) for name in older(self.log())] == ["a-0.log.4.gz", "a-0.log.3.gz", "a-0.log.2.gz", "a-0.log.1"])
        lines = self.lines()
        self.stop(corral, 0)
        numbers = [int(line.split()[-1]) for line in lines]
        self.assertEqual(numbers, list(range(numbers[0], 30000)))
        self.assertGreater(len(numbers), 3000)

    def test_keep_nothing(self):
        corral = self.run_config({"a": counting(5000, log=to_file(rotate={"size": "100kB", "keep": 0}))})
        self.finish(corral, 0)
        self.assertEqual(older(self.log()), [])
        self.assertLessEqual(os.path.getsize(self.log()), 100_000)
        self.assertEqual(self.numbers()[-1], 4999)

    def test_a_log_of_yesterday_is_put_aside(self):
        os.makedirs(self.path("logs"))
        self.write("logs/a-0.log", "old\n")
        os.utime(self.log(), (time.time() - 2 * 86400,) * 2)
        self.finish(self.run_config({"a": program("line new", log=to_file(rotate={"daily": True}))}), 0)
        self.assertEqual((read(self.log() + ".1"), read(self.log())), ("old\n", "new\n"))

    def test_last_words_of_a_crash_are_there_half_a_line_too(self):
        words = "lines 500 word + bytes " + b"and no end".hex() + " + crash KILL"
        corral = self.run_config({"a": program(words, workers=2, cores="shared", restart="never", log=to_file())})
        self.finish(corral, 1)
        for index in range(2):
            self.assertEqual(self.lines(f"a-{index}.log"), [f"word {n}" for n in range(500)] + ["and no end"])
            self.assertTrue(content(self.log(f"a-{index}.log")).endswith(b"and no end\n"))

    def test_lives_that_follow_each_other_lose_nothing(self):
        lives = 40
        corral = self.run_config({"a": program("lines 200 word + bytes " + b"half".hex() + " + exit 1", restart={**QUICK, "limit": {"restarts": lives - 1, "within": "10m"}}, log=to_file())})
        self.finish(corral, 1)
        self.assertEqual(self.lines(), ([f"word {n}" for n in range(200)] + ["half"]) * lives)

    def test_last_words_of_a_stop(self):
        script = "exec 2>/dev/null; trap 'for i in $(seq 3000); do echo last $i; done; printf end; exit 0' TERM; echo up; while :; do sleep 0.01; done"
        corral = self.run_config({"a": {"command": ["sh", "-c", script], "workers": 2, "cores": "shared", "log": to_file()}})
        for index in range(2):
            self.await_lines(1, f"a-{index}.log")
        self.stop(corral, 0)
        for index in range(2):
            self.assertEqual(self.lines(f"a-{index}.log"), ["up"] + [f"last {i}" for i in range(1, 3001)] + ["end"])

    def test_a_grandchild_that_keeps_the_pipe_does_not_delay_a_restart(self):
        script = "setsid sleep 1000 & echo life; exit 1"
        corral = self.run_config({"a": {"command": ["sh", "-c", script], "restart": {**QUICK, "limit": {"restarts": 5, "within": "10m"}}, "log": to_file()}})
        self.finish(corral, 1)
        self.assertEqual(self.lines(), ["life"] * 6)

    def test_bytes_are_exact(self):
        awkward = b"nul:\0 esc:\x1b]0;x\x07\xff bad:\xff\xfe\xc3( tab:\t cr:\rend\n\n \n"
        self.finish(self.run_config({"a": program("bytes " + awkward.hex(), log=to_file())}), 0)
        self.assertEqual(content(self.log()), awkward)

    def test_a_line_of_100_mb_comes_in_marked_pieces(self):
        size = 100 * 1000 * 1000
        corral = self.run_config({"a": program(f"long-line {size} + line  after", restart="never", log=to_file(rotate={"size": "40MB", "keep": 10}))})
        self.finish(corral, 0)
        lines = content(self.log()).splitlines()
        pieces = [line for line in lines if len(line) == PIECE + 1 and line.endswith(b"\\")]
        self.assertEqual(lines[: len(pieces)], pieces)
        self.assertEqual(len(pieces) * PIECE + sum(len(line) for line in lines[len(pieces):]), size + len("after"))


class Shapes(LogTest):
    def test_json_tells_time_worker_and_stream(self):
        awkward = b'"\\\t\x1b\xff'
        self.finish(self.run_config({"a": program(f"bytes {(awkward + bytes([10])).hex()} + err other + long-line 70000", log=to_file(format="json"))}), 0)
        lines = [json.loads(line) for line in self.lines()]
        self.assertEqual({line["worker"] for line in lines}, {"a/0"})
        by_stream = {stream: [line["line"] for line in lines if line["stream"] == stream] for stream in ("stdout", "stderr")}
        self.assertEqual(by_stream["stdout"][0], '"\\\t\x1b\ufffd')
        self.assertEqual(by_stream["stderr"], ["other"])
        self.assertEqual(sum(len(line) for line in by_stream["stdout"][1:]), 70000)
        self.assertTrue(lines[0]["time"].endswith("Z"))
        self.assertEqual([line.get("goes_on") for line in lines if len(line["line"]) == PIECE], [True])

    def test_workers_that_share_a_file_are_told_apart(self):
        self.finish(self.run_config({"a": program("lines 3000 word", workers=3, cores="shared", log=to_file(file="logs/all.log", rotate={"size": "20kB", "keep": 100}))}), 0)
        seen = {}
        for line in self.lines("all.log"):
            name, word, number = line.split(" | ")[0], *line.split(" | ")[1].split()
            seen.setdefault(name, []).append(int(number))
        self.assertEqual(seen, {f"a/{index}": list(range(3000)) for index in range(3)})

    def test_stderr_apart(self):
        self.finish(self.run_config({"a": program("line out + err err", log=to_file(merge_stderr=False))}), 0)
        self.assertEqual((self.lines(), self.lines("a-0.stderr.log")), (["out"], ["err"]))

    def test_merged_stderr_of_an_inherited_log(self):
        corral = self.run_config({"a": program("err err", log={"merge_stderr": True})})
        self.finish(corral, 0)
        self.assertEqual(corral.out, "a/0 | err\n")

    def test_null_is_dev_null(self):
        corral = self.run_config({"a": {"command": ["sh", "-c", f"readlink /proc/self/fd/1 /proc/self/fd/2 > {self.path('fds')}; exec readlink /proc/$$/fd/1 /proc/$$/fd/2"], "log": {"to": None}},
                                  "b": {"command": ["sh", "-c", f"[ /proc/$$/fd/1 -ef /dev/null ] && [ /proc/$$/fd/2 -ef /dev/null ] && touch {self.path('yes')}"], "log": {"to": None}}})
        self.finish(corral, 0)
        self.assertTrue(os.path.exists(self.path("yes")))
        self.assertEqual(corral.out, "")

    def test_a_relative_file_is_meant_from_the_folder_of_the_configuration(self):
        path = self.configure({"a": program("line x", log=to_file(file="here/{program}.log"))})
        self.finish(self.start("run", path, cwd="/"), 0)
        self.assertEqual(read(self.path("here/a.log")), "x\n")


    def test_two_programs_do_not_share_a_file(self):
        corral = self.run_config({"a": program("line x", log=to_file(file="x.log")), "b": program("line x", log=to_file(file="x.log"))})
        self.finish(corral, 2)
        self.assertRegex(corral.err, r"at /programs/b/log/file: 'a' writes to '.*/x.log' already")


class Changes(LogTest):
    def test_sigusr2_begins_anew_what_somebody_has_put_aside(self):
        words = {"command": ["sh", "-c", "exec 2>/dev/null; trap 'echo after' USR2; echo before; while :; do sleep 0.01; done"], "log": to_file()}
        corral = self.run_config({"a": words})
        self.await_lines(1)
        os.rename(self.log(), self.path("aside"))
        corral.signal(signal.SIGUSR2)
        await_that("the new file has the new line", lambda: read(self.log()) == "after\n")
        self.assertEqual(read(self.path("aside")), "before\n")
        self.stop(corral, 0)

    def test_a_reload_of_the_log_alone_keeps_the_process_and_loses_nothing(self):
        script = "i=0; while [ $i -lt 400 ]; do echo $i; i=$((i+1)); sleep 0.005; done; exec sleep 1000"
        words = {"command": ["sh", "-c", script]}
        corral = self.run_config({"a": {**words, "log": to_file()}})
        self.await_lines(50)
        for number, log in enumerate((to_file(file="logs/second.log"), to_file(file="logs/second.log", rotate={"size": "100B", "keep": 900}), {"to": "inherit"}, to_file()), 1):
            self.configure({"a": {**words, "log": log}})
            corral.signal(signal.SIGHUP)
            corral.await_err("configuration reloaded: 1 worker kept", count=number)
            seen = len(self.lines()) + len(self.lines("second.log")) + len(corral.out.splitlines())
            await_that("some more lines", lambda seen=seen: len(self.lines()) + len(self.lines("second.log")) + len(corral.out.splitlines()) > min(seen + 20, 399))
        await_that("the last line", lambda: "399" in self.lines()[-1:])
        self.assertEqual(len(corral.pids("a/0")), 1)
        inherited = [line.removeprefix("a/0 | ") for line in corral.out.splitlines()]
        numbers = sorted(map(int, self.lines() + self.lines("second.log") + inherited))
        self.assertEqual(numbers, list(range(400)))
        self.stop(corral)

    def test_to_nowhere_and_back_replaces_the_process(self):
        corral = self.run_config({"a": program("line up + hang", log={"to": None})})
        corral.await_start("a/0")
        self.configure({"a": program("line up + hang", log=to_file())})
        corral.signal(signal.SIGHUP)
        self.await_lines(1)
        corral.await_start("a/0", 2)
        self.stop(corral, 0)


if __name__ == "__main__":
    assert zoo
    main()
