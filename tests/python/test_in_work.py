"""While tasks run: CANCEL, PROGRESS, and when answers are written."""

import json
import time
import unittest

from harness import CANCEL, PROGRESS, RESULT, WorkerTest, frame, task
from test_channel import ECHO, SLEEP


class Cancel(WorkerTest):
    def test_a_cancel_overtakes_its_task(self):
        worker = self.start("""
            @corral.task
            def work(seconds):
                time.sleep(seconds)
                return seconds
        """)
        worker.send(task(1, 0.3), task(2, 3600), task(3, 0))
        time.sleep(0.05)
        worker.send(frame(CANCEL, 2))
        self.assertEqual(worker.frame(), (CANCEL, 2, b""))  # At once: whoever asks is not to wait for a long task.
        self.assertEqual(worker.value(1), 0.3)
        self.assertEqual(worker.value(3), 0)
        self.ends_well(worker)

    def test_one_that_asks_gives_back_those_behind_it(self):
        worker = self.start(SLEEP)
        worker.send(task(1, 3600), task(2, 3600), frame(CANCEL, 2))
        self.assertEqual(worker.frame(), (CANCEL, 2, b""))
        worker.send(frame(CANCEL, 1))
        self.assertIs(worker.value(1), True)

    def test_in_the_same_write_and_behind_long_ones(self):
        worker = self.start(ECHO)
        worker.send(task(1, 1), task(2, 2), frame(CANCEL, 1), frame(CANCEL, 9))
        self.assertEqual(worker.frame(), (CANCEL, 1, b""))
        self.assertEqual(worker.value(2), 2)
        text = "x" * 3_000_000
        worker.send_beside(task(3, text) + frame(CANCEL, 4) + task(5, 5))
        self.assertEqual((worker.value(3), worker.value(5)), (text, 5))
        self.ends_well(worker)

    def test_it_does_not_reach_a_later_task_of_the_same_number(self):
        worker = self.start(SLEEP)
        for _ in range(3):
            worker.send(frame(CANCEL, 7), task(7, 0.01), task(6, 0), frame(CANCEL, 8), task(8, 0.01))
            self.assertEqual([worker.value(7), worker.value(6), worker.value(8)], [0.01, 0, 0.01])
        worker.send(task(1, 0.3), task(2, 3600), frame(CANCEL, 2), task(2, 0.01))
        self.assertEqual(worker.frame(), (CANCEL, 2, b""))
        self.assertEqual([worker.value(1), worker.value(2)], [0.3, 0.01])
        worker.send(task(3, 3600))
        time.sleep(0.05)
        worker.send(frame(CANCEL, 3), task(3, 0.01))
        self.assertEqual([worker.value(3), worker.value(3)], [True, 0.01])

    def test_all_of_very_many(self):
        worker = self.start(SLEEP)
        worker.send(task(0, 0.2))
        worker.send_beside(b"".join(task(number, 60) for number in range(1, 5001))
                           + b"".join(frame(CANCEL, number) for number in range(1, 5001)))  # fmt: skip
        answers = sorted(worker.frame() for _ in range(5001))
        self.assertEqual(answers[0][:2], (RESULT, 0))
        self.assertEqual([number for _, number, _ in answers[1:]], list(range(1, 5001)))
        self.ends_well(worker)

    def test_the_one_in_work_may_ask(self):
        worker = self.start(SLEEP)
        worker.send(task(1, 60))
        time.sleep(0.05)
        worker.send(frame(CANCEL, 1))
        self.assertIs(worker.value(1), True)
        self.assertEqual(worker.run(0.01, 2), 0.01)
        worker.send(frame(CANCEL, 2))  # Too late: it has been answered.
        self.assertEqual(worker.run(0.01, 3), 0.01)
        self.ends_well(worker)

    def test_threads_of_the_handler_may_ask_too(self):
        worker = self.start("""
            import concurrent.futures
            def ask(_):
                while not corral.cancelled(): time.sleep(0.001)
                return 1
            @corral.task
            def work(item):
                with concurrent.futures.ThreadPoolExecutor(4) as pool:
                    return sum(pool.map(ask, range(4)))
        """)
        worker.send(task(1, 60))
        time.sleep(0.05)
        worker.send(frame(CANCEL, 1))
        self.assertEqual(worker.value(1), 4)
        self.ends_well(worker)


