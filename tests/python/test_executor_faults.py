"""corral.Executor when calls are cancelled, workers die, and it is shut down."""

import concurrent.futures
import gc
import os
import signal
import subprocess
import sys
import threading
import unittest
from concurrent.futures.process import BrokenProcessPool

import calls
from executing import ExecutorTest, corral
from harness import CEILING, PACKAGE

HERE = os.path.dirname(os.path.abspath(__file__))


class Cancelling(ExecutorTest):
    def busy(self):
        """An executor whose only worker waits for a file."""
        executor = self.executor(1)
        future = executor.submit(calls.wait_for, self.path("flag"))
        self.await_that(future.running)
        return executor, future

    def test_one_in_work_cannot_be_cancelled(self):
        executor, future = self.busy()
        self.assertFalse(future.cancel())
        calls.touch(self.path("flag"))
        self.assertEqual(future.result(CEILING), self.path("flag"))

    def test_those_behind_it_can_however_deep_they_are_prefetched(self):
        executor = self.executor(1)
        list(executor.map(calls.give, range(500)))  # Tiny ones: hundreds go out ahead.
        first = executor.submit(calls.wait_for, self.path("flag"))
        behind = [executor.submit(calls.touch, self.path(f"mark{n}")) for n in range(100)]
        self.await_that(first.running)
        self.assertTrue(all(future.cancel() for future in behind))
        self.assertTrue(all(future.cancelled() for future in behind))
        calls.touch(self.path("flag"))
        first.result(CEILING)
        executor.shutdown()
        self.assertFalse(any(os.path.exists(self.path(f"mark{n}")) for n in range(100)))

    def test_who_waits_for_a_cancelled_one_is_told(self):
        executor, _ = self.busy()
        behind = [executor.submit(calls.give, 1) for _ in range(3000)]  # More than go to corral.
        threading.Timer(0.05, lambda: [future.cancel() for future in behind]).start()
        done, left = concurrent.futures.wait(behind, timeout=CEILING)
        self.assertEqual((len(done), len(left)), (3000, 0))
        with self.assertRaises(concurrent.futures.CancelledError):
            behind[0].result()
        calls.touch(self.path("flag"))

    def test_a_callback_may_cancel(self):
        executor = self.executor(1)
        flag = self.path("flag")
        first = executor.submit(calls.wait_for, flag)
        second = executor.submit(calls.wait_for, self.path("never"))
        third = executor.submit(calls.give, 3)
        answers = []
        first.add_done_callback(lambda _: answers.extend([third.cancel()]))
        calls.touch(flag)
        first.result(CEILING)
        self.await_that(lambda: answers)
        self.assertEqual(answers, [third.cancelled()])
        calls.touch(self.path("never"))
        second.result(CEILING)

    def test_what_is_cancelled_never_ran_and_what_ran_was_not_cancelled(self):
        executor = self.executor(2)
        futures = [executor.submit(calls.touch, self.path(f"mark{n}")) for n in range(600)]
        cancelled = [future.cancel() for future in futures[::-2]]
        concurrent.futures.wait(futures, timeout=CEILING)
        for number, future in enumerate(futures):
            self.assertEqual(os.path.exists(self.path(f"mark{number}")), not future.cancelled())
        self.assertEqual(cancelled, [future.cancelled() for future in futures[::-2]])

    def test_shutdown_may_cancel(self):
        executor, first = self.busy()
        behind = [executor.submit(calls.give, n) for n in range(3000)]
        threading.Timer(0.2, calls.touch, [self.path("flag")]).start()
        executor.shutdown(cancel_futures=True)
        self.assertTrue(first.done() and not first.cancelled())
        self.assertTrue(all(future.cancelled() for future in behind))


