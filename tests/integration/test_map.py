"""`corral map`: tasks in, results out, by frames, by lines, and with a process for each task."""

import json
import os
import re
import select
import signal
import subprocess
import time

from harness import main, read, sanitized
from mapping import WORKER, MapTest, room_for


class Tasks(MapTest):
    def test_every_task_has_one_result(self):
        corral = self.map(range(5000), "-j2")
        self.finish(corral, 0)
        results = self.results(corral)
        self.assertEqual([results[i]["result"] for i in range(5000)], list(range(5000)))
        self.assertTrue(all(entry["ok"] and entry["attempts"] == 1 for entry in results.values()))
        self.assertIn("5000 of 5000 tasks done", corral.err)

    def test_tasks_come_from_stdin_as_they_come(self):
        corral = self.start("map", "-j1", "--", *WORKER, stdin=subprocess.PIPE)
        pipe = corral.process.stdin
        for i in range(3):
            pipe.write(f'"{i}"\n'.encode())
            pipe.flush()
            corral.await_out(f'"result":"{i}"')
        pipe.write(b'"no line break at the end"')
        pipe.close()
        self.finish(corral, 0)
        self.assertEqual(self.results(corral)[3]["result"], "no line break at the end")

    def test_results_in_order(self):
        corral = self.map([{"sleep": 0.3}] + list(range(500)), "-j3", "--ordered")
        self.finish(corral, 0)
        self.assertEqual([json.loads(line)["task"] for line in corral.out.splitlines()], list(range(501)))

    def test_raw_is_what_workers_answer_and_nothing_else(self):
        corral = self.map([1, {"fail": "no"}, "x"], "-j1", "--raw", "--ordered")
        self.finish(corral, 1)
        self.assertEqual(corral.out, '1\n"x"\n')

    def test_results_go_to_a_file(self):
        corral = self.map(range(1000), "-j2", "-o", self.path("out"))
        self.finish(corral, 0)
        self.assertEqual(len(read(self.path("out")).splitlines()), 1000)
        self.assertEqual(corral.out, "")

    def test_no_task_at_all(self):
        corral = self.map(b"\n\n")
        self.finish(corral, 0)
        self.assertEqual(corral.out, "")
        self.assertIn("0 of 0 tasks done", corral.err)

    def test_what_workers_print_is_a_log_and_never_a_result(self):
        corral = self.map([{"say": '{"task":0,"ok":true}'}], "-j1")
        self.finish(corral, 0)
        self.assertEqual(len(self.results(corral)), 1)
        self.assertIn('map/0 | {"task":0,"ok":true}', corral.err)

    def test_a_payload_of_several_lines_becomes_one(self):
        corral = self.map([{"lines": 1}], "-j1")
        self.finish(corral, 0)
        self.assertEqual(self.results(corral)[0]["result"], {"a": 1})

    def test_large_tasks_and_results_go_both_ways(self):
        corral = self.map(["y" * 3_000_000, {"big": 5_000_000}], "-j2")
        self.finish(corral, 0)
        results = self.results(corral)
        self.assertEqual((len(results[0]["result"]), len(results[1]["result"])), (3_000_000, 5_000_000))

    def test_the_input_is_not_read_faster_than_workers_work(self):
        corral = self.start("map", "-j1", "--", *WORKER, stdin=subprocess.PIPE)
        pipe = corral.process.stdin
        os.set_blocking(pipe.fileno(), False)
        line = (json.dumps({"sleep": 30}) + "\n").encode()
        written = 0
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            written += os.write(pipe.fileno(), line * 1000) if self.writable(pipe) else 0
        self.assertLess(written, 8 << 20)
        corral.signal(signal.SIGQUIT)
        pipe.close()
        corral.wait()

    @staticmethod
    def writable(pipe):
        return bool(select.select([], [pipe], [], 0.05)[1])


class Readers(MapTest):
    def test_a_reader_that_goes_away_ends_it_cleanly(self):
        tasks = self.write("tasks.jsonl", "".join(f"{i}\n" for i in range(100_000)))
        out, into = os.pipe()
        with subprocess.Popen(["head", "-n", "1"], stdin=out, stdout=subprocess.PIPE) as head:
            os.close(out)
            corral = self.start("map", tasks, "-j2", "--", *WORKER, stdout=into)
            os.close(into)
            self.finish(corral, 141)
            self.assertTrue(json.loads(head.stdout.read())["ok"])
        self.assertIn("nobody reads the results any more", corral.err)
        self.assertIn("with --state FILE the same command goes on", corral.err)

    def test_a_slow_reader_slows_everything_and_loses_nothing(self):
        out, into = os.pipe()
        tasks = self.write("tasks.jsonl", "".join(json.dumps("x" * 5000) + "\n" for _ in range(3000)))
        corral = self.start("map", tasks, "-j2", "--", *WORKER, stdout=into)
        os.close(into)
        time.sleep(0.5)
        peak = int(read(f"/proc/{corral.pid}/status").partition("VmRSS:")[2].split()[0]) * 1024
        self.assertLess(peak, 1 << 30 if sanitized else 64 << 20)
        with os.fdopen(out) as reader:
            lines = reader.read().splitlines()
        self.finish(corral, 0)
        self.assertEqual(sorted(json.loads(line)["task"] for line in lines), list(range(3000)))

    def test_a_full_disk_is_said_and_is_no_success(self):
        corral = self.map(range(1000), "-j2", "-o", "/dev/full")
        self.finish(corral, 1)
        self.assertIn("cannot write results", corral.err)

    def test_where_there_is_no_room_any_more_the_last_line_is_a_whole_one(self):
        path = self.path("out")
        corral = self.map(range(30_000), "-j2", "-o", path, preexec_fn=room_for(100_001))
        self.finish(corral, 1)
        with open(path) as file:
            lines = file.readlines()
        self.assertGreater(len(lines), 1000)
        self.assertTrue(all(json.loads(line)["ok"] for line in lines))


