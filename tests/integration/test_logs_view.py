"""corral logs: what is shown of the files, followed across rotation, merged, filtered, and harmless to a terminal."""

import json
import os
import signal
import subprocess
import sys
import time

from harness import CORRAL, Corral, await_that, main, program, read
from logging_help import LogTest, older, to_file

NUMBERS = """
import sys, time
for number in range(int(sys.argv[1])):
    print(f"{number:06d}", "x" * 60, flush=number % 10 == 9)
    if number % 100 == 99:
        time.sleep(0.005)
sys.stdout.flush()
time.sleep(1000)
"""


class ViewTest(LogTest):
    def logs(self, *words, status=0):
        found = subprocess.run([CORRAL, "logs", "--config", self.path("corral.json"), *words], capture_output=True, timeout=120)
        self.assertEqual(found.returncode, status, found.stderr)
        return found.stdout.decode(errors="surrogateescape") if status == 0 else found.stderr.decode()

    def follow(self, *words):
        viewer = Corral(self.token, ["logs", "--config", self.path("corral.json"), "-f", *words])
        self.running.append(viewer)
        return viewer

    def end(self, viewer):
        viewer.signal(signal.SIGINT)
        self.assertEqual(viewer.wait(), -signal.SIGINT)
        return viewer.out.splitlines()


class Past(ViewTest):
    def test_last_lines_through_older_and_compressed_files(self):
        log = to_file(rotate={"size": "100kB", "keep": 50, "compress": True})
        corral = self.run_config({"a": program("lines 20000 " + "x" * 60 + " + hang", log=log)})
        await_that("all but the youngest are compressed", lambda: (files := older(self.log())) and len(files) > 8 and all(name.endswith(".gz") for name in files[:-1]))
        self.await_lines(20000)
        numbers = [int(line.split()[-1]) for line in self.logs("-n", "15000", "a/0").splitlines()]
        self.assertEqual(numbers, list(range(5000, 20000)))
        self.assertEqual(len(self.logs("a").splitlines()), 100)
        self.assertEqual(len(self.logs("-n", "all").splitlines()), 20000)
        self.assertEqual(self.logs("-n", "0"), "")
        self.assertEqual([line.split()[-1] for line in self.logs("-n", "3", "--grep", "X+ .*77$", "-i").splitlines()], ["19777", "19877", "19977"])
        self.stop(corral, 0)

    def test_the_last_lines_are_so_many_while_files_come_and_go(self):
        script = "import sys, time\nfor n in range(10**9):\n    print(n, 'x' * 90, flush=True)\n    time.sleep(0.00002)"
        for compress in (False, True):
            with self.subTest(compress=compress):
                log = to_file(rotate={"size": "20KiB", "keep": 8, "compress": compress})
                corral = self.run_config({"a": {"command": [sys.executable, "-c", script], "log": log}})
                await_that("files have been put aside", lambda: len(older(self.log())) > 2)
                for _ in range(60):
                    numbers = [int(line.split()[0]) for line in self.logs("-n", "2").splitlines()]
                    self.assertEqual(len(numbers), 2)
                    self.assertLess(numbers[0], numbers[1])
                self.stop(corral, None)
                for name in os.listdir(os.path.dirname(self.log())):
                    os.remove(os.path.join(os.path.dirname(self.log()), name))

    def test_a_worker_that_there_is_not(self):
        log = {"to": "file", "file": "logs/all.log"}
        programs = {"l": program("line up + hang", workers=2, cores="shared", log=log), "m": program("line up + hang", log=to_file())}
        corral = self.run_config(programs, top={"control": {"socket": "corral.sock"}})
        for name in ("l/0", "l/1", "m/0"):
            corral.await_start(name)
        for worker in ("l/7", "m/7"):
            self.assertRegex(self.logs(worker, status=2), f"'{worker}' is no worker|no worker is named by '{worker}'")
        self.assertEqual(subprocess.run([CORRAL, "scale", "--config", self.path("corral.json"), "l=8"], capture_output=True, timeout=60).returncode, 0)
        await_that("what l/7 wrote is shown", lambda: "up" in self.logs("l/7"))
        self.stop(corral, 0)
        self.logs("l/7", status=2)

    def test_workers_side_by_side_are_told_apart(self):
        self.finish(self.run_config({"a": program("lines 5 word", workers=2, cores="shared", log=to_file()), "b": program("line other", log=to_file())}), 0)
        lines = self.logs().splitlines()
        self.assertEqual(sorted(lines), sorted([f"a/{i} | word {n}" for i in range(2) for n in range(5)] + ["b/0 | other"]))
        self.assertEqual(self.logs("b"), "other\n")
        self.assertEqual(sorted(self.logs("*/0").splitlines()), sorted([f"a/0 | word {n}" for n in range(5)] + ["b/0 | other"]))

    def test_of_a_shared_file_those_that_are_wanted(self):
        self.finish(self.run_config({"a": program("lines 5 word", workers=3, cores="shared", log=to_file(file="all.log")),
                                     "j": program("line json", workers=2, cores="shared", log=to_file(file="json.log", format="json"))}), 0)
        self.assertEqual(self.logs("a/1").splitlines(), [f"a/1 | word {n}" for n in range(5)])
        self.assertEqual(len(self.logs("a").splitlines()), 15)
        self.assertEqual(self.logs("j/1").count('"worker":"j/1"'), 1)
        self.assertEqual(len(self.logs("j/1").splitlines()), 1)

    def test_stderr_in_its_own_file_is_shown_too(self):
        self.finish(self.run_config({"a": program("line out + err err", log=to_file(merge_stderr=False))}), 0)
        self.assertEqual(sorted(self.logs().splitlines()), ["a/0 stderr | err", "a/0 | out"])

    def test_control_characters_do_nothing(self):
        awkward = b"\x1b]0;x\x07\xff\tnul:\0\xc2\x9b31m \xc3\xa4"
        self.finish(self.run_config({"a": program("bytes " + (awkward + b"\n").hex(), log=to_file())}), 0)
        self.assertEqual(self.logs(), "\\x1b]0;x\\x07\\xff\tnul:\\x00\\xc2\\x9b31m \u00e4\n")
        raw = subprocess.run([CORRAL, "logs", "--config", self.path("corral.json"), "--raw"], capture_output=True, timeout=60).stdout
        self.assertEqual(raw, awkward + b"\n")

    def test_json_stays_json(self):
        code = r"import sys, time; print('\u202e rtl \x9b31m \x7f', flush=True); time.sleep(1000)"
        corral = self.run_config({"a": {"command": [sys.executable, "-X", "utf8", "-c", code], "log": to_file(format="json")}})
        await_that("it has been written", lambda: "rtl" in self.logs())
        shown = self.logs()
        self.assertNotRegex(shown, "[\u202e\x7f-\x9f]")
        self.assertEqual(json.loads(shown)["line"], "\u202e rtl \x9b31m \x7f")
        self.stop(corral, 0)

    def test_since_goes_by_the_second_and_by_the_time_of_json(self):
        self.configure({"a": program("line x", log=to_file()), "j": program("line x", log=to_file(format="json"))})
        os.makedirs(self.path("logs"))
        hours = [time.time() - 3600 * ago for ago in (30, 20, 10)]
        self.write("logs/a-0.log", "first\nsecond\nthird\n")
        self.write("logs/.a-0.log.times", "".join(f"{int(when * 1000)} {offset}\n" for when, offset in zip(hours, (0, 6, 13))))
        stamps = [time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(when)) for when in hours]
        self.write("logs/j-0.log", "".join(f'{{"time":"{stamp}","worker":"j/0","stream":"stdout","line":"{word}"}}\n' for stamp, word in zip(stamps, ("first", "second", "third"))))
        for name in "aj":
            for since, sought in (("5h", []), ("15h", ["third"]), ("25h", ["second", "third"]), ("2d", ["first", "second", "third"])):
                seen = self.logs("--since", since, name)
                self.assertEqual([word for word in ("first", "second", "third") if word in seen], sought, (name, since))

    def test_when_lines_were_written_is_known_to_a_second(self):
        begin = time.time()
        self.finish(self.run_config({"a": program("lines 3 word", log=to_file())}), 0)
        moment, offset = map(int, read(self.path("logs/.a-0.log.times")).splitlines()[0].split())
        self.assertEqual(offset, 0)
        self.assertGreaterEqual(moment, int(begin * 1000) - 1)
        self.assertLessEqual(moment, time.time() * 1000)
        self.assertEqual(len(self.logs("--since", "1h").splitlines()), 3)

    def test_what_means_nothing_is_said(self):
        self.configure({"crunch": program("line x", log=to_file()), "plain": program("line x")})
        self.assertIn("there is no program 'crnch'; did you mean 'crunch'?", self.logs("crnch", status=2))
        self.assertIn("there is no worker 'crnch/0'; did you mean 'crunch/0'?", self.logs("crnch/0", status=2))
        self.assertIn("'plain' has no log file: its output goes to corral's own stdout and stderr", self.logs("plain", status=2))
        self.assertIn("is no regular expression", self.logs("--grep", "(", status=2))
        self.assertEqual(self.logs("crunch"), "")


