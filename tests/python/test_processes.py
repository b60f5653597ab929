"""Processes that a handler starts or forks off: the channel is not theirs."""

import os
import unittest

from harness import CEILING, DRAIN, WorkerTest, frame, task


class Processes(WorkerTest):
    def test_children_have_neither_the_descriptor_nor_the_variable(self):
        worker = self.start("""
            import subprocess
            LOOK = "import os; print('CORRAL_TASK_FD' in os.environ, sorted(os.listdir('/proc/self/fd')))"
            def look():
                words = [sys.executable, "-c", LOOK]
                return subprocess.run(words, close_fds=False, capture_output=True, text=True).stdout
            at_import = look()
            @corral.task
            def work(item):
                return [at_import, look(), os.environ.get("CORRAL_TASK_FD")]
        """)
        for text in worker.run(1)[:2]:
            self.assertRegex(text, r"^False \['0', '1', '2', '3'\]$")  # 3 is the folder that is listed.
        self.assertIsNone(worker.run(1)[2])

    def test_a_fork_in_the_handler(self):
        worker = self.start("""
            import warnings
            warnings.simplefilter("error")
            @corral.task
            def work(item):
                pid = os.fork()
                if pid == 0:
                    corral.progress("nothing"); corral.cancelled()
                    os._exit(item)
                return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        """)
        worker.send(*(task(number, number) for number in range(40)))
        for number in range(40):
            self.assertEqual(worker.value(number), number)
        self.ends_well(worker)

    def test_a_fork_among_tiny_tasks(self):
        worker = self.start("""
            import warnings
            warnings.simplefilter("error")
            @corral.task
            def work(item):
                if item % 50: return item
                pid = os.fork()
                if pid == 0: os._exit(0)
                os.waitpid(pid, 0)
                return item
        """)
        worker.send_beside(b"".join(task(number, number) for number in range(2000)))
        for number in range(2000):
            self.assertEqual(worker.value(number), number)
        self.ends_well(worker)

    def test_a_child_that_comes_back_from_the_handler_answers_nothing(self):
        for how in ("return item", "raise ValueError('in the child')", "sys.exit(3)"):
            worker = self.start(f"""
                @corral.task
                def work(item):
                    if item == 2:
                        pid = os.fork()
                        if pid == 0: {how}
                        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                    return item
            """)
            worker.send(*(task(number, number) for number in range(5)))
            answers = [worker.value(number) for number in range(5)]
            self.assertEqual(answers, [0, 1, 3 if "exit" in how else 1, 3, 4])
            self.assertEqual(worker.drain(), 0)
            self.assertIsNone(worker.frame())
            self.assertEqual(b"forked in the handler returned" in worker.logs["stderr"], "exit" not in how, worker.logs)

    def test_multiprocessing_in_the_handler(self):
        worker = self.start("""
            import multiprocessing
            def square(x): return x * x
            @corral.task
            def work(how):
                with multiprocessing.get_context(how).Pool(2) as pool:
                    return pool.map(square, range(5))
        """)
        for how in ("fork", "spawn", "forkserver"):
            self.assertEqual(worker.run(how), [0, 1, 4, 9, 16], how)
        self.ends_well(worker)

    def test_a_daemon_does_not_hold_the_channel(self):
        worker = self.start("""
            @corral.task
            def work(item):
                pid = os.fork()
                if pid == 0:
                    time.sleep(CEILING)
                    os._exit(0)
                return pid
        """.replace("CEILING", str(CEILING)))
        pid = worker.run(1)
        worker.send(frame(DRAIN))
        self.assertIsNone(worker.frame())
        os.kill(pid, 9)


if __name__ == "__main__":
    unittest.main()
