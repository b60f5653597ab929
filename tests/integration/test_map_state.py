"""`corral map --state`: the same command goes on where it was stopped, and what is done can be asked for."""

import json
import os
import signal
import sqlite3
import subprocess

from harness import CORRAL, as_root, await_that, main, read
from mapping import WORKER, MapTest

FILTER = ["sed", "-u", "s/^/n/"]


class StateTest(MapTest):
    def go(self, tasks, *options, status=0, command=FILTER, lines=True, **popen):
        """One run, to its end."""
        modes = ["--lines"] if lines else []
        corral = self.map(tasks, "--state", self.path("run.db"), "-j2", *modes, *options, command=command, **popen)
        self.finish(corral, status)
        return corral

    def ask(self, *options, status=0):
        found = subprocess.run([CORRAL, "map", "--state", self.path("run.db"), *options], capture_output=True, text=True, timeout=60)
        self.assertEqual(found.returncode, status, found.stderr)
        return found.stdout if status == 0 else found.stderr

    def written(self, name="out"):
        """The results that are in the file, each task once."""
        found = {}
        for line in read(self.path(name)).splitlines():
            entry = json.loads(line)
            self.assertNotIn(entry["task"], found, "written twice")
            found[entry["task"]] = entry
        return found


class GoingOn(StateTest):
    def test_what_is_done_is_not_done_again_and_an_edited_input_runs_what_is_new(self):
        first = self.go(b"a\nb\na\n")
        self.assertEqual(sorted(entry["result"] for entry in self.results(first).values()), ["na", "na", "nb"])
        again = self.go(b"a\nb\na\n")
        self.assertEqual(again.out, "")
        self.assertIn("3 were recorded before", again.err)
        edited = self.go(b"new\na\na\na\n")
        self.assertEqual({task: entry["result"] for task, entry in self.results(edited).items()}, {0: "nnew", 3: "na"})
        self.assertEqual(len(self.ask("--results").splitlines()), 5)

    def test_what_was_recorded_as_failed_is_no_success_the_next_time(self):
        command = ["sh", "-c", 'test "$1" != bad', "sh", "{}"]
        for said in ("2 of 3 tasks done, 1 failed", "3 were recorded before, 1 of them as failed: --retry-failed tries them again"):
            corral = self.map(b"a\nbad\nc\n", "-j1", "--state", self.path("run.db"), command=command)
            self.finish(corral, 1)
            self.assertIn(said, corral.err)

    def test_what_was_quarantined_stays_in_its_file(self):
        command, bad = ["sh", "-c", 'test "$1" = bad && kill -9 $$; :', "sh", "{}"], self.path("bad")

        def go(tasks, *options):
            corral = self.map(tasks, "-j1", "--retries", "0", "--state", self.path("run.db"), "--quarantine", bad, *options, command=command)
            self.finish(corral, 1)
            return [read(bad + more).count("\n") for more in ("", ".stories")]

        self.assertEqual(go(b"a\nbad\nc\n"), [1, 1])
        with open(bad, "a") as file:
            file.write("half a li")  # As a kill may leave it.
        self.assertEqual(go(b"a\nbad\nbad\n"), [2, 2])
        self.assertEqual(read(bad), "bad\nbad\n")
        again = self.start("map", "-j1", "--retries", "0", "--state", self.path("run.db"), "--quarantine", bad, "--retry-failed")
        self.finish(again, 1)
        self.assertEqual(read(bad), "bad\nbad\n")

    def test_what_is_read_again_without_a_task_is_told_of(self):
        tasks = b"".join(b"%d\n" % number for number in range(200))
        self.go(tasks)
        out, into = os.pipe()
        with os.fdopen(out) as reader:  # Nothing new comes, and no end of the input.
            again = self.start("map", "-", "--state", self.path("run.db"), "-j1", "--lines", "--", *FILTER, stdin=subprocess.PIPE, stdout=into)
            os.close(into)
            again.process.stdin.write(tasks)
            again.process.stdin.flush()
            again.await_err("0 tasks done, 200 were recorded before")
            again.process.stdin.close()
            self.finish(again, 0)
            self.assertEqual(reader.read(), "")

    def test_ctrl_c_says_how_to_go_on_and_the_same_command_does(self):
        tasks = [{"sleep": 0.02}, *({"sleep": 0.02 + number / 1e6} for number in range(1, 200))]
        corral = self.map(tasks, "-j2", "--state", self.path("run.db"), "-o", self.path("out"))
        await_that("a result", lambda: self.written())
        corral.signal(signal.SIGINT)
        self.finish(corral, 130)
        self.assertIn("the same command goes on where it was stopped", corral.err)
        some = len(self.written())
        self.assertLess(some, 200)
        self.assertIn(f"open: {200 - some}\n", self.ask("--status"))
        second = self.go(tasks, "-o", self.path("out"), command=WORKER, lines=False)
        self.assertIn(f"{some} were recorded before", second.err)
        self.assertEqual(set(self.written()), set(range(200)))

    def test_without_a_state_it_says_that_there_could_be_one(self):
        corral = self.map([1, {"sleep": 60}], "-j1")
        corral.await_out("\n")
        corral.signal(signal.SIGTERM)
        corral.signal_again(signal.SIGTERM)
        self.finish(corral, 143)
        self.assertIn("with --state FILE", corral.err)

    def test_nobody_reads_the_results_and_the_state_has_them(self):
        reader, writer = os.pipe()
        os.close(reader)
        corral = self.map(b"a\nb\n", "--state", self.path("run.db"), "-j1", "--lines", command=FILTER, stdout=writer)
        os.close(writer)
        status = corral.wait()
        self.assertIn(status, (1, 141))
        self.assertIn("--results", corral.err)
        self.go(b"a\nb\n")
        self.assertEqual(sorted(json.loads(line)["result"] for line in self.ask("--results").splitlines()), ["na", "nb"])

    def test_the_forms_of_results(self):
        tasks = b"".join(b"%d\n" % number for number in range(500))
        self.go(tasks, "--raw", "--ordered", "--limit", "200", "-o", self.path("out"))
        self.assertEqual(read(self.path("out")), "".join(f"n{number}\n" for number in range(200)))
        os.truncate(self.path("out"), 333)
        self.go(tasks, "--raw", "--ordered", "-o", self.path("out"))
        self.assertEqual(read(self.path("out")), "".join(f"n{number}\n" for number in range(500)))
        self.assertEqual(json.loads(self.ask("--results").splitlines()[7])["result"], "n7")

    def test_more_results_than_may_wait_for_the_disk(self):
        self.go(b"".join(b"%d\n" % number for number in range(60000)), "-o", self.path("out"))
        self.assertEqual(len(self.written()), 60000)

    def test_a_process_for_each_task(self):
        self.go(b"1\n2\n", "--raw", "-o", self.path("out"), command=["sh", "-c", "echo out $1; exit $1", "sh", "{}"], lines=False, status=1)
        self.assertEqual(sorted(read(self.path("out")).splitlines()), ["out 1", "out 2"])
        self.assertEqual(sorted(self.ask("--failed").split()), ["1", "2"])


