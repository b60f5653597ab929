"""A signal to the supervisor is acted upon in every state, and ends in exit within the sum of the deadlines."""

import os
import random
import signal
import subprocess
import time

from harness import QUICK, CorralTest, await_that, main, program, zoo


class Stopping(CorralTest):
    def test_workers_get_their_signal_and_may_clean_up(self):
        corral = self.run_config({"a": program("slow-stop 100", workers=3, cores="shared")})
        corral.await_out("ready", count=3)
        self.stop(corral, 0)
        self.assertEqual(corral.out.count("cleaned"), 3)

    def test_the_stop_signal_is_configurable(self):
        corral = self.run_config({"a": program("count-signals INT", stop={"signal": "INT", "grace": "1m"})})
        corral.await_out("ready")
        self.stop(corral, 0)
        self.assertIn(f"got {int(signal.SIGINT)}\n", corral.out)

    def test_sigint_stops_as_sigterm_does(self):
        corral = self.run_config({"a": program("slow-stop 1")})
        corral.await_out("ready")
        self.stop(corral, 0, signal.SIGINT)

    def test_a_stopped_worker_is_continued_to_hear_its_signal(self):
        corral = self.run_config({"a": program("line up + slow-stop 1", stop={"grace": "1m"})})
        corral.await_out("ready")
        os.kill(corral.await_start("a/0"), signal.SIGSTOP)
        self.stop(corral, 0)
        self.assertIn("cleaned", corral.out)

    def test_a_worker_that_stopped_itself(self):
        corral = self.run_config({"a": program("line up + stop-self")})
        corral.await_out("up")
        self.stop(corral, 0)

    def test_one_that_ignores_its_signal_is_killed_with_its_group(self):
        corral = self.run_config({"a": program("ignore TERM + fork-bomb-light 5 + line up + hang", stop={"grace": "100ms"})})
        corral.await_out("up")
        self.stop(corral, 3)
        self.assertRegex(corral.err, r"a/0: SIGKILL now, it did not stop within its grace of 100 ms")
        self.assertRegex(corral.err, r"a/0 \(pid \d+\) killed by signal 9 .*; stopped by force\n")

    def test_during_the_start_of_hundreds(self):
        for number in range(5):
            with self.subTest(number):
                corral = self.run_config({"a": program("line up + hang", workers=300, cores="shared")})
                corral.await_out("up", count=1 + 40 * number)
                self.stop(corral, 0)

    def test_before_anything_has_started(self):
        for delay in (0, 0.001, 0.003, 0.01, 0.03):
            with self.subTest(delay):
                corral = self.run_config({"a": program("hang", workers=50, cores="shared")})
                time.sleep(delay)  # Not awaited: any moment will do, this one is as good as the others.
                corral.signal(signal.SIGTERM)
                # Before main it is the kernel's default that ends it; nothing has been started then.
                self.assertIn(self.finish(corral), (0, -signal.SIGTERM))

    def test_in_backoff(self):
        policy = {"when": "always", "delay": "1h", "max_delay": "1h", "jitter": 0, "limit": None}
        corral = self.run_config({"a": program("exit 1", workers=5, cores="shared", restart=policy)})
        corral.await_err("restart 1 in", count=5)
        begin = time.monotonic()
        self.stop(corral, 0)
        self.assertLess(time.monotonic() - begin, 10)

    def test_while_the_output_of_a_dead_worker_is_held_open(self):
        corral = self.run_config({"a": program("hold-pipe + line up + exit 1", restart="never"), "b": "line up + hang"})
        corral.await_out("up", count=2)
        pid = corral.await_start("a/0")
        # Nothing is said of its end before that of its output: reaped is what it can be known by.
        await_that("a/0 is reaped", lambda: not os.path.exists(f"/proc/{pid}"))
        self.stop(corral, 1)  # a had failed before.

    def test_again_and_again_is_a_second_signal_only_once(self):
        corral = self.run_config({"a": program("ignore TERM + line up + hang", stop={"grace": "1h"})})
        corral.await_out("up")
        for _ in range(50):
            try:
                corral.signal(signal.SIGTERM)
            except ProcessLookupError:
                break
        # Signals of one number that arrive within a moment are one signal: then the second comes now.
        corral.await_err("SIGTERM received, stopping")
        corral.signal_again(signal.SIGTERM)
        self.finish(corral, 128 + signal.SIGTERM)

    def test_a_second_signal_kills_at_once(self):
        for first, second in [(signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGTERM), (signal.SIGTERM, signal.SIGINT)]:
            with self.subTest(f"{first} {second}"):
                corral = self.run_config({"a": program("ignore TERM + line up + hang", stop={"grace": "1h"})})
                corral.await_out("up")
                corral.signal(first)
                corral.await_err("received, stopping 1 worker")
                corral.signal_again(second)
                self.finish(corral, 128 + second)

    def test_who_is_signalled_through_timeout_has_its_grace(self):
        """timeout sends a signal to its child and then to its group, the child once more included."""
        corral = self.start("run", self.configure({"a": program("slow-stop 200", stop={"grace": "1h"})}),
                            wrapper=["timeout", "1000"])  # fmt: skip
        corral.await_out("ready")
        self.stop(corral, 0)
        self.assertIn("cleaned", corral.out)

    def test_sigquit_kills_at_once(self):
        corral = self.run_config({"a": program("slow-stop 60000", stop={"grace": "1h"})})
        corral.await_out("ready")
        self.stop(corral, 3, signal.SIGQUIT)
        self.assertNotIn("cleaning", corral.out)

    def test_sighup_while_stopping_is_ignored(self):
        corral = self.run_config({"a": program("slow-stop 300", stop={"grace": "1m"})})
        corral.await_out("ready")
        corral.signal(signal.SIGTERM)
        corral.await_out("cleaning")
        corral.signal(signal.SIGHUP)
        self.finish(corral, 0)
        self.assertNotIn("reloaded", corral.err)
        self.assertEqual(len(corral.pids("a/0")), 1)

    def test_usr1_and_usr2_reach_every_running_worker(self):
        corral = self.run_config({"a": program("count-signals TERM", workers=3, cores="shared")})
        corral.await_out("ready", count=3)
        corral.signal(signal.SIGUSR1)
        corral.await_out(f"got {int(signal.SIGUSR1)}$", count=3)
        corral.signal(signal.SIGUSR2)
        corral.await_out(f"got {int(signal.SIGUSR2)}$", count=3)
        self.stop(corral, 0)

    def test_nothing_is_started_after_the_signal(self):
        corral = self.run_config({"a": program("sleep 1 + exit 1", workers=20, cores="shared", restart=QUICK)})
        corral.await_err("restart 3 ")
        self.stop(corral, 0)
        after = corral.err.split("received, stopping", 1)[1]
        self.assertNotRegex(after, r"\) started.*\n(.*\n)*.*restart \d+ (in|now)")


