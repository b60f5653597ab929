"""`corral map`: the quarantine, and the small options: --tag, --shuf, --dry-run."""

import json
import os
import subprocess

from harness import main, read
from mapping import WORKER, MapTest


class Quarantine(MapTest):
    def test_tasks_stand_as_in_the_input_and_stories_beside_them(self):
        bad = self.path("bad")
        corral = self.map(b'1\n{"kill":  11}\n2\n{"exit": 3 }\n', "-j1", "--retries", "1", "--quarantine", bad)
        self.finish(corral, 1)
        tasks = read(bad).splitlines()
        stories = [json.loads(line) for line in read(bad + ".stories").splitlines()]
        self.assertEqual(sorted(tasks), ['{"exit": 3 }', '{"kill":  11}'])
        self.assertEqual(len(stories), 2)
        self.assertEqual([{1: '{"kill":  11}', 3: '{"exit": 3 }'}[story["line"]] for story in stories], tasks)
        killed = next(story for story in stories if story["line"] == 1)
        self.assertEqual((killed["type"], killed["signal"], killed["attempts"]), ("WorkerDied", 11, 2))
        self.assertGreater(killed["max_rss_bytes"], 0)
        self.assertEqual(next(story for story in stories if story["line"] == 3)["exit_status"], 3)

    def test_they_can_be_fed_again_whatever_they_are(self):
        lines = [b"fine", b'a "quoted"  \\ line', b"\xff\xfe no text\r", b'{"task":1}', b"x" * 20_000]
        command = ["sh", "-c", '[ -e "$1" ] || [ "$2" = fine ] || kill -9 $$; printf %s "$2"', "sh", self.path("mended"), "{}"]
        bad = self.path("bad")
        corral = self.map(b"\n".join(lines), "-j1", "--retries", "0", "--quarantine", bad, command=command)
        self.finish(corral, 1)
        self.assertEqual(read(bad, "rb").split(b"\n"), [*lines[1:], b""])
        self.write("mended", "")
        again = self.start("map", bad, "-j1", "--raw", "--ordered", "--", *command)
        self.finish(again, 0)
        self.assertEqual(again.raw_out, b"".join(lines[1:]))

    def test_the_last_words_of_a_worker_are_in_the_story(self):
        command = ["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo word $i >&2; done; echo no >&1; kill -9 $$ # {}"]
        corral = self.map(b"a\n", "-j1", "--retries", "0", "--quarantine", self.path("bad"), command=command)
        self.finish(corral, 1)
        words = [f"word {i}" for i in range(3, 13)]
        self.assertEqual(json.loads(read(self.path("bad.stories")))["stderr"], words)
        self.assertEqual(self.results(corral)[0]["error"]["stderr"], words)

    def test_what_failed_or_was_done_is_not_in_it(self):
        corral = self.map([1, {"fail": "no"}], "-j1", "--quarantine", self.path("bad"))
        self.finish(corral, 1)
        self.assertEqual((read(self.path("bad")), read(self.path("bad.stories"))), ("", ""))