class Deaths(ExecutorTest):
    def test_a_killed_worker_costs_nothing(self):
        executor = self.executor(2)
        futures = [executor.submit(calls.sleep, 0.02) for _ in range(60)]
        killed = set()
        for future in futures[:20:4]:
            victim = future.result(CEILING)
            if victim not in killed:
                killed.add(victim)
                try:
                    os.kill(victim, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        self.assertEqual(len([future.result(CEILING) for future in futures]), 60)

    def test_a_call_that_killed_once_is_done_in_its_second_attempt(self):
        self.executor(1).submit(calls.die_once, self.path("once")).result(CEILING)

    def test_a_poison_call_fails_with_its_story_and_the_executor_goes_on(self):
        executor = self.executor(2, retries=1)
        before = [executor.submit(calls.give, n) for n in range(50)]
        poison = executor.submit(calls.die, signal.SIGSEGV)
        after = [executor.submit(calls.give, n) for n in range(50)]
        with self.assertRaises(BrokenProcessPool) as caught:
            poison.result(CEILING)
        self.assertIsInstance(caught.exception, corral.WorkerDied)
        self.assertEqual((caught.exception.attempts, caught.exception.signal), (2, signal.SIGSEGV))
        self.assertIn("killed by signal 11", str(caught.exception))
        self.assertEqual([future.result(CEILING) for future in before + after], list(range(50)) * 2)

    def test_a_poison_call_among_tiny_ones_takes_no_neighbour_along(self):
        executor = self.executor(1, retries=0)
        futures = [executor.submit(calls.die) if n % 100 == 99 else executor.submit(calls.give, n) for n in range(1000)]
        fate = [type(future.exception(CEILING)) for future in futures]
        self.assertEqual([n for n, error in enumerate(fate) if error is corral.WorkerDied], list(range(99, 1000, 100)))

    def test_a_call_may_take_its_time_and_no_longer(self):
        executor = self.executor(1, task_timeout=0.2)
        late = executor.submit(calls.wait_for, self.path("never"))
        with self.assertRaises(corral.TaskTimeout) as caught:
            late.result(CEILING)
        self.assertIsInstance(caught.exception, concurrent.futures.TimeoutError)
        self.assertEqual(executor.submit(calls.give, 1).result(CEILING), 1)

    def test_when_corral_itself_is_killed_everything_fails_at_once(self):
        executor = self.executor(2)
        futures = [executor.submit(calls.wait_for, self.path("never")) for _ in range(3000)]
        self.await_that(futures[0].running)
        os.kill(executor._pool._link.pid, signal.SIGKILL)
        for future in futures:
            with self.assertRaisesRegex(BrokenProcessPool, "corral was killed by signal 9"):
                future.result(CEILING)
        with self.assertRaises(BrokenProcessPool):
            executor.submit(calls.give, 1)
        executor.shutdown()

    def test_workers_are_replaced_after_their_calls(self):
        for most in (1, 3):
            executor = self.executor(2, max_tasks_per_child=most)
            seen = [future.result(CEILING) for future in [executor.submit(calls.pid) for _ in range(20)]]
            self.assertLessEqual(max(map(seen.count, seen)), most)
            executor.shutdown()

    def test_an_initializer_runs_in_every_worker(self):
        executor = self.executor(2, calls.begin, ("licence",))
        self.assertEqual(list(executor.map(calls.has_begun, range(20))), [["licence"]] * 20)

    def test_an_initializer_that_fails_breaks_the_executor(self):
        executor = self.executor(2, calls.begin_badly)
        futures = [executor.submit(calls.give, n) for n in range(10)]
        for future in futures:
            with self.assertRaisesRegex(BrokenProcessPool, "no licence"):
                future.result(CEILING)
        with self.assertRaises(BrokenProcessPool):
            executor.submit(calls.give, 1)


class Ends(ExecutorTest):
    def test_nothing_is_submitted_after_shutdown_and_what_was_is_done(self):
        with self.executor(2) as executor:
            futures = [executor.submit(calls.sleep, 0.01) for _ in range(20)]
        self.assertTrue(all(future.done() for future in futures))
        with self.assertRaisesRegex(RuntimeError, "after shutdown"):
            executor.submit(calls.give, 1)
        with self.assertRaises(RuntimeError):
            executor.map(calls.give, [1])
        executor.shutdown()

    def test_shutdown_need_not_wait(self):
        executor = self.executor(1)
        future = executor.submit(calls.wait_for, self.path("flag"))
        more = [executor.submit(calls.give, n) for n in range(2000)]
        executor.shutdown(wait=False)
        self.assertFalse(future.done())
        calls.touch(self.path("flag"))
        self.assertEqual([f.result(CEILING) for f in more], list(range(2000)))

    def test_one_that_nobody_has_any_more_shuts_down(self):
        executor = corral.Executor(1)
        future = executor.submit(calls.give, 1)
        pool = executor._pool
        del executor
        gc.collect()
        self.assertEqual(future.result(CEILING), 1)
        pool._thread.join(CEILING)
        self.assertFalse(pool._thread.is_alive())

    def test_one_that_was_never_used_has_nothing_to_end(self):
        with corral.Executor() as executor:
            pass
        self.assertIsNone(executor._pool)

    def test_ctrl_c_in_its_block_does_not_wait_for_what_is_in_work(self):
        with self.assertRaises(KeyboardInterrupt):
            with corral.Executor(2) as executor:
                futures = [executor.submit(calls.sleep, 3600) for _ in range(10)]
                self.await_that(futures[0].running)
                raise KeyboardInterrupt
        self.assertTrue(all(future.done() for future in futures))

    def test_no_descriptor_is_left(self):
        def use():
            with corral.Executor(1) as executor:
                executor.submit(calls.give, 1).result(CEILING)

        use()
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(5):
            use()
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)

    def test_a_process_that_is_forked_off_has_no_part_in_it(self):
        executor = self.executor(1)
        executor.submit(calls.give, 1).result(CEILING)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                executor.submit(calls.give, 1)
            except RuntimeError as error:
                status = 0 if "forked off" in str(error) else 2
            executor.shutdown()
            with corral.Executor(1) as own:
                status += 0 if own.submit(calls.give, 5).result(CEILING) == 5 else 4
            os._exit(status)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual(executor.submit(calls.give, 2).result(CEILING), 2)


class Ends(ExecutorTest):
    def test_a_thread_that_a_call_has_left_keeps_nobody_waiting(self):
        program = f"import sys; sys.path[:0] = [{str(PACKAGE)!r}, {HERE!r}]; import calls; calls.leave_a_thread(); calls.leave_a_pool();"
        program += "import atexit, corral._executor_worker as worker; atexit.register(print, 'cleaned up'); worker._leave_threads()"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=CEILING)
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("cleaned up\n", "", 0))

    def test_workers_that_cannot_even_start_are_told_of(self):
        from corral import _executor

        self.addCleanup(setattr, _executor, "_worker_command", _executor._worker_command)
        _executor._worker_command = lambda: [sys.executable, "-c", "import sys; sys.exit('no such module')"]
        executor = self.executor(1)
        future = executor.submit(calls.give, 1)
        with self.assertRaisesRegex(BrokenProcessPool, "no worker could begin.*stderr"):
            future.result(CEILING)
        with self.assertRaisesRegex(BrokenProcessPool, "no worker could begin"):
            while True:
                executor.submit(calls.give, 1).result(CEILING)


if __name__ == "__main__":
    unittest.main()