class Failed(StateTest):
    TASKS = [{"fail": "no"}, 1, {"kill": 9}, 2]

    def test_failed_tasks_are_told_and_run_again_alone(self):
        self.go(self.TASKS, "--retries", "0", "-o", self.path("out"), command=WORKER, lines=False, status=1)
        self.assertIn("done: 2\nfailed: 1\nquarantined: 1\nopen: 0\n", self.ask("--status"))
        self.assertEqual(sorted(map(json.loads, self.ask("--failed").splitlines()), key=str), [{"fail": "no"}, {"kill": 9}])
        quiet = self.go(self.TASKS, "--retries", "0", "-o", self.path("out"), command=WORKER, lines=False, status=1)
        self.assertIn("4 were recorded before", quiet.err)

        healed = self.path("healed")
        with open(healed, "w") as file:
            file.write(read(WORKER[1]).replace('what == "fail"', 'what == "never"'))
        command = [WORKER[0], healed]
        self.assertIn("another file, or add --new-command", self.ask("--retry-failed", "--", *command, status=2))
        self.ask("--retry-failed", "--new-command", "--retries", "0", "-o", self.path("out"), "--", *command, status=1)
        self.assertIn("done: 3\nfailed: 0\nquarantined: 1\n", self.ask("--status"))
        results = [json.loads(line) for line in self.ask("--results").splitlines()]
        self.assertEqual(sorted(entry["task"] for entry in results), [0, 1, 2, 3])
        last = {entry["task"]: entry["ok"] for entry in map(json.loads, read(self.path("out")).splitlines())}
        self.assertEqual(last, {0: True, 1: True, 2: False, 3: True})

    def test_without_a_command_it_is_that_of_the_state(self):
        self.go(b"1\n0\n", command=["sh", "-c", "exit $1", "sh", "{}"], lines=False, status=1)
        self.ask("--retry-failed", status=1)
        self.assertIn("done: 1\nfailed: 1\n", self.ask("--status"))

    def test_however_many_there_are(self):
        """More than are read from the state at once."""
        self.go([{"fail": str(number)} for number in range(600)], command=WORKER, lines=False, status=1)
        self.ask("--retry-failed", status=1)
        self.assertEqual(sqlite3.connect(self.path("run.db")).execute("SELECT count(*) FROM tasks WHERE status = 'retried'").fetchone(), (600,))
        self.assertEqual(len(self.ask("--failed").splitlines()), 600)

    def test_beside_what_is_new_in_the_input(self):
        self.go(b"1\n0\n", command=["sh", "-c", "exit $1", "sh", "{}"], lines=False, status=1)
        again = self.go(b"0\n1\n00\n", "--retry-failed", command=["sh", "-c", "exit $1", "sh", "{}"], lines=False, status=1)
        self.assertEqual(set(self.results(again)), {1, 2})