class Filters(MapTest):
    def test_a_filter_answers_line_by_line(self):
        corral = self.map(b"".join(b"%d\n" % i for i in range(2000)), "-j2", "--lines", "--ordered", command=["sed", "-u", "s/^/n=/"])
        self.finish(corral, 0)
        self.assertEqual([json.loads(line)["result"] for line in corral.out.splitlines()], [f"n={i}" for i in range(2000)])

    def test_a_filter_that_holds_its_output_back_is_fed_until_it_speaks(self):
        corral = self.map(b"".join(b"%d\n" % i for i in range(3000)), "-j2", "--lines", "--ordered", "--raw", command=["sed", "s/^/n=/"])
        self.finish(corral, 0)
        self.assertEqual(corral.out.splitlines(), [f"n={i}" for i in range(3000)])

    def test_bytes_that_are_no_text_come_through(self):
        corral = self.map(b"\xff\x00\x1b\n\n", "-j1", "--lines", "--raw", "--ordered", command=["cat"])
        self.finish(corral, 0)
        self.assertEqual(corral.raw_out, b"\xff\x00\x1b\n\n")

    def test_a_filter_that_says_more_than_it_is_asked_is_none(self):
        corral = self.map(b"1\n", "-j1", "--lines", "--retries", "0", command=["sh", "-c", "while read x; do echo a; echo b; done"])
        self.finish(corral)
        self.assertIn("more lines than it was given", corral.err)

    def test_a_filter_that_does_not_answer_line_by_line_is_told_of(self):
        for script in ("2p", "/7/d"):
            corral = self.map(b"".join(b"%d\n" % i for i in range(100)), "-j1", "--lines", command=["sed", "-u", script])
            self.finish(corral, 1)
            self.assertIn("did not write exactly one line for each", corral.err)

    def test_a_filter_of_several_processes_that_hold_back(self):
        corral = self.map(b"".join(b"%d\n" % i for i in range(300)), "-j1", "--lines", "--raw", "--ordered",
                          command=["sh", "-c", "sed s/^/n=/ | cat"])  # fmt: skip
        self.finish(corral, 0)
        self.assertEqual(corral.out.splitlines(), [f"n={i}" for i in range(300)])

    def test_a_filter_that_dies_before_it_has_ever_answered_is_given_up(self):
        corral = self.map(b"1\n2\n3\n4\n5\n6\n", "-j1", "--lines", command=["sh", "-c", "read x; exit 3"])
        self.finish(corral, 125)
        self.assertIn("exited with status 3", corral.err)


