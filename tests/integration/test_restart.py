"""What follows when a worker ends: policies, waits, limits, and the words for it."""

import os
import re
import signal
import time

from harness import QUICK, CorralTest, await_that, main, program, read, zoo


class Policies(CorralTest):
    def test_on_failure_restarts_a_crash_and_not_a_success(self):
        corral = self.run_config({"a": program(f"first-time {self.path('x')} + crash SEGV", restart={**QUICK, "when": "on-failure"})})
        corral.await_err(r"a/0 \(pid \d+\) killed by signal 11 \(Segmentation fault\).*; restart 1 (now|in )")
        corral.await_err(r"a/0 \(pid \d+\) started", count=2)
        self.stop(corral, 0)

    def test_always_restarts_a_success_too(self):
        corral = self.run_config({"a": program("exit 0", restart=QUICK)})
        corral.await_err("restart 5 ")
        self.stop(corral, 0)

    def test_never_restarts_nothing(self):
        corral = self.run_config({"a": program("exit 0", restart="never"), "b": program("crash ABRT", restart="never")})
        self.finish(corral, 1)
        self.assertEqual(len(corral.pids("a/0")), 1)
        self.assertEqual(len(corral.pids("b/0")), 1)

    def test_each_life_knows_which_it_is(self):
        log = self.path("log")
        command = ["/bin/sh", "-c", f"echo $CORRAL_INCARNATION >> {log}; exit 1"]
        corral = self.run_config({"a": {"command": command, "restart": {**QUICK, "limit": {"restarts": 4, "within": "60s"}}}})
        self.finish(corral, 1)
        self.assertEqual(read(log).split(), ["1", "2", "3", "4", "5"])

    def test_the_limit_counts_all_workers_of_the_program_and_spares_the_others(self):
        limited = {**QUICK, "limit": {"restarts": 6, "within": "60s"}}
        corral = self.run_config({"bad": program("exit 1", workers=3, restart=limited), "good": "line up + hang"})
        corral.await_err(r"bad failed: 7 unhealthy exits within")
        corral.await_out("up")
        self.assertEqual(len(corral.pids("good/0")), 1)
        self.stop(corral, 1)

    def test_then_shutdown_stops_everything(self):
        policy = {**QUICK, "limit": {"restarts": 0, "within": "60s"}, "then": "shutdown"}
        corral = self.run_config({"bad": program("exit 9", restart=policy), "good": program("slow-stop 20")})
        self.finish(corral, 1)
        self.assertRegex(corral.err, "then: shutdown")

    def test_waits_grow_and_are_said(self):
        policy = {"when": "always", "delay": "20ms", "factor": 2, "max_delay": "80ms", "jitter": 0, "limit": None}
        corral = self.run_config({"a": program("exit 1", restart=policy)})
        corral.await_err("restart 6 ")
        self.stop(corral)
        waits = re.findall(r"restart \d+ in (\d+) ms", corral.err)
        self.assertEqual(waits[:6], ["20", "40", "80", "80", "80", "80"], corral.err)

    def test_a_healthy_life_forgets_the_past(self):
        policy = {"when": "always", "delay": "1h", "max_delay": "1h", "healthy_after": "10ms", "limit": {"restarts": 0, "within": "1h"}}
        corral = self.run_config({"a": program("sleep 300 + exit 1", restart=policy)})
        corral.await_err("restart 3 now")
        self.stop(corral)

    def test_a_program_that_stays_with_stay(self):
        corral = self.run_config({"a": "exit 0"}, top={"stay": True})
        corral.await_err("finished, no restart is due")
        self.assertIsNone(corral.process.poll())
        self.stop(corral, 0)

    def test_a_killed_worker_comes_back_and_no_other_is_touched(self):
        corral = self.run_config({"a": program("line up + hang", workers=4, restart=QUICK)})
        corral.await_out("up", count=4)
        before = {index: [corral.await_start(f"a/{index}")] for index in range(4)}
        os.kill(before[2][0], signal.SIGKILL)
        corral.await_err(r"a/2 \(pid \d+\) killed by signal 9 \(Killed\)")
        corral.await_out("up", count=5)
        for index in (0, 1, 3):
            self.assertEqual(corral.pids(f"a/{index}"), before[index])
        self.stop(corral)

    def test_a_hundred_that_die_at_once_all_come_back(self):
        corral = self.run_config({"a": program("line up + hang", workers=100, cores="shared", restart=QUICK)})
        corral.await_out("up", count=100)
        for index in range(100):
            os.kill(corral.await_start(f"a/{index}"), signal.SIGKILL)
        corral.await_out("up", count=200)
        for index in range(100):
            corral.await_start(f"a/{index}", incarnation=2)
        self.stop(corral)

    def test_a_crash_loop_costs_next_to_nothing(self):
        policy = {"when": "always", "delay": "50ms", "factor": 1, "jitter": 0, "limit": None}
        corral = self.run_config({"a": program("exit 1", restart=policy)})
        corral.await_err("restart 1 ")
        begin, spent = time.monotonic(), self.cpu(corral.pid)
        corral.await_err("restart 20 ")
        share = (self.cpu(corral.pid) - spent) / (time.monotonic() - begin)
        self.stop(corral)
        self.assertLess(share, 0.25)  # 5 % in a release build; the sanitizers cost four times as much.

    @staticmethod
    def cpu(pid):
        fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def test_an_exit_is_seen_although_a_grandchild_holds_the_output(self):
        corral = self.run_config({"a": program(f"first-time {self.path('x')} + hold-pipe + exit 1", restart=QUICK)})
        corral.await_err(r"a/0 \(pid \d+\) started", count=2)
        self.stop(corral)

    def test_a_worker_that_closes_its_output_runs_on_quietly(self):
        corral = self.run_config({"a": program(f"close-output + note {self.path('up')} + hang")})
        await_that("the worker runs", lambda: os.path.exists(self.path("up")))
        begin = self.cpu(corral.pid)
        await_that("time passes", lambda t=time.monotonic() + 0.5: time.monotonic() > t)
        self.assertLess(self.cpu(corral.pid) - begin, 0.2)
        self.stop(corral)