class Files(StateTest):
    def test_a_results_file_is_made_whole_or_refused(self):
        self.go(b"a\nb\nc\n", "-o", self.path("out"))
        whole = read(self.path("out"))
        for content in ("", whole[:-1], whole[:100]):
            self.write("out", content)
            mended = self.go(b"a\nb\nc\n", "-o", self.path("out"))
            self.assertEqual(read(self.path("out")), whole)
            self.assertIn("they are written again", mended.err)
        os.unlink(self.path("out"))
        self.go(b"a\nb\nc\nd\n", "-o", self.path("out"))
        self.assertEqual(set(self.written()), {0, 1, 2, 3})
        held = read(self.path("out"))
        for other in (held.replace("na", "xx"), held + "more\n"):
            self.write("out", other)
            self.assertIn("move it away", self.go(b"a\nb\nc\nd\ne\n", "-o", self.path("out"), status=1).err)
            self.assertEqual(read(self.path("out")), other)

    def test_results_of_something_else_are_not_overwritten(self):
        self.write("out", "precious\n")
        self.assertIn("knows nothing of", self.go(b"a\n", "-o", self.path("out"), status=2).err)
        self.assertEqual(read(self.path("out")), "precious\n")

    def test_a_state_in_use_names_its_owner_and_can_be_read(self):
        corral = self.map([1, {"sleep": 60}], "-j1", "--state", self.path("run.db"))
        corral.await_out("\n")
        other = self.map([1], "--state", self.path("run.db"))
        self.assertEqual(other.wait(), 2)
        self.assertIn(f"in use by another corral (pid {corral.pid})", other.err)
        self.assertIn(f"in use by corral (pid {corral.pid})", self.ask("--status"))
        self.assertEqual(len(self.ask("--results").splitlines()), 1)
        corral.signal(signal.SIGTERM)
        corral.signal_again(signal.SIGTERM)
        self.finish(corral, 143)
        self.assertEqual(sorted(os.listdir(self.folder)), ["run.db", "tasks.jsonl"])

    def test_what_is_no_state_is_refused_and_stays(self):
        cases = {"an essay": b"on sheep\n" * 100, "a short one": b"sheep", "zeros": bytes(8192)}
        for name, content in cases.items():
            with self.subTest(name):
                self.write("run.db", content)
                self.assertRegex(self.go(b"a\n", status=2).err, "name another file|another file begins anew")
                self.assertEqual(read(self.path("run.db"), "rb"), content)
                self.ask("--status", status=2)
        os.unlink(self.path("run.db"))
        database = sqlite3.connect(self.path("run.db"))
        database.execute("CREATE TABLE sheep (name)")
        database.close()
        self.assertIn("database of another program", self.go(b"a\n", status=2).err)

    def test_where_nothing_can_be_written(self):
        for place, why in (("missing/run.db", "No such file"), ("/proc/run.db", "cannot open state"), (".", "directory")):
            corral = self.map(b"a\n", "--state", os.path.join(self.folder, place), "--lines", command=FILTER)
            self.finish(corral, 2)
            self.assertIn(why, corral.err)
        self.ask("--status", status=2)
        self.assertNotIn("run.db", os.listdir(self.folder))

    @as_root
    def test_a_full_disk_stops_it_and_with_room_it_goes_on(self):
        script = """
            mount -t tmpfs -o size=300k none "$FOLDER/small" && cd "$FOLDER/small" || exit
            "$0" map "$@"; echo status $?
            mount -o remount,size=10m "$FOLDER/small"
            "$0" map "$@"; echo status $?
            cp out "$FOLDER" """
        os.mkdir(self.path("small"))
        tasks = self.write("tasks", "".join(f"{number} {'x' * 50}\n" for number in range(5000)))
        words = [tasks, "--state", "run.db", "-o", "out", "-j2", "--lines", "--", *FILTER]
        found = subprocess.run(["unshare", "-m", "sh", "-c", script, CORRAL, *words], capture_output=True, text=True, timeout=120,
                               env=dict(os.environ, FOLDER=self.folder))
        self.assertEqual(found.stdout, "status 1\nstatus 0\n", found.stderr)
        self.assertRegex(found.stderr, "disk is full|No space left")
        self.assertIn("make room" if "disk is full" in found.stderr else "the same command goes on", found.stderr)
        self.assertEqual(set(self.written()), set(range(5000)))


    def test_a_name_that_sqlite_has_a_meaning_for_is_a_name(self):
        for name in (":memory:", "file:x?mode=memory"):
            for text in ("1 of 1 tasks done", "1 were recorded before"):
                corral = self.start("map", self.write("tasks", b"a\n"), "--state", name, "--lines", "--", *FILTER, cwd=self.folder)
                self.finish(corral, 0)
                self.assertIn(text, corral.err)

    @as_root
    def test_a_disk_that_is_full_at_the_end_is_no_success(self):
        script = """
            mount -t tmpfs -o size=200k none "$FOLDER" && cd "$FOLDER" && echo 1 > tasks || exit
            "$0" map tasks --state run.db -j1 --lines -- sh -c 'read -r line; head -c 400000 /dev/zero | tr "\\0" x; echo' > "$1" """
        found = subprocess.run(["unshare", "-m", "sh", "-c", script, CORRAL, self.path("out")], capture_output=True, text=True, timeout=120,
                               env=dict(os.environ, FOLDER=self.folder))
        self.assertEqual(found.returncode, 1, found.stderr)
        self.assertIn("make room", found.stderr)


class Words(StateTest):
    def test_what_does_not_go_together(self):
        for words in (["--status"], ["--state", "", "--", "cat"], ["--retry-failed", "--", "cat"], ["--state", "x", "--failed", "--", "cat"],
                      ["--state", "x", "--results", "tasks"], ["--state", "x", "--client", "5", "--", "cat"], ["--state", "x"]):
            with self.subTest(words):
                corral = self.start("map", *words, cwd=self.folder)
                self.finish(corral, 2)
                self.assertEqual(os.listdir(self.folder), [])

    def test_anybody_can_query_it(self):
        self.go([1, {"fail": "no"}, {"a": 1, "b": 2}], command=WORKER, lines=False, status=1)
        database = sqlite3.connect(self.path("run.db"))
        rows = database.execute("SELECT line, status, attempts, result, error ->> '$.message' FROM results ORDER BY line").fetchall()
        database.close()
        self.assertEqual(rows, [(0, "done", 1, 1, None), (1, "failed", 1, None, "no"), (2, "done", 1, '{"a":1,"b":2}', None)])


if __name__ == "__main__":
    main()
