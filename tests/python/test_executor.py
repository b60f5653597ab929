"""corral.Executor on the real supervisor: what concurrent.futures promises, and that workers may be killed."""

import asyncio
import concurrent.futures
import gc
import os
import signal
import sys
import tempfile
import threading
import time
import unittest
import weakref
from concurrent.futures.process import BrokenProcessPool

from harness import CEILING, PACKAGE

sys.path.insert(0, str(PACKAGE))
import calls  # noqa: E402

import corral  # noqa: E402
from corral import _pool  # noqa: E402


class ExecutorTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def tearDown(self):
        gc.collect()
        for pool in list(_pool.pools):
            if pool._thread.is_alive():
                pool.abort()
                pool.join()

    def executor(self, *args, **options):
        executor = corral.Executor(*(args or (2,)), **options)
        self.addCleanup(executor.shutdown, cancel_futures=True)
        return executor

    def path(self, name):
        return os.path.join(self.folder, name)

    def await_that(self, condition):
        until = time.monotonic() + CEILING
        while not condition():
            self.assertLess(time.monotonic(), until)
            time.sleep(0.002)


class Calls(ExecutorTest):
    def test_submit(self):
        executor = self.executor()
        self.assertIsInstance(executor, concurrent.futures.Executor)
        future = executor.submit(calls.add, 1, 2, more=3)
        self.assertEqual(future.result(CEILING), 6)
        self.assertFalse(future.cancel())
        self.assertNotEqual(executor.submit(calls.pid).result(CEILING), os.getpid())
        self.assertEqual(executor.submit(dict, fn=1, self=2).result(CEILING), {"fn": 1, "self": 2})

    def test_map(self):
        executor = self.executor()
        self.assertEqual(list(executor.map(calls.add, range(1000), range(1000))), [2 * n for n in range(1000)])
        for size in (1, 3, 7, 1000, 5000):
            self.assertEqual(list(executor.map(calls.give, range(100), chunksize=size)), list(range(100)))
        self.assertEqual(list(executor.map(calls.give, [])), [])
        with self.assertRaises(ValueError):
            executor.map(calls.give, [1], chunksize=0)
        results = executor.map(calls.fail, ["first", "second"])
        with self.assertRaisesRegex(ValueError, "first"):
            next(results)

    def test_map_has_a_timeout_and_cancels_the_rest(self):
        executor = self.executor(1)
        flag = self.path("flag")
        results = executor.map(calls.wait_for, [flag] * 3, timeout=0.05)
        with self.assertRaises(concurrent.futures.TimeoutError):
            list(results)
        calls.touch(flag)

    def test_exceptions_have_their_remote_traceback(self):
        executor = self.executor()
        with self.assertRaises(ValueError) as caught:
            executor.submit(calls.fail, "no good").result(CEILING)
        self.assertEqual(caught.exception.args, ("no good",))
        self.assertIn('raise ValueError(message)', str(caught.exception.__cause__))
        with self.assertRaises(SystemExit):
            executor.submit(calls.leave, 3).result(CEILING)

    def test_what_cannot_be_pickled_fails_its_own_call(self):
        executor = self.executor()
        fine = executor.submit(calls.sleep, 0.01)
        for call, words in [
            ((lambda: None,), "lambda"),
            ((calls.give, threading.Lock()), "lock"),
            ((calls.give, calls.Explosive()), "not to be pickled"),
            ((calls.give_lambda, 1), "lambda"),
            ((calls.raise_unpicklable, 1), "Unpicklable was raised"),
            ((calls.raise_sour, 1), "Sour was raised"),
            ((calls.give, calls.Poisoned()), "poisoned"),
            ((calls.give_poisoned, 1), "poisoned"),
        ]:
            with self.subTest(call), self.assertRaisesRegex(Exception, words):
                executor.submit(*call).result(CEILING)
        fine.result(CEILING)
        self.assertEqual(executor.submit(calls.give, 1).result(CEILING), 1)

    def test_large_arguments_and_results(self):
        executor = self.executor()
        data = os.urandom(100_000_000)
        self.assertTrue(executor.submit(calls.give, data).result(CEILING) == data)
        many = [executor.submit(calls.give, data[:5_000_000]) for _ in range(20)]
        self.assertTrue(all(len(future.result(CEILING)) == 5_000_000 for future in many))

    def test_callbacks_and_waiting(self):
        executor = self.executor()
        seen = []
        future = executor.submit(calls.give, 5)
        future.add_done_callback(lambda done: seen.append(done.result()))
        futures = [executor.submit(calls.give, n) for n in range(50)]
        done, left = concurrent.futures.wait(futures, timeout=CEILING)
        self.assertEqual((len(done), len(left)), (50, 0))
        self.assertEqual({f.result() for f in concurrent.futures.as_completed(futures)}, set(range(50)))
        self.await_that(lambda: seen == [5])

    def test_from_many_threads(self):
        executor = self.executor()
        sums = []

        def use(number):
            sums.append(sum(executor.map(calls.add, range(500), [number] * 500)))

        threads = [threading.Thread(target=use, args=(n,)) for n in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        self.assertEqual(sorted(sums), [sum(range(500)) + 500 * n for n in range(8)])

    def test_asyncio(self):
        executor = self.executor()

        async def use():
            loop = asyncio.get_running_loop()
            return await asyncio.gather(*(loop.run_in_executor(executor, calls.add, n, 1) for n in range(100)))

        self.assertEqual(asyncio.run(use()), list(range(1, 101)))

    def test_nested(self):
        self.assertEqual(self.executor().submit(calls.nest, 7).result(CEILING), 7)

    def test_arguments_and_results_are_let_go(self):
        executor = self.executor(1)
        thing = calls.Thing()
        argument = weakref.ref(thing)
        future = executor.submit(calls.pid, thing)
        del thing
        future.result(CEILING)
        self.await_that(lambda: argument() is None)
        results = []
        for thing in executor.map(calls.give_thing, range(5)):
            results.append(weakref.ref(thing))
            del thing
        self.await_that(lambda: not any(result() for result in results))
        future = executor.submit(calls.give_thing, 1)
        result = weakref.ref(future.result(CEILING))
        del future
        self.await_that(lambda: result() is None)

    def test_arguments_are_checked(self):
        for wrong in ({"max_workers": 0}, {"max_workers": -1}, {"max_tasks_per_child": 0}, {"retries": -1}, {"task_timeout": 0}):
            with self.subTest(wrong), self.assertRaises(ValueError):
                corral.Executor(**wrong)
        with self.assertRaises(TypeError):
            corral.Executor(initializer=1)

    def test_without_the_binary_there_is_a_sentence(self):
        before = os.environ["CORRAL_BIN"]
        os.environ["CORRAL_BIN"] = "/nowhere/corral"
        try:
            with self.assertRaisesRegex(FileNotFoundError, "CORRAL_BIN is '/nowhere/corral'"):
                corral.Executor(1).submit(calls.give, 1)
        finally:
            os.environ["CORRAL_BIN"] = before


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
        os.kill(executor._pool._process.pid, signal.SIGKILL)
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


if __name__ == "__main__":
    unittest.main()