class FailedLaunches(CorralTest):
    """A launch that fails is an unhealthy exit like any other, with its errno in the report."""

    limited = {"when": "on-failure", "delay": "5ms", "max_delay": "5ms", "limit": {"restarts": 2, "within": "60s"}}

    def attempt(self, command, **keys):
        corral = self.run_config({"a": {"command": command, "restart": self.limited, **keys}})
        self.finish(corral)
        return corral

    def test_an_interpreter_that_is_not_there_is_named(self):
        path = self.write("script", "#!/no/such/interpreter\n")
        os.chmod(path, 0o755)
        corral = self.attempt([path])
        self.assertEqual(corral.process.returncode, 125)
        self.assertEqual(len(re.findall("a/0: .*/no/such/interpreter", corral.err)), 3, corral.err)

    def test_a_busy_file_is_tried_again_until_it_is_free(self):
        path = self.write("busy", read(zoo("")[0], "rb"))
        os.chmod(path, 0o755)
        with open(path, "r+b"):
            corral = self.run_config({"a": {"command": [path, "line", "free", "+", "hang"], "restart": {**QUICK, "delay": "20ms", "max_delay": "20ms"}}})
            corral.await_err(r"Text file busy.*restart 2 ")
        corral.await_out("a/0 \\| free")
        self.stop(corral)

    def test_a_directory_that_vanished_is_named(self):
        folder = self.path("work")
        os.mkdir(folder)
        corral = self.run_config({"a": program(f"first-time {self.path('x')} + line up + sleep 300 + exit 1", directory=folder, restart=self.limited)})
        corral.await_out("up")
        os.rmdir(folder)
        self.finish(corral, 1)
        self.assertRegex(corral.err, f"a/0: .*{folder}.*No such file or directory")

    def test_a_command_that_vanished_is_named(self):
        path = self.write("tool", read(zoo("")[0], "rb"))
        os.chmod(path, 0o755)
        corral = self.run_config({"a": {"command": [path, "line", "up", "+", "sleep", "300", "+", "exit", "1"], "restart": self.limited}})
        corral.await_out("up")
        os.unlink(path)
        self.finish(corral, 1)
        self.assertRegex(corral.err, f"a/0: .*{path}.*No such file or directory")


class Crowd(CorralTest):
    def test_of_several_that_die_at_once_among_many_none_is_missed(self):
        """The signals of their deaths become one, and to look at every child after each is what many workers cannot afford."""
        restart = {"when": "always", "delay": "0", "healthy_after": "0", "limit": None}
        corral = self.run_config({"a": program("hang", workers=300, cores="shared", restart=restart)})
        pids = [corral.await_start(f"a/{index}") for index in range(300)]
        for turn in range(20):
            for index in range(3):
                os.kill(pids[index], signal.SIGKILL)
            for index in range(3):
                pids[index] = corral.await_start(f"a/{index}", incarnation=turn + 2)
        self.stop(corral, 0)


if __name__ == "__main__":
    main()