class Progress(WorkerTest):
    def test_it_comes_at_once_and_behind_earlier_answers(self):
        worker = self.start("""
            @corral.task
            def work(item):
                if item == 2:
                    corral.progress({"done": 0.5})
                    while not corral.cancelled(): time.sleep(0.01)
                return item
        """)
        worker.send(task(1, 1), task(2, 2))
        self.assertEqual(worker.value(1), 1)
        kind, number, payload = worker.frame()
        self.assertEqual((kind, number, json.loads(payload)), (PROGRESS, 2, {"done": 0.5}))
        worker.send(frame(CANCEL, 2))
        self.assertEqual(worker.value(2), 2)

    def test_ten_a_second(self):
        worker = self.start("""
            @corral.task
            def work(seconds):
                end = time.monotonic() + seconds
                while time.monotonic() < end: corral.progress()
                return corral.progress()
        """)
        worker.send(task(7, 1))
        count = 0
        while (got := worker.frame())[0] == PROGRESS:
            self.assertEqual(got, (PROGRESS, 7, b""))
            count += 1
        self.assertEqual(got, (RESULT, 7, b"null"))
        self.assertLessEqual(count, 11)
        self.assertGreaterEqual(count, 2)

    def test_a_timer_may_send_it(self):
        """A signal handler interrupts whatever the library is doing, in the middle of a write too."""
        worker = self.start("""
            import signal
            import corral._serve
            corral._serve._PROGRESS_PAUSE = 0.002  # Often enough to meet a write.
            signal.signal(signal.SIGALRM, lambda *_: (corral.progress(), corral.cancelled()))
            signal.setitimer(signal.ITIMER_REAL, 0.003, 0.003)
            @corral.task
            def work(item):
                return item
        """)
        text = "x" * 100_000
        worker.send_beside(b"".join(task(number, text if number % 100 == 0 else number) for number in range(5000)))
        answers, seen = [], 0
        while len(answers) < 5000:
            got = worker.frame()
            self.assertIsNotNone(got, worker.logs)
            kind, number, _ = got
            seen += kind == PROGRESS
            if kind == RESULT:
                answers.append(number)
        self.assertEqual(answers, list(range(5000)))
        self.assertGreater(seen, 0)

    def test_outside_of_a_task_it_is_nothing_and_what_is_no_json_is_said(self):
        worker = self.start("""
            corral.progress({1, 2})
            assert corral.cancelled() is False
            @corral.task
            def work(item):
                corral.progress({1, 2})
        """)
        worker.send(task(1, 1))
        self.assertIn("set is not JSON serializable", worker.error(1)["message"])


class Writing(WorkerTest):
    def give_up(self, worker, number):
        """Cancels a task of SLEEP that may or may not have begun."""
        worker.send(frame(CANCEL, number))
        self.assertIn(worker.frame(), ((CANCEL, number, b""), (RESULT, number, b"true")))

    def test_a_waiting_worker_has_written_everything(self):
        worker = self.start(ECHO)
        worker.send(task(1, 1), task(2, 2), task(3, 3)[:-1])
        self.assertEqual((worker.value(1), worker.value(2)), (1, 2))
        worker.send(task(3, 3)[-1:])
        self.assertEqual(worker.value(3), 3)

    def test_tiny_ones_are_not_held_by_a_long_one_behind_them(self):
        worker = self.start(SLEEP)
        worker.send(*(task(number, 0) for number in range(50)), task(50, 3600))
        for number in range(50):
            self.assertEqual(worker.value(number), 0)
        self.give_up(worker, 50)
        self.ends_well(worker)

    def test_also_the_second_time_and_after_a_pause(self):
        worker = self.start(SLEEP)
        for pause in (0, 1.5, 0):
            time.sleep(pause)
            worker.send(*(task(number, 0) for number in range(50)), task(50, 3600))
            self.assertEqual([worker.value(number) for number in range(50)], [0] * 50)
            self.give_up(worker, 50)
        self.ends_well(worker)

    def test_a_crash_takes_no_answer_along_that_was_given_long_before(self):
        worker = self.start("""
            @corral.task
            def work(item):
                if item == 50:
                    time.sleep(0.5)
                    os.kill(os.getpid(), 9)
                return item
        """)
        worker.send(*(task(number, number) for number in range(51)))
        self.assertEqual([worker.value(number) for number in range(50)], list(range(50)))
        self.assertIsNone(worker.frame())

    def test_no_reference_to_the_last_task_is_kept(self):
        worker = self.start("""
            import weakref, gc
            class Item(dict): pass
            last = []
            @corral.task
            def work(item):
                if item == "look":
                    return last[0]() is None
                result = Item(a=1)
                last.append(weakref.ref(result))
                return result
        """)
        worker.run("make")
        self.assertIs(worker.run("look", 2), True)


if __name__ == "__main__":
    unittest.main()