class Storms(CorralTest):
    def storm(self, corral, numbers, count):
        """Processes that do nothing but send: faster than anybody reads."""
        script = "import os, sys\nfor n in range(int(sys.argv[2])):\n    os.kill(int(sys.argv[1]), int(sys.argv[3 + n % (len(sys.argv) - 3)]))\n"
        return subprocess.Popen(["/usr/bin/python3", "-c", script, str(corral.pid), str(count), *[str(int(n)) for n in numbers]],
                                stderr=subprocess.DEVNULL)  # fmt: skip

    def test_a_sigterm_in_a_storm_is_not_lost(self):
        real_time = range(signal.SIGRTMIN, signal.SIGRTMIN + 5)
        for numbers in ([signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH, signal.SIGCHLD], [signal.SIGHUP], real_time):
            with self.subTest(numbers):
                corral = self.run_config({"a": program("ignore USR1 + ignore USR2 + line up + hang", workers=2, cores="shared")})
                corral.await_out("up", count=2)
                storms = [self.storm(corral, numbers, 300_000) for _ in range(2)]
                corral.await_err("received|reloaded")
                self.stop(corral, 0)
                for storm in storms:
                    storm.kill()
                    storm.wait()

    def test_a_storm_is_logged_in_a_few_lines_that_count_all(self):
        corral = self.run_config({"a": program("ignore USR1 + line up + hang")})
        corral.await_out("up")
        for _ in range(3000):
            corral.signal(signal.SIGUSR1)
        time.sleep(0.1)
        for _ in range(3000):
            corral.signal(signal.SIGUSR1)
        corral.await_err(r"SIGUSR1 received \d+ times more, passed on to 1 worker each time")
        self.stop(corral, 0)
        lines = [line for line in corral.err.splitlines() if "SIGUSR1 received" in line]
        self.assertLess(len(lines), 20, corral.err[-2000:])

    def test_real_time_signals_that_fill_the_queue_do_not_drown_a_sigterm(self):
        corral = self.run_config({"a": program("line up + hang")})
        corral.await_out("up")
        os.kill(corral.pid, signal.SIGSTOP)
        storm = self.storm(corral, [signal.SIGRTMIN + 1], 40_000)
        storm.wait()
        corral.signal(signal.SIGTERM)
        os.kill(corral.pid, signal.SIGCONT)
        self.finish(corral, 0)

    def test_any_signals_at_random_moments(self):
        random_source = random.Random(7)
        for _ in range(5):
            corral = self.run_config({"a": program("sleep 2 + exit 1", workers=4, cores="shared", restart=QUICK)})
            corral.await_err("restart 1 ")
            for _ in range(200):
                corral.signal(random_source.choice([signal.SIGHUP, signal.SIGUSR1, signal.SIGWINCH, signal.SIGCONT, signal.SIGALRM]))
            self.stop(corral, 0)


if __name__ == "__main__":
    main()
