"""corral.Executor on the real supervisor: calls, as concurrent.futures has them."""

import asyncio
import concurrent.futures
import gc
import os
import threading
import unittest
import weakref

import calls
from executing import ExecutorTest, corral
from harness import CEILING


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

    def test_where_workers_run_can_be_said(self):
        own = os.sched_getaffinity(0)
        for cores, places in (("shared", own), (str(min(own)), {min(own)}), (None, None)):
            found = self.executor(2, cores=cores).submit(os.sched_getaffinity, 0).result(CEILING)
            self.assertEqual(found, places) if places else self.assertEqual(len(found), 1 if len(own) > 1 else len(own))

    def test_arguments_are_checked(self):
        for wrong in ({"max_workers": 0}, {"max_workers": -1}, {"max_tasks_per_child": 0}, {"retries": -1}, {"task_timeout": 0},
                      {"max_workers": 200_000}, {"cores": ""}, {"cores": "all"}, {"cores": "0-"}):  # fmt: skip
            with self.subTest(wrong), self.assertRaises(ValueError):
                corral.Executor(**wrong)
        for wrong in ({"initializer": 1}, {"max_workers": 2.0}, {"max_workers": "2"}, {"retries": 1.5}, {"max_tasks_per_child": 1.0}, {"cores": 1}):
            with self.subTest(wrong), self.assertRaises(TypeError):
                corral.Executor(**wrong)
        executor = self.executor(True, max_tasks_per_child=True)
        self.assertEqual(executor.submit(calls.give, 1).result(CEILING), 1)

    def test_without_the_binary_there_is_a_sentence(self):
        before = os.environ["CORRAL_BIN"]
        os.environ["CORRAL_BIN"] = "/nowhere/corral"
        try:
            with self.assertRaisesRegex(FileNotFoundError, "CORRAL_BIN is '/nowhere/corral'"):
                corral.Executor(1).submit(calls.give, 1)
        finally:
            os.environ["CORRAL_BIN"] = before


if __name__ == "__main__":
    unittest.main()