class Following(ViewTest):
    def test_not_a_line_is_missed_across_rotations(self):
        count = 30000
        self.configure({"a": {"command": [sys.executable, "-c", NUMBERS, str(count)], "log": to_file(rotate={"size": "100kB", "keep": 200})}})
        viewer = self.follow("-n", "all", "a/0")
        corral = self.start("run", self.path("corral.json"))
        viewer.await_out(rf"^{count - 1:06d}")
        self.assertEqual([int(line.split()[0]) for line in self.end(viewer)], list(range(count)))
        self.assertGreater(len(older(self.log())), 15)
        self.stop(corral)

    def test_several_and_those_that_come_later(self):
        self.configure({"a": program("line early + hang", log=to_file()), "b": program("line late + hang", log=to_file(file="other/{program}.log"))})
        viewer = self.follow()
        corral = self.start("run", self.path("corral.json"))
        viewer.await_out(r"^a/0 \| early$")
        viewer.await_out(r"^b \| late$")
        self.end(viewer)
        self.stop(corral, 0)

    def test_a_file_that_somebody_else_put_aside(self):
        corral = self.run_config({"a": {"command": ["sh", "-c", "exec 2>/dev/null; trap 'echo after' USR2; echo before; while :; do sleep 0.01; done"], "log": to_file()}})
        self.await_lines(1)
        viewer = self.follow("a")
        viewer.await_out("^before$")
        os.rename(self.log(), self.log() + ".1")
        corral.signal(signal.SIGUSR2)
        viewer.await_out("^after$")
        self.end(viewer)
        self.stop(corral, 0)

    def test_it_ends_when_nobody_reads_it(self):
        corral = self.run_config({"a": program("line up + hang", log=to_file())})
        self.await_lines(1)
        ours, theirs = os.pipe()
        viewer = subprocess.Popen([CORRAL, "logs", "--config", self.path("corral.json"), "-f"], stdout=theirs)
        os.close(theirs)
        self.assertEqual(os.read(ours, 100), b"up\n")
        os.close(ours)
        self.assertEqual(viewer.wait(60), 0)
        self.stop(corral, 0)


if __name__ == "__main__":
    main()
