"""`corral map` when workers die, lie or hang, and what signals mean to it."""

import json
import os
import signal
import time

from harness import await_that, children, guardian_of, main, read
from mapping import WORKER, MapTest


class Faults(MapTest):
    def test_a_worker_killed_at_any_moment_costs_nothing(self):
        corral = self.map([{"sleep": 0.02}] * 100 + list(range(100)), "-j2", "--retries", "100")  # One may be hit each time.
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

    def test_a_line_of_100_mb_fails_alone(self):
        corral = self.map(b'1\n"' + b"x" * 100_000_000 + b'"\n3\n', "-j1")
        self.finish(corral, 1)
        results = self.results(corral)
        self.assertEqual([results[i]["ok"] for i in range(3)], [True, False, True])
        self.assertIn("longer than the 64 MiB that a task may have (--max-payload); a file", results[1]["error"]["message"])

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

    def test_one_that_says_nothing_at_all_is_told_of_soon(self):
        corral = self.map([1, 2], "-j1", command=["sleep", "1000"])
        corral.await_err("no worker has said HELLO in 5 s; .*--lines")
        corral.signal(signal.SIGTERM)
        corral.signal(signal.SIGQUIT)
        self.assertNotEqual(corral.wait(), 0)

    def test_no_such_command(self):
        corral = self.map([1], command=["no-such-command-anywhere"])
        self.finish(corral, 2)
        self.assertIn("no-such-command-anywhere", corral.err)


class Patience(MapTest):
    """Nobody is late, and nothing is lost, because somebody else takes his time."""

    def test_a_slow_reader_makes_no_task_late(self):
        out, into = os.pipe()
        tasks = self.write("tasks.jsonl", "".join(json.dumps("x" * 4000) + "\n" for _ in range(2000)))
        corral = self.start("map", tasks, "-j2", "--timeout", "1s", "--", *WORKER, stdout=into)
        os.close(into)
        time.sleep(2)
        with os.fdopen(out) as reader:
            lines = reader.read().splitlines()
        self.finish(corral, 0)
        self.assertEqual(len(lines), 2000)

    def test_results_wait_for_their_reader_and_no_line_is_cut(self):
        for signals in (1, 2):
            out, into = os.pipe()
            tasks = self.write("tasks.jsonl", "".join(json.dumps("x" * 3000) + "\n" for _ in range(100)))
            corral = self.start("map", tasks, "-j2", "--", *WORKER, stdout=into)
            os.close(into)
            await_that("workers", lambda: children(corral.pid))
            await_that("workers are gone", lambda: set(children(corral.pid)) <= {guardian_of(corral.pid)})
            corral.signal(signal.SIGTERM)
            corral.await_err("wait for their reader")
            if signals == 2:
                corral.signal_again(signal.SIGTERM)
                self.finish(corral, 143)
            with os.fdopen(out) as reader:
                lines = reader.read().splitlines()
            self.assertTrue(all(json.loads(line)["ok"] for line in lines))
            if signals == 1:
                self.finish(corral, 0)
                self.assertEqual(len(lines), 100)

    def test_corral_stopped_for_a_while_makes_no_task_late(self):
        corral = self.map([0, {"sleep": 2}], "-j1", "--timeout", "3s")
        corral.await_out('"task":0')
        corral.signal(signal.SIGSTOP)
        time.sleep(4)
        corral.signal(signal.SIGCONT)
        self.finish(corral, 0)

    def test_a_channel_that_is_closed_is_not_waited_for(self):
        corral = self.map([{"close": 1}, 5], "-j1", "--retries", "0")
        self.finish(corral, 1)
        self.assertEqual(self.results(corral)[1]["result"], 5)

    def test_quit_with_tasks_left_is_no_success(self):
        corral = self.map([0] + [{"sleep": 600}] * 5, "-j1")
        corral.await_out('"task":0')
        corral.signal(signal.SIGQUIT)
        self.finish(corral, 131)


class Halts(MapTest):
    def test_enough_failures_end_it(self):
        for when in ("soon", "now"):
            tasks = [{"fail": "a"}, {"fail": "b"}, {"sleep": 0.2 if when == "soon" else 600}] + [{"sleep": 600}] * 100
            corral = self.map(tasks, "-j1", "--halt", f"{when},fail=2")
            self.finish(corral, 1)
            self.assertIn("2 tasks failed", corral.err)
            self.assertLess(len(self.results(corral)), 5)

    def test_no_more_tasks_than_asked_for(self):
        corral = self.map(range(1000), "-j2", "--limit", "7")
        self.finish(corral, 0)
        self.assertEqual(sorted(self.results(corral)), list(range(7)))


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

    def test_before_anything_is_done_it_says_how_to_go_on_too(self):
        corral = self.map([0] * 3, "-j1", "--lines", command=["sh", "-c", "read -r line; echo here >&2; sleep 600"])
        corral.await_err("here")
        corral.signal(signal.SIGINT)
        corral.await_err("no task begins any more")
        corral.signal_again(signal.SIGINT)
        self.finish(corral, 130)
        self.assertIn("nothing is done yet: the same command begins again", corral.err)

    def test_a_worker_that_ends_after_the_signal_is_not_started_again(self):
        worker = f"read -r line; echo here >&2; while ! [ -e {self.path('go')} ]; do sleep 0.05; done; echo $line"
        corral = self.map([7] * 3, "-j1", "--lines", command=["sh", "-c", worker])
        corral.await_err("here")
        corral.signal(signal.SIGINT)
        corral.await_err("no task begins any more")
        self.write("go", "")
        self.finish(corral, 130)
        self.assertEqual(len(self.results(corral)), 1)
        self.assertEqual(corral.err.count("map/0 | here"), 1)

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


if __name__ == "__main__":
    main()