class Small(MapTest):
    def test_tag_puts_the_task_in_front_of_each_line(self):
        corral = self.map(b"1\n2\tx\n", "-j1", "--raw", "--tag", "--ordered", command=["printf", "%s\\nb\\nc", "{}"])
        self.finish(corral, 0)
        self.assertEqual(corral.out, "1\t1\n1\tb\n1\tc\n2 x\t2\tx\n2 x\tb\n2 x\tc\n")

    def test_tag_with_a_filter_is_short(self):
        task = "é" * 200
        corral = self.map(f"{task}\n".encode(), "-j1", "--raw", "--tag", "--lines", command=["sed", "-u", "s/.*/x/"])
        self.finish(corral, 0)
        self.assertEqual(corral.out, "é" * 50 + "…\tx\n")

    def test_tag_needs_raw(self):
        corral = self.map([1], "--tag")
        self.finish(corral, 2)
        self.assertIn("--raw", corral.err)

    def test_shuf_runs_each_task_once_in_another_order(self):
        for end in ("\n", ""):
            content = "\n".join(str(i) for i in range(5000)) + end
            corral = self.map(content.encode(), "-j1", "--shuf", "--lines", command=["cat"])
            self.finish(corral, 0)
            order = [json.loads(line)["task"] for line in corral.out.splitlines()]
            self.assertEqual(sorted(order), list(range(5000)))
            self.assertNotEqual(order, list(range(5000)))
            self.assertTrue(all(entry["result"] == str(task) for task, entry in self.results(corral).items()))

    def test_shuf_with_a_limit_is_a_sample(self):
        corral = self.map(range(100_000), "-j1", "--shuf", "--limit", "10")
        self.finish(corral, 0)
        results = self.results(corral)
        self.assertEqual(len(results), 10)
        self.assertTrue(all(entry["result"] == task for task, entry in results.items()))
        self.assertGreater(max(results), 1000)  # The chance that it is not: 1 in 10^20.

    def test_shuf_knows_long_and_empty_input(self):
        corral = self.map(b"", "-j1", "--shuf")
        self.finish(corral, 0)
        corral = self.map(b"\n\n7\n\n", "-j1", "--shuf")
        self.finish(corral, 0)
        self.assertEqual(list(self.results(corral)), [2])
        corral = self.map(b'"' + b"y" * 3_000_000 + b'"\n1\n', "-j1", "--shuf")
        self.finish(corral, 0)
        self.assertEqual(len(self.results(corral)[0]["result"]), 3_000_000)

    def test_shuf_refuses_a_pipe_and_an_order(self):
        corral = self.start("map", "--shuf", "--", *WORKER, stdin=subprocess.PIPE)
        corral.process.stdin.close()
        self.finish(corral, 2)
        self.assertIn("--shuf needs a file", corral.err)
        corral = self.map([1], "--shuf", "--ordered")
        self.finish(corral, 2)

    def test_dry_run_prints_commands_that_a_shell_reads_back(self):
        tasks = ["plain", "two words", "it's", "$(touch x); *", "-n", "é"]
        corral = self.map("\n".join(tasks).encode(), "--dry-run", "-o", self.write("out", "kept"), command=["printf", "%s|%s\\n", "{}", "{#}"])
        self.finish(corral, 0)
        shell = subprocess.run(["sh"], input=corral.raw_out, capture_output=True, cwd=self.folder, timeout=60)
        self.assertEqual(shell.stdout.decode(), "".join(f"{task}|{i}\n" for i, task in enumerate(tasks)))
        self.assertEqual(sorted(os.listdir(self.folder)), ["out", "tasks.jsonl"])
        self.assertEqual(read(self.path("out")), "kept")

    def test_a_dry_run_and_two_looks_at_a_state_are_refused(self):
        for words in (["--dry-run", "--state", "run.db"], ["--state", "run.db", "--dry-run", "--retry-failed"]):
            corral = self.map(b"1\n", *words)
            self.finish(corral, 2)
            self.assertIn("leave one of them out", corral.err)
        corral = self.start("map", "--state", "run.db", "--status", "--failed")
        self.finish(corral, 2)
        self.assertIn("one of them at a time", corral.err)

    def test_dry_run_of_workers_prints_the_tasks_and_starts_nobody(self):
        corral = self.map(b'{"touch":"x"}\n\n2\n3\n', "--dry-run", "--limit", "2", command=["./no such program"])
        self.finish(corral, 0)
        self.assertEqual(corral.out, '{"touch":"x"}\n2\n')
        self.assertIn("2 tasks would be given to workers: './no such program'", corral.err)


class Lengths(MapTest):
    """How long a task and a result may be."""

    def test_a_result_that_is_too_long_is_given_up_at_once_and_told_what_may_be(self):
        sentence = "more than the 1 MiB that a result may have (--max-payload)"
        filters = ["--lines", "sh", "-c", "while read n; do head -c $n /dev/zero; echo; done"]
        for command in (["head", "-c", "{}", "/dev/zero"], filters):
            lines = command[0] == "--lines"
            with self.subTest(lines=lines):
                corral = self.map(b"10\n3000000\n20\n", "-j1", "--max-payload", "1MiB", *command[:lines], command=command[lines:])
                self.finish(corral, 1)
                results = self.results(corral)
                self.assertEqual([results[n]["ok"] for n in range(3)], [True, False, True])
                self.assertEqual((results[1]["error"]["type"], results[1]["attempts"]), ("ResultTooLong", 1))
                self.assertIn(sentence, results[1]["error"]["message"])

    def test_more_than_64_mib_can_be_asked_for(self):
        size = 70 << 20
        corral = self.map(f"{size}\n".encode(), "-j1", "--raw", "--max-payload", "100MiB", "-o", self.path("out"),
                          command=["head", "-c", "{}", "/dev/zero"])  # fmt: skip
        self.finish(corral, 0)
        self.assertGreaterEqual(os.path.getsize(self.path("out")), size)

    def test_a_task_that_is_too_long_fails_alone(self):
        corral = self.map(b'1\n"' + b"x" * 2000 + b'"\n3\n', "-j1", "--max-payload", "1KiB")
        self.finish(corral, 1)
        results = self.results(corral)
        self.assertEqual([results[n]["ok"] for n in range(3)], [True, False, True])
        self.assertIn("longer than the 1 KiB that a task may have (--max-payload)", results[1]["error"]["message"])
        for wrong in ("0", "1000B", "4GiB", "x"):
            self.finish(self.map([1], "--max-payload", wrong), 2)


if __name__ == "__main__":
    main()