class Each(MapTest):
    """One process for each task: {} in the command."""

    def test_the_task_stands_in_the_command_and_no_shell_sees_it(self):
        tasks = b"plain\n$(touch nowhere) ; `id` | *\n  spaces  \n{index} {}\n"
        corral = self.map(tasks, "-j2", "--ordered", command=["printf", "%s|%s|%s", "{}", "x{#}y", "{worker}"])
        self.finish(corral, 0)
        results = self.results(corral)
        for number, text in enumerate(tasks.decode().splitlines()):
            self.assertRegex(results[number]["result"], rf"^{re.escape(text)}\|x{number}y\|[01]$")

    def test_output_is_the_result_and_raw_it_is_untouched(self):
        corral = self.map(b"1\n2\n3\n", "-j2", "--raw", "--ordered", command=["printf", "<%s>\n\n", "{}"])
        self.finish(corral, 0)
        self.assertEqual(corral.out, "<1>\n\n<2>\n\n<3>\n\n")

    def test_a_status_other_than_0_is_a_failure_with_its_output(self):
        corral = self.map(b"0\n3\n", "-j1", command=["sh", "-c", "echo said; exit $0", "{}"])
        self.finish(corral, 1)
        results = self.results(corral)
        self.assertTrue(results[0]["ok"])
        self.assertEqual(results[1]["error"], {"type": "ExitStatus", "message": "exited with status 3", "output": "said"})

    def test_a_death_by_signal_is_tried_again_and_then_quarantined(self):
        corral = self.map(b"9\nx\n", "-j1", command=["sh", "-c", "[ $0 = x ] || kill -$0 $$", "{}"])
        self.finish(corral, 1)
        results = self.results(corral)
        self.assertEqual((results[0]["quarantined"], results[0]["attempts"]), (True, 3))
        self.assertTrue(results[1]["ok"])

    def test_many_short_processes(self):
        corral = self.map(b"".join(b"%d\n" % i for i in range(500)), "-j4", command=["echo", "{}"])
        self.finish(corral, 0)
        self.assertEqual({task: entry["result"] for task, entry in self.results(corral).items()}, {i: str(i) for i in range(500)})

    def test_a_task_that_cannot_be_an_argument_fails_alone(self):
        corral = self.map(b"a\0b\n" + b"y" * 200_000 + b"\nfine\n", "-j1", command=["echo", "{}"])
        self.finish(corral, 1)
        results = self.results(corral)
        self.assertEqual([results[i]["ok"] for i in range(3)], [False, False, True])

    def test_a_task_that_stands_in_many_places_still_fits_or_fails_alone(self):
        corral = self.map(b"y" * 120_000 + b"\nz\n", "-j1", command=["echo", *["{}"] * 30])
        self.finish(corral, 1)
        self.assertEqual([self.results(corral)[i]["ok"] for i in range(2)], [False, True])

    def test_signals_and_timeouts_are_as_with_workers_that_stay(self):
        corral = self.map(b"600\n0\n", "-j1", "--timeout", "300ms", command=["sleep", "{}"])
        self.finish(corral, 1)
        self.assertEqual(self.results(corral)[0]["error"]["type"], "Timeout")
        corral = self.map(b"0\n600\n600\n", "-j1", command=["sleep", "{}"])
        corral.await_out('"task":0')
        corral.signal(signal.SIGINT)
        corral.await_err("no task begins any more")
        corral.signal_again(signal.SIGINT)
        self.finish(corral, 130)
        self.assertEqual(sorted(self.results(corral)), [0])

    def test_what_a_process_leaves_behind_is_gone_when_corral_is(self):
        corral = self.map(b"1\n2\n3\n", "-j2", command=["sh", "-c", "setsid sleep 600 & echo $0", "{}"])
        self.finish(corral, 0)
        self.assertEqual(len(self.results(corral)), 3)

    def test_mistakes(self):
        for words, sentence in ((["--lines", "--", "echo", "{}"], "exclude each other"), (["--", "{}"], "cannot be {}")):
            corral = self.map(b"1\n", *words[:-2] if "--lines" in words else [], command=words[words.index("--") + 1 :])
            self.finish(corral, 2)
            self.assertIn(sentence, corral.err)


class Libraries(MapTest):
    """The workers that users write, with the library that they import."""

    ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

    def test_a_worker_in_python(self):
        example = os.path.join(self.ROOT, "worker", "examples", "primes.py")
        tasks = [{"from": 0, "to": 100}, {"from": 100, "to": 1000}, "nonsense"]
        corral = self.map(tasks, "-j2", command=["/usr/bin/python3", example],
                          environment={"PYTHONPATH": os.path.join(self.ROOT, "worker", "python")})  # fmt: skip
        self.finish(corral, 1)
        results = self.results(corral)
        self.assertEqual([results[i]["ok"] for i in range(3)], [True, True, False])
        self.assertIn("Traceback", results[2]["error"]["traceback"])


class Usage(MapTest):
    def test_closed_descriptors_are_no_places(self):
        for closed, sentence in (("<&-", "cannot read tasks from stdin"), (">&-", "cannot write results to stdout")):
            corral = self.start("map", "-", "--lines", "--", "cat", wrapper=["sh", "-c", f'exec "$0" "$@" {closed}'])
            self.finish(corral, 2)
            self.assertIn(sentence, corral.err)

    def test_a_fifo_that_nobody_writes_to_is_waited_for_until_a_signal(self):
        os.mkfifo(self.path("fifo"))
        corral = self.start("map", self.path("fifo"), "-j1", "--", *WORKER)
        with open(self.path("fifo"), "w") as pipe:
            pipe.write("1\n")
            pipe.flush()
            corral.await_out('"result":1')
            corral.signal(signal.SIGINT)
            self.finish(corral, 130)

    def test_mistakes_have_a_sentence(self):
        for words, sentence in (
            (["map"], "a command is required"),
            (["map", "no-such-file", "--", "cat"], "cannot open tasks 'no-such-file'"),
            (["map", "/", "--", "cat"], "cannot read tasks from '/'"),
            (["map", "-o", "/no/such/folder/x", "--", "cat"], "for the results"),
            (["map", self.write("same", "1\n"), "-o", self.path("same"), "--", "cat"], "are the same file"),
            (["map", "--halt", "never,fail=1", "--", "cat"], "is not WHEN,fail=N"),
            (["map", "--timeout", "5", "--", "cat"], "'5' is not a duration"),
            (["map", "-j", "0", "--", "cat"], "'0' is not a whole number"),
        ):
            corral = self.start(*words)
            self.finish(corral, 2)
            self.assertIn(sentence, corral.err)


if __name__ == "__main__":
    main()
