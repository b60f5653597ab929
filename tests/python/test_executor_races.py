"""corral.Executor when things happen at the same time: cancelling against answers, callbacks, forks, Ctrl-C."""

import ctypes
import os
import random
import signal
import sys
import threading
import unittest
from concurrent.futures import CancelledError

import calls
from executing import ExecutorTest, corral
from harness import CEILING


def cancel_all(futures):
    for future in futures:
        future.cancel()


class Races(ExecutorTest):
    def test_cancelling_from_several_threads_against_answers(self):
        before = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        self.addCleanup(sys.setswitchinterval, before)
        executor = self.executor(1)
        for _ in range(500):
            futures = [executor.submit(calls.give, n) for n in range(20)]
            threads = [threading.Thread(target=cancel_all, args=(futures,)) for _ in range(2)]
            [thread.start() for thread in threads]
            [thread.join(CEILING) for thread in threads]
            self.assertFalse(any(thread.is_alive() for thread in threads))
            for number, future in enumerate(futures):
                try:
                    self.assertEqual(future.result(CEILING), number)
                except CancelledError:
                    self.assertTrue(future.cancelled())

    def test_a_callback_of_a_cancelled_one_may_submit_and_cancel(self):
        executor = self.executor(1)
        first = executor.submit(calls.wait_for, self.path("flag"))
        behind = [executor.submit(calls.give, n) for n in range(3000)]  # More than go to corral.
        more = []
        behind[-1].add_done_callback(lambda _: more.append(executor.submit(calls.give, "more")))
        behind[-2].add_done_callback(lambda _: more.append(behind[-3].cancel()))
        canceller = threading.Thread(target=cancel_all, args=([behind[-1], behind[-2]],), daemon=True)
        canceller.start()
        canceller.join(CEILING)
        self.assertFalse(canceller.is_alive())
        calls.touch(self.path("flag"))
        self.assertEqual((first.result(CEILING), more[0].result(CEILING), more[1]), (self.path("flag"), "more", True))
        self.assertEqual([future.result(CEILING) for future in behind[:-3]], list(range(2997)))

    def test_a_begun_that_crosses_a_cancel_loses_no_call_at_the_end(self):
        for _ in range(30):
            executor = corral.Executor(1)
            futures = [executor.submit(calls.give, number) for number in range(300)]
            futures[5].result(CEILING)
            executor.shutdown(cancel_futures=True)
            for number, future in enumerate(futures):
                self.assertTrue(future.cancelled() or future.result(0) == number)

    def test_calls_of_map_go_out_while_its_iterable_takes_its_time(self):
        executor = self.executor(1)

        def items():
            for number in range(3):
                yield self.path(f"mark{number}")
                self.await_that(lambda: os.path.exists(self.path(f"mark{number}")))

        self.assertEqual(list(executor.map(calls.touch, items())), [None] * 3)

    def test_a_fork_while_another_thread_starts_it(self):
        executor = self.executor(1)
        with executor._lock:
            child = os.fork()
            if child == 0:
                signal.alarm(int(CEILING))
                try:
                    executor.submit(calls.give, 1)
                except RuntimeError:
                    executor.shutdown()
                    os._exit(0)
                os._exit(1)
            self.assertEqual(os.waitpid(child, 0)[1], 0)

    def test_a_copy_of_the_socket_that_nobody_knows_of_keeps_nobody(self):
        executor = self.executor(1)
        future = executor.submit(calls.wait_for, self.path("never"))
        self.await_that(future.running)
        child = ctypes.PyDLL(None).fork()  # Without Python's handlers.
        if child == 0:
            signal.pause()
            os._exit(0)
        try:
            executor._leave()
            executor.shutdown()
            self.assertTrue(future.done())
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

    def test_ctrl_c_while_its_block_ends_stops_what_is_in_work(self):
        with self.assertRaises(KeyboardInterrupt):
            with corral.Executor(1) as executor:
                future = executor.submit(calls.wait_for, self.path("never"))
                self.await_that(future.running)
                pool, main = executor._pool, threading.main_thread().ident
                threading.Thread(target=self.interrupt_when, args=(lambda: pool._closing, main)).start()
        self.assertTrue(future.done() or pool._aborted)

    def interrupt_when(self, condition, thread):
        self.await_that(condition)
        signal.pthread_kill(thread, signal.SIGINT)

    def test_ctrl_c_while_calls_are_handed_over_loses_none(self):
        executor = self.executor(2)
        handler = signal.signal(signal.SIGALRM, signal.default_int_handler)
        self.addCleanup(signal.signal, signal.SIGALRM, handler)
        futures = []
        chance = random.Random(5)

        def hand_over():
            signal.setitimer(signal.ITIMER_REAL, 0.0005 + chance.random() * 0.01)
            while True:
                futures.append(executor.submit(calls.give, b"x" * chance.choice((10, 10, 5000))))

        for _ in range(50):
            with self.assertRaises(KeyboardInterrupt):
                hand_over()
        for future in futures:
            self.assertIn(len(future.result(CEILING)), (10, 5000))

    def test_a_call_that_is_too_large_fails_alone(self):
        from corral import _executor

        before = _executor.LONGEST
        _executor.LONGEST = 1000
        self.addCleanup(setattr, _executor, "LONGEST", before)
        executor = self.executor(1)
        self.assertRaisesRegex(ValueError, "takes at most 1000", executor.submit(calls.give, b"x" * 2000).result, CEILING)
        self.assertEqual(executor.submit(calls.give, 1).result(CEILING), 1)


if __name__ == "__main__":
    unittest.main()
