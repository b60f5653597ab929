"""on_event: a command is told of what happens, one event after another, and is in nobody's way whatever it does."""

import json
import os
import signal
import sys

from harness import QUICK, CorralTest, await_that, exists, main, program, read, zoo

# Appends what it is told to the file that it is given.
TELL = ["sh", "-c", 'cat >> "$1"', "hook"]


class Hooks(CorralTest):
    def hooked(self, programs, command, *flags, top=None, **hook):
        return self.run_config(programs, *flags, top={"on_event": {"command": command, **hook}, **(top or {})})

    def told(self):
        return [json.loads(line) for line in read(self.path("told")).splitlines()]

    def names(self):
        return [event["event"] for event in self.told()]

    def script(self, text):
        """A hook in Python: `event` is what it was told, `told` the file to write to."""
        path = self.write("hook.py", "import json, os, signal, sys, time\nevent = json.load(sys.stdin)\n"
                          f"told = open({self.path('told')!r}, 'a')\n{text}\n")  # fmt: skip
        return [sys.executable, path]

    def test_every_event_with_its_cause_in_order_and_the_last_one_too(self):
        corral = self.hooked({"a": program("exit 3", restart="never"), "b": program("crash SEGV", restart="never")},
                             [*TELL, self.path("told")])  # fmt: skip
        self.finish(corral, 1)
        told = self.told()
        self.assertEqual([event["seq"] for event in told], list(range(1, len(told) + 1)))
        ends = {event["worker"]: event for event in told if event["event"] == "worker_ended"}
        self.assertEqual((ends["a/0"]["exit_status"], ends["a/0"]["next"], ends["a/0"]["program"]), (3, "not_restarted", "a"))
        self.assertEqual((ends["b/0"]["signal_name"], ends["b/0"]["success"]), ("SIGSEGV", False))
        self.assertEqual((told[-1]["event"], told[-1]["exit_status"]), ("finished", 1))
        for event in told:
            self.assertIn(f"corral: {event['text']}\n", corral.err)
            self.assertRegex(event["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")

    def test_the_log_as_json_says_the_same(self):
        corral = self.hooked({"a": program("exit 3", restart="never")}, [*TELL, self.path("told")], "--log-format", "json")
        self.finish(corral, 1)
        logged = [json.loads(line) for line in corral.err.splitlines()]
        for line in logged:
            self.assertEqual(line.pop("source"), "corral")
            line["text"] = line.pop("message")
        self.assertEqual(logged, self.told())

    def test_the_log_stays_json_whatever_a_hook_says(self):
        for words, last in ((r"os.write(2, b'it is \"said\"\nhalf a line')", "half a line"), (r"os.write(2, b'x\xff\n' * 20000)", "x\ufffd"),
                            ("os.write(2, b'last'); os.kill(os.getpid(), signal.SIGKILL)", "last")):  # fmt: skip
            with self.subTest(words):
                corral = self.hooked({"a": program("exit 0")}, self.script(words), "--log-format", "json", events=["finished"])
                self.finish(corral, 0)
                logged = [json.loads(line) for line in corral.err.splitlines()]
                said = [line for line in logged if line["source"] == "on_event"]
                self.assertEqual({line["source"] for line in logged}, {"corral", "on_event"})
                self.assertEqual((said[0]["stream"], said[-1]["line"]), ("stderr", last))
        corral = self.hooked({"a": program("exit 0")}, self.script("os.write(2, b'plain\\n')"), events=["finished"])
        self.finish(corral, 0)
        self.assertIn("plain\n", corral.err.splitlines(keepends=True))

    def test_only_what_it_asks_for(self):
        corral = self.hooked({"a": program("exit 3", restart="never")}, [*TELL, self.path("told")], events=["worker_ended"])
        self.finish(corral, 1)
        self.assertEqual(self.names(), ["worker_ended"])

    def test_its_descriptors_are_the_event_and_nothing_else_of_ours(self):
        waits = f"while ! [ -s {self.path('told')} ]; do sleep 0.05; done"  # For at the end a hook has little time.
        corral = self.hooked({"a": {"command": ["sh", "-c", waits]}}, events=["worker_started"], command=self.script(
            "told.write(os.readlink('/proc/self/fd/1') + '\\n')\n"
            "told.write(str(sorted(int(fd) for fd in os.listdir('/proc/self/fd') if int(fd) > 2 and int(fd) != told.fileno())) + '\\n')"
        ))  # fmt: skip
        self.finish(corral, 0)
        output, others = read(self.path("told")).splitlines()
        self.assertEqual(output, "/dev/null")
        self.assertLessEqual(len(json.loads(others)), 1)  # The one that lists them.

    def test_one_that_hangs_is_killed_with_all_that_it_started_and_nobody_waits_for_it(self):
        pids = self.path("pids")
        hang = self.script(f"open({pids!r}, 'a').write(f'{{os.getpid()}}\\n')\n"
                           "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                           "os.spawnlp(os.P_NOWAIT, 'setsid', 'setsid', 'sleep', '1000')\ntime.sleep(1000)")  # fmt: skip
        corral = self.hooked({"loop": program("exit 0", restart=QUICK), "a": "line up + hang"}, hang, timeout="300ms",
                             events=["worker_ended", "stopping"])  # fmt: skip
        corral.await_err(r"on_event: killed: it took longer than 300 ms")
        corral.await_start("loop/0", incarnation=20)  # It has gone on.
        await_that("the next one has its turn", lambda: len(read(pids).split()) >= 3)
        first = int(read(pids).split()[0])
        await_that("the first is gone", lambda: not exists(first))
        self.assertEqual(corral.err.count("on_event: killed"), 1)
        self.stop(corral, 0)  # And nothing is left behind, which finish() looks for.

    def test_one_that_a_reload_has_taken_away_while_it_ran_is_killed_for_the_time_it_was_given(self):
        corral = self.hooked({"a": program("line up + hang")}, self.script("told.write('.')\ntold.flush()\ntime.sleep(1000)"),
                             timeout="2s", events=["worker_started"])  # fmt: skip
        await_that("it runs", lambda: os.path.exists(self.path("told")) and read(self.path("told")))
        self.configure({"a": program("line up + hang")})
        corral.signal(signal.SIGHUP)
        corral.await_err(r"^corral: on_event: killed: it took longer than 2 s$")
        self.stop(corral, 0)

    def test_one_that_the_end_does_not_wait_for_was_not_too_slow(self):
        corral = self.hooked({"a": program("line up + hang")}, self.script("told.write('.')\ntold.flush()\ntime.sleep(1000)"),
                             timeout="1h", events=["worker_started"])  # fmt: skip
        await_that("it runs", lambda: os.path.exists(self.path("told")) and read(self.path("told")))
        self.stop(corral, 0)
        self.assertNotIn("it took longer than", corral.err)
        self.assertIn("corral: on_event: killed: everything else has stopped, and it is not waited for any longer\n", corral.err)

    def test_one_that_fails_is_told_of_once_and_when_it_works_again(self):
        flag = self.path("flag")
        corral = self.hooked({"loop": program("sleep 5 + exit 0", restart=QUICK)}, ["sh", "-c", f'test -e "{flag}" || exit 7'],
                             events=["worker_started"])  # fmt: skip
        corral.await_err("^corral: on_event: exited with status 7$")
        corral.await_start("loop/0", incarnation=10)
        self.assertEqual(corral.err.count("on_event"), 1)
        self.write("flag", "")
        corral.await_err(r"^corral: on_event works again, after \d+ failures?$")
        self.stop(corral, 0)

    def test_one_that_cannot_be_started_is_told_of_and_changes_nothing(self):
        path = self.write("hook", "#!/no/such/interpreter\n")
        os.chmod(path, 0o755)
        corral = self.hooked({"a": program("exit 0")}, [path])
        self.finish(corral, 0)
        self.assertRegex(corral.err, "corral: on_event: cannot execute '.*hook' with its interpreter '/no/such/interpreter': No such file")

    def test_a_command_that_is_not_there_is_a_mistake_of_the_configuration(self):
        corral = self.hooked({"a": program("exit 0")}, ["/no/such/hook"])
        self.finish(corral, 2)
        self.assertIn("at /on_event/command/0: cannot execute '/no/such/hook'", corral.err)

    def test_a_thousand_events_and_a_slow_hook(self):
        corral = self.hooked({"loop": program("exit 0", workers=4, cores="shared", restart=QUICK)}, self.script(
            "told.write(json.dumps(event) + '\\n')\ntime.sleep(0.05)"), events=["worker_started", "worker_ended"])  # fmt: skip
        corral.await_start("loop/3", incarnation=250)
        self.assertRegex(corral.err, "on_event is slower than events come")
        self.stop(corral, 0)
        numbers = [event["seq"] for event in self.told()]
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertRegex(corral.err, r"on_event was not told of \d+ events")
        self.assertLess(corral.err.count("on_event"), 10)

    def test_a_stop_gives_what_is_left_a_short_time_and_no_more(self):
        slow = self.script("told.write(event['event'] + '\\n')\ntold.flush()\n"
                           "time.sleep(1000 if event['event'] == 'stopping' else 0)")  # fmt: skip
        corral = self.hooked({"a": "line up + hang"}, slow, timeout="1h", events=["worker_started", "stopping", "finished"])
        corral.await_out("up")
        await_that("it is told of the start", lambda: "worker_started" in read(self.path("told")))
        corral.signal(signal.SIGTERM)
        await_that("it hangs", lambda: "stopping" in read(self.path("told")))
        self.finish(corral, 0)
        self.assertNotIn("finished", read(self.path("told")))
        self.assertIn("on_event was not told of the last event: everything else has stopped\n", corral.err)
        self.assertNotIn("slower than events come", corral.err)

    def test_whoever_asks_again_does_not_wait_for_it(self):
        corral = self.hooked({"a": "line up + hang"}, self.script("told.write('x')\ntold.flush()\ntime.sleep(1000)"),
                             events=["stopping"])  # fmt: skip
        corral.await_out("up")
        corral.signal(signal.SIGTERM)
        await_that("it hangs", lambda: read(self.path("told")))
        await_that("the worker is gone", lambda: "ended as asked" in corral.err)
        corral.signal_again(signal.SIGTERM)
        self.finish(corral)

    def test_a_daemon_that_a_hook_starts_at_the_end_is_not_left_behind(self):
        daemon = self.script("import subprocess\n"
                             "subprocess.Popen(['setsid', 'sleep', '1000'], stdin=subprocess.DEVNULL)")  # fmt: skip
        for events in (["worker_ended"], ["finished"]):
            with self.subTest(events):
                corral = self.hooked({"a": program("exit 0")}, daemon, events=events)
                self.finish(corral, 0)

    def test_a_reload_brings_changes_and_takes_it_away(self):
        corral = self.run_config({"a": "line up + hang"})
        corral.await_out("up")
        for number, name in enumerate(("one", "two"), 1):
            hook = {"command": [*TELL, self.path(name)], "events": ["reloaded"]}
            self.configure({"a": "line up + hang"}, {"on_event": hook})
            corral.signal(signal.SIGHUP)
            corral.await_err("configuration reloaded", count=number)
            await_that("it is told", lambda name=name: read(self.path(name)).count("\n") == 1)
        self.configure({"a": "line up + hang"})
        corral.signal(signal.SIGHUP)
        corral.await_err("configuration reloaded", count=3)
        self.stop(corral, 0)
        self.assertEqual((read(self.path("one")).count("\n"), read(self.path("two")).count("\n")), (1, 1))

    def test_it_is_no_worker(self):
        corral = self.hooked({"a": program("exit 0")}, zoo("exit 1"))
        self.finish(corral, 0)
        self.assertNotIn("on_event/0", corral.err)


if __name__ == "__main__":
    main()
