"""`corral map`: tasks in, results out, whatever workers, readers and signals do."""

import json
import os
import signal
import subprocess
import sys
import time

from harness import CorralTest, await_that, main, read, sanitized

WORKER = [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "task_worker.py")]


class MapTest(CorralTest):
    def map(self, tasks, *options, command=WORKER, **popen):
        """Starts `corral map` on a file of these tasks: bytes, or values that become one line of JSON each."""
        content = tasks if isinstance(tasks, bytes) else "".join(json.dumps(task) + "\n" for task in tasks).encode()
        return self.start("map", self.write("tasks.jsonl", content), *options, "--", *command, **popen)

    def results(self, corral):
        """{task: line}, each task once and each line whole."""
        found = {}
        for line in corral.out.splitlines():
            entry = json.loads(line)
            self.assertNotIn(entry["task"], found, "written twice")
            found[entry["task"]] = entry
        return found


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
        import select

        return bool(select.select([], [pipe], [], 0.05)[1])


class Faults(MapTest):
    def test_a_worker_killed_at_any_moment_costs_nothing(self):
        corral = self.map([{"sleep": 0.02}] * 100 + list(range(100)), "-j2")
        corral.await_out('"ok":true')
        for _ in range(6):
            victims = await_that("a worker", lambda: self.workers(corral) or corral.process.poll() is not None)
            if victims is True:
                break
            os.kill(victims[0], signal.SIGKILL)
            time.sleep(0.05)
        self.finish(corral, 0)
        self.assertEqual(len(self.results(corral)), 200)

    def workers(self, corral):
        from harness import children

        return [pid for pid in children(corral.pid) if b"task_worker" in read(f"/proc/{pid}/cmdline", "rb")]

    def test_a_poison_task_is_quarantined_and_takes_no_neighbour_along(self):
        corral = self.map(list(range(50)) + [{"kill": 11}] + list(range(50)), "-j2")
        self.finish(corral, 1)
        results = self.results(corral)
        self.assertEqual(len(results), 101)
        poison = results.pop(50)
        self.assertEqual((poison["ok"], poison["quarantined"], poison["attempts"]), (False, True, 3))
        self.assertIn("killed by signal 11", poison["error"]["message"])
        self.assertTrue(all(entry["ok"] and entry["attempts"] == 1 for entry in results.values()))
        self.assertIn("100 of 101 tasks done, 1 quarantined, 2 retries", corral.err)

    def test_retries_can_be_had_more_or_none(self):
        corral = self.map([{"kill": 9}], "-j1", "--retries", "0")
        self.finish(corral, 1)
        self.assertEqual(self.results(corral)[0]["attempts"], 1)

    def test_a_task_that_killed_once_is_done_in_its_second_attempt(self):
        corral = self.map([{"kill-once": self.path("flag")}], "-j1")
        self.finish(corral, 0)
        self.assertEqual(self.results(corral)[0]["attempts"], 2)

    def test_a_worker_that_exits_in_the_middle_of_a_task_is_a_death_too(self):
        corral = self.map([{"exit": 0}], "-j1", "--retries", "1")
        self.finish(corral, 1)
        self.assertIn("exited with status 0", self.results(corral)[0]["error"]["message"])

    def test_an_error_is_the_end_of_a_task_unless_errors_are_retried(self):
        corral = self.map([{"fail": "no good"}, "fine"], "-j1")
        self.finish(corral, 1)
        self.assertEqual(self.results(corral)[0]["error"]["message"], "no good")
        corral = self.map([{"fail": "no good"}], "-j1", "--retry-errors", "2")
        self.finish(corral, 1)
        self.assertEqual(self.results(corral)[0]["attempts"], 3)

    def test_a_line_that_is_no_json_fails_alone(self):
        corral = self.map(b'1\n{"a":\n2\n', "-j1")
        self.finish(corral, 1)
        results = self.results(corral)
        self.assertEqual([results[i]["ok"] for i in range(3)], [True, False, True])

    def test_a_task_past_its_timeout_is_given_up_and_its_worker_replaced(self):
        corral = self.map([{"sleep": 600}] + list(range(20)), "-j1", "--timeout", "500ms")
        self.finish(corral, 1)
        results = self.results(corral)
        self.assertEqual(results[0]["error"]["type"], "Timeout")
        self.assertEqual(results[0]["attempts"], 1)
        self.assertEqual(len(results), 21)

    def test_progress_keeps_a_long_task_alive(self):
        corral = self.map([{"progress": 1.5}], "-j1", "--timeout", "1s")
        self.finish(corral, 0)

    def test_garbage_on_the_channel_replaces_the_worker(self):
        corral = self.map([{"garbage": 1}, 7], "-j1", "--retries", "1")
        self.finish(corral, 1)
        results = self.results(corral)
        self.assertEqual(results[0]["error"]["type"], "ProtocolError")
        self.assertEqual(results[1]["result"], 7)

    def test_second_and_forged_answers_are_dropped(self):
        corral = self.map([{"twice": 1}, {"forge": 99}, "mine"], "-j1")
        self.finish(corral, 0)
        results = self.results(corral)
        self.assertEqual(results[0]["result"], "first")
        self.assertEqual(sorted(results), [0, 1, 2])
        self.assertIn("stray answers dropped", corral.err)

    def test_a_worker_that_closes_its_channel_and_hangs_meets_the_timeout(self):
        corral = self.map([{"close": 1}, 5], "-j1", "--retries", "0", "--timeout", "1s")
        self.finish(corral, 1)
        self.assertEqual(self.results(corral)[1]["result"], 5)

    def test_a_command_that_does_not_speak_the_protocol_is_told_what_it_probably_is(self):
        corral = self.map([1, 2], "-j1", command=["cat"])
        self.finish(corral, 125)
        self.assertIn("before it had said HELLO", corral.err)
        self.assertIn("--lines", corral.err)

    def test_no_such_command(self):
        corral = self.map([1], command=["no-such-command-anywhere"])
        self.finish(corral, 2)
        self.assertIn("no-such-command-anywhere", corral.err)


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


