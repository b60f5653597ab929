"""A reload on trial: what does not become healthy makes way for what was there before."""

import os
import signal

from control import ControlTest
from harness import CEILING, await_that, exists, main, program

SHORT = {"healthy_after": "200ms", "delay": "10ms"}
LONG = {"healthy_after": "1h", "delay": "10ms"}


class Rollback(ControlTest):
    def begin(self, **options):
        corral = self.run_controlled({"a": program("line old + hang", workers=2, cores="shared"), "b": "hang"}, **options)
        self.await_listening(corral)
        self.others = [corral.await_start("b/0")]
        corral.await_out("a/[01] \\| old", count=2)
        return corral

    def offer(self, does, restart=SHORT, top=None, **more):
        self.reconfigure({"a": program(does, workers=2, cores="shared", restart=restart, **more), "b": "hang"}, top)

    def is_back(self, corral):
        corral.await_err("rolled back to the configuration before: .*the file still has the new one")
        corral.await_out("a/[01] \\| old", count=4)
        self.assertTrue(exists(self.others[0]), "who was not touched is not touched by the way back either")

    def test_what_crashes_makes_way(self):
        corral = self.begin()
        self.offer("line new + exit 7")
        end = self.ask_for("reload", "--rollback", status=1)
        self.assertRegex(end.err, "a/[01] did not become healthy: the configuration before is in force again")
        corral.await_err("the new configuration does not hold: a/[01] did not run for 200 ms; going back")
        self.is_back(corral)
        events = self.http("GET", "/v1/events?event=trial_failed&event=rolled_back")[2]["events"]
        self.assertEqual([event["event"] for event in events], ["trial_failed", "rolled_back"])
        self.assertEqual(events[0]["healthy_after_seconds"], 0.2)
        # And what is in force now is that: the same file is another configuration once more.
        self.assertRegex(self.ask_for("reload", "--plan").out, "restart +a/0 +changed: command")
        self.stop(corral, 0)

    def test_what_holds_stays(self):
        corral = self.begin()
        self.offer("line new + hang")
        self.assertIn("2 workers changed", self.ask_for("reload", "--rollback").out)
        corral.await_err("the new configuration holds: what it touched is healthy .2 workers")
        corral.await_out("a/0 \\| new")
        self.kill_worker("a/0")
        corral.await_out("a/0 \\| new", count=2)
        self.assertNotIn("rolled back", corral.err)
        self.stop(corral, 0)

    def kill_worker(self, name):
        os.kill(self.workers()[name]["pid"], signal.SIGKILL)

    def test_by_policy_and_by_signal(self):
        corral = self.begin()
        self.offer("line new + hang", restart=LONG, top={"reload": {"rollback": True}})
        corral.signal(signal.SIGHUP)
        corral.await_out("a/0 \\| new")
        self.kill_worker("a/0")
        self.is_back(corral)
        before = corral.out.count("a/1 | new")  # On trial it may have been stopped before it came to say it.
        self.assertIn("reloaded; 2 workers changed", self.ask_for("reload", "--no-rollback").out)
        corral.await_out("a/1 \\| new", count=before + 1)
        self.kill_worker("a/1")
        corral.await_out("a/1 \\| new", count=before + 2)
        self.assertEqual(corral.err.count("rolled back"), 1)
        self.stop(corral, 0)

    def test_a_program_that_would_shut_everything_down(self):
        corral = self.begin()
        self.offer("exit 7", restart={"when": "never", "then": "shutdown"})
        self.ask_for("reload", "--rollback", status=1)
        self.is_back(corral)
        self.stop(corral, 1)

    def test_the_last_program_that_ends_at_once(self):
        corral = self.run_controlled({"a": program("line old + hang")})
        self.await_listening(corral)
        corral.await_out("old")
        self.reconfigure({"a": program("exit 7", restart="never")})
        self.ask_for("reload", "--rollback", status=1)
        corral.await_out("old", count=2)
        self.stop(corral, 1)

    def test_what_was_there_before_may_be_gone(self):
        tool = self.path("tool")
        os.symlink("/bin/sleep", tool)
        corral = self.run_controlled({"a": {"command": [tool, "1000"]}})
        self.await_listening(corral)
        corral.await_start("a/0")
        self.reconfigure({"a": program("exit 7", restart={"delay": "1h", "max_delay": "1h"})})
        os.unlink(tool)
        end = self.ask_for("reload", "--rollback", status=1)
        self.assertIn("a/0 did not get there", end.err)
        corral.await_err("the configuration before cannot come back, and the new one stays: a: cannot execute .*tool")
        self.assertIn("backoff", self.ask_for("status").out)
        self.stop(corral)

    def test_a_second_reload_goes_back_to_before_both(self):
        corral = self.begin()
        self.offer("line new + hang", restart=LONG)
        self.assertIn("under way", self.ask_for("reload", "--rollback", "--no-wait").out)
        corral.await_out("a/0 \\| new")
        self.offer("line newer + hang", restart=LONG)
        process = self.begin_asking("reload", "--rollback")
        corral.await_out("a/[01] \\| newer", count=2)
        self.kill_worker("a/1")
        _, err = process.communicate(timeout=CEILING)
        self.assertEqual(process.returncode, 1, err)
        self.is_back(corral)
        self.stop(corral, 0)

    def test_a_scaling_meanwhile_is_kept(self):
        corral = self.begin()
        self.reconfigure({"a": program("line old + hang", workers=2, cores="shared"), "b": program("line new + hang", restart=LONG)})
        self.ask_for("reload", "--rollback", "--no-wait")
        corral.await_out("b/0 \\| new")
        self.ask_for("scale", "a=3")
        self.kill_worker("b/0")
        corral.await_err("rolled back to")
        await_that("b is back", lambda: self.workers()["b/0"]["state"] == "running")
        self.assertIn("a/2", self.workers())
        self.stop(corral, 0)

    def test_a_second_reload_in_the_middle_of_the_way_back_loses_nothing(self):
        for turn in range(5):
            with self.subTest(turn):
                corral = self.begin()
                self.offer("line new + sleep 20 + exit 3", restart={"delay": "30s"})
                first = self.begin_asking("reload", "--rollback")
                corral.await_out("a/[01] \\| new")
                second = self.begin_asking("reload", "--rollback")
                for process in first, second:
                    process.communicate(timeout=CEILING)
                self.assertEqual((first.returncode, second.returncode), (1, 1), corral.err)
                corral.await_err("rolled back to")
                await_that("what was there before runs", lambda: {one["state"] for one in self.workers().values()} == {"running"})
                self.stop(corral, 0)

    def test_a_scaling_that_a_new_definition_has_ended_stays_so(self):
        corral = self.run_controlled({"a": program("line old + hang", workers=2, cores="shared")})
        self.await_listening(corral)
        self.ask_for("scale", "a=3")
        for does, workers in ("line new + hang", 2), ("line old + hang", 2):
            self.reconfigure({"a": program(does, workers=2, cores="shared")})
            self.ask_for("reload")
            self.assertEqual(len(self.workers()), workers, does)
        self.stop(corral, 0)

    def test_it_is_explained(self):
        corral = self.begin()
        self.offer("line new + hang", restart=LONG)
        self.ask_for("reload", "--rollback", "--no-wait")
        corral.await_out("a/0 \\| new")
        self.assertIn("is on trial", self.ask_for("explain", "a/0").out)
        self.assertNotIn("is on trial", self.ask_for("explain", "b/0").out)
        corral.await_err("configuration reloaded, on trial: ")
        self.ask_for("stop", "a")
        corral.await_err("the trial is over: a/[01] was told something else meanwhile")
        self.stop(corral, 0)

    def test_a_stop_during_a_trial_or_the_way_back(self):
        for does in "line new + hang", "exit 7":
            with self.subTest(does):
                corral = self.begin()
                self.offer(does, restart=LONG)
                self.ask_for("reload", "--rollback", "--no-wait")
                corral.signal(signal.SIGTERM)
                self.finish(corral, 0)

    def test_what_is_asked_wrongly(self):
        corral = self.begin()
        self.ask_for("reload", "--rollback", "--plan", status=2)
        self.assertEqual(self.http("POST", "/v1/reload", {"rollback": "yes"})[0], 400)
        self.stop(corral, 0)


if __name__ == "__main__":
    main()