class Signals(MapTest):
    def test_the_first_signal_lets_running_tasks_end_and_begins_no_other(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            corral = self.map(["first", {"sleep": 1}] + [{"sleep": 1}] * 1000, "-j1")
            corral.await_out('"first"')
            corral.signal(number)
            self.finish(corral, 128 + number)
            self.assertIn("no task begins any more", corral.err)
            self.assertGreaterEqual(len(self.results(corral)), 2)
            self.assertLess(len(self.results(corral)), 5)

    def test_the_second_signal_stops_the_workers_and_spends_no_attempt(self):
        corral = self.map([0] + [{"sleep": 600}] * 10, "-j2")
        corral.await_out('"task":0')
        corral.signal(signal.SIGINT)
        corral.await_err("no task begins any more")
        corral.signal_again(signal.SIGINT)
        self.finish(corral, 130)
        self.assertNotIn("quarantined", corral.out)

    def test_the_third_kills(self):
        corral = self.map([0] + [{"sleep": 600}] * 10, "-j2", "--grace", "600s", command=[*WORKER, "--ignore-term"])
        corral.await_out('"task":0')
        corral.signal(signal.SIGTERM)
        corral.await_err("no task begins any more")
        corral.signal_again(signal.SIGTERM)
        corral.await_err("stopping")
        corral.signal_again(signal.SIGTERM)
        self.finish(corral, 143)

    def test_a_signal_when_all_is_done_but_the_end_is_no_failure(self):
        corral = self.map([0, {"sleep": 1}], "-j1")
        corral.await_out('"task":0')
        corral.signal(signal.SIGTERM)
        self.finish(corral, None)
        if len(self.results(corral)) == 2:
            self.assertEqual(corral.process.returncode, 0)

    def test_corral_killed_leaves_no_worker(self):
        corral = self.map([0] + [{"sleep": 600}] * 10, "-j2")
        corral.await_out('"task":0')
        corral.signal(signal.SIGKILL)
        corral.process.wait()  # tearDown looks for what is left.


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

    def test_a_filter_that_dies_before_it_has_ever_answered_is_given_up(self):
        corral = self.map(b"1\n2\n3\n4\n5\n6\n", "-j1", "--lines", command=["sh", "-c", "read x; exit 3"])
        self.finish(corral, 125)
        self.assertIn("exited with status 3", corral.err)


class Usage(MapTest):
    def test_mistakes_have_a_sentence(self):
        for words, sentence in (
            (["map"], "a command is required"),
            (["map", "no-such-file", "--", "cat"], "cannot open tasks 'no-such-file'"),
            (["map", "/", "--", "cat"], "cannot read tasks from '/'"),
            (["map", "-o", "/no/such/folder/x", "--", "cat"], "for the results"),
            (["map", "--timeout", "5", "--", "cat"], "'5' is not a duration"),
            (["map", "-j", "0", "--", "cat"], "'0' is not a whole number"),
        ):
            corral = self.start(*words)
            self.finish(corral, 2)
            self.assertIn(sentence, corral.err)


if __name__ == "__main__":
    main()
