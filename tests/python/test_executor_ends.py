"""Programs that use corral.Executor, and how they end: well, badly, by signals. Nobody is ever left behind."""

import fcntl
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import termios
import time
import unittest
import uuid

from harness import CEILING, environment

HERE = os.path.dirname(os.path.abspath(__file__))
HEAD = f"""
import os, sys, time
sys.path.insert(0, {HERE!r})
import calls, corral
"""
TWO_LONG = """
if __name__ == "__main__":
    with corral.Executor(2) as executor:
        futures = [executor.submit(calls.sleep, 3600) for _ in range(5)]
        while not futures[1].running():
            time.sleep(0.01)
        print("running", flush=True)
        futures[0].result()
"""


def take_terminal():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Programs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.token = "CORRAL_TOKEN_" + uuid.uuid4().hex

    def tearDown(self):
        for pid in self.alive():
            os.kill(pid, signal.SIGKILL)

    def alive(self):
        """Who has our token in its environment, but for zombies."""
        found = []
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{name}/environ", "rb") as file:
                    if self.token.encode() in file.read():
                        found.append(int(name))
            except OSError:
                pass
        return found

    def nobody_is_left(self):
        until = time.monotonic() + CEILING
        while self.alive():
            self.assertLess(time.monotonic(), until, self.alive())
            time.sleep(0.01)

    def program(self, text, head=HEAD, **popen):
        path = os.path.join(self.folder, "program.py")
        with open(path, "w") as file:
            file.write(head + text)
        variables = environment(**{self.token: "1"})
        popen = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **popen}
        process = subprocess.Popen([sys.executable, path], env=variables, text=True, **popen)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        process.kill()
        process.wait()
        for stream in filter(None, (process.stdout, process.stderr)):
            stream.close()

    def run_program(self, text, status=0, **more):
        process = self.program(text, **more)
        out, err = process.communicate(timeout=CEILING)
        self.assertEqual(process.returncode, status, err)
        self.nobody_is_left()
        return out, err

    def test_functions_of_the_main_module(self):
        out, err = self.run_program("""
            offset = 10
            def work(item):
                return item + offset + len(sys.argv)
            class Own(Exception):
                pass
            def fail(item):
                raise Own(item)
            if __name__ == "__main__":
                with corral.Executor(2) as executor:
                    print(list(executor.map(work, range(3))))
                    print(type(executor.submit(fail, 1).exception()) is Own)
        """.replace("\n            ", "\n"))
        self.assertEqual((out, err), ("[11, 12, 13]\nTrue\n", ""))

    def test_functions_of_a_main_module_that_is_at_its_end(self):
        out, err = self.run_program("""
def work(item):
    return item + 1
if __name__ == "__main__":
    corral.Executor
    del __file__  # As the interpreter does, while other threads go on.
    with corral.Executor(1) as executor:
        print(executor.submit(work, 1).result())
""")
        self.assertEqual((out, err), ("2\n", ""))

    def test_a_thread_that_outlives_the_main_one_is_told_that_it_is_too_late(self):
        for loaded in ("", "corral.Executor"):
            out, _ = self.run_program(f"""
import threading
ended = threading.Event()
threading._register_atexit(ended.set)  # The last one registered runs first: the executor's has run by then.
{loaded}
def late():
    ended.wait()
    try:
        corral.Executor(1).submit(calls.give, 1)
    except RuntimeError as error:
        print(error, flush=True)
threading.Thread(target=late).start()
""")
            self.assertEqual(out, "cannot schedule new futures after interpreter shutdown\n", loaded)

    def test_a_program_without_a_guard_is_told_so(self):
        _, err = self.run_program("corral.Executor(1).submit(calls.give, 1).result()\n", 1)
        self.assertIn("belongs behind `if __name__ == '__main__':`", err)

    def test_what_tasks_print_comes_whole_also_at_exit(self):
        out, _ = self.run_program("""
import atexit
def work(item):
    print("x" * 50, item)
    sys.stdout.write("part of a line")
    print("", end="")
    print()
def begin():
    atexit.register(print, "the worker says goodbye")
if __name__ == "__main__":
    with corral.Executor(2, begin) as executor:
        list(executor.map(work, range(200)))
""")
        self.assertEqual(len(re.findall(r"^x{50} \d+$", out, re.M)), 200)
        self.assertIn(out.count("the worker says goodbye"), (1, 2))  # One may be too late for any task.

    def test_at_the_end_of_a_program_what_was_submitted_is_still_done(self):
        out, err = self.run_program("""
def work(item):
    time.sleep(0.01)
    print("done", flush=True)
if __name__ == "__main__":
    executor = corral.Executor(2)
    for n in range(20):
        executor.submit(work, n)
""")
        self.assertEqual((out.count("done"), err), (20, ""))

    def test_an_exception_ends_the_program_after_its_calls(self):
        out, err = self.run_program("""
if __name__ == "__main__":
    with corral.Executor(2) as executor:
        future = executor.submit(calls.sleep, 0.1)
        raise KeyError("oops")
""", 1)
        self.assertIn("oops", err)

    def test_a_program_that_is_killed_leaves_nobody(self):
        for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGHUP):
            with self.subTest(number):
                process = self.program(TWO_LONG)
                self.assertEqual(process.stdout.readline(), "running\n")
                os.kill(process.pid, number)
                process.wait(CEILING)
                self.nobody_is_left()

    def test_ctrl_c_on_a_terminal_ends_it_in_the_middle_of_long_tasks(self):
        for text in (TWO_LONG, TWO_LONG.replace("with corral.Executor(2) as executor:", "executor = corral.Executor(2)\n    if 1:")):
            with self.subTest(text):
                ours, theirs = pty.openpty()
                process = self.program(text, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
                                       preexec_fn=take_terminal)
                os.close(theirs)
                said = b""
                while b"running" not in said:
                    said += os.read(ours, 1000)
                os.write(ours, b"\x03")
                while True:
                    try:
                        chunk = os.read(ours, 1000)
                    except OSError:
                        break
                    if not chunk:
                        break
                    said += chunk
                process.wait(CEILING)
                os.close(ours)
                self.assertIn(b"KeyboardInterrupt", said)
                self.assertNotIn(b"corral:", said)
                self.nobody_is_left()

    def test_ctrl_c_ends_the_calls_in_work_whoever_catches_it(self):
        head = """
import asyncio
def long(ready):
    calls.touch(ready)
    time.sleep(600)
async def use(executor):
    await asyncio.gather(*(asyncio.get_running_loop().run_in_executor(executor, long, ready) for ready in READY))
if __name__ == "__main__":
    executor = corral.Executor(2)
"""
        ways = {
            "asyncio": "    with executor: asyncio.run(use(executor))",
            "shutdown": """
    futures = [executor.submit(long, ready) for ready in READY]
    try: futures[0].result()
    except KeyboardInterrupt: executor.shutdown(wait=True, cancel_futures=True)
""",
            "nothing": """
    futures = [executor.submit(long, ready) for ready in READY]
    try: futures[0].result()
    except KeyboardInterrupt: pass
""",
            "going on": """
    futures = [executor.submit(long, ready) for ready in READY]
    try: futures[0].result()
    except KeyboardInterrupt: pass
    assert [type(future.exception()) for future in futures] == [KeyboardInterrupt] * 2
    assert list(executor.map(abs, (-1, -2))) == [1, 2]
""",
        }
        for name, way in ways.items():
            with self.subTest(name):
                ready = [os.path.join(self.folder, f"{name}-{n}") for n in range(2)]
                process = self.program(f"import time\nREADY = {ready!r}" + head + way, start_new_session=True)
                until = time.monotonic() + CEILING
                while not all(map(os.path.exists, ready)) and time.monotonic() < until:
                    time.sleep(0.005)
                os.killpg(process.pid, signal.SIGINT)
                self.assertEqual(process.wait(CEILING), -signal.SIGINT if name == "asyncio" else 0)
                self.nobody_is_left()

    def test_what_was_submitted_is_done_when_the_block_is_left_by_sys_exit(self):
        for way in ("sys.exit(0)", "raise asyncio.CancelledError", "raise GeneratorExit"):
            with self.subTest(way):
                out, _ = self.run_program(f"""
import asyncio
if __name__ == "__main__":
    futures = []
    try:
        with corral.Executor(2) as executor:
            futures += [executor.submit(calls.sleep, 0.05) for _ in range(6)]
            {way}
    finally:
        print(sum(future.done() and not future.cancelled() for future in futures), flush=True)
        os._exit(0)
""")
                self.assertEqual(out, "6\n")

    def test_a_script_from_standard_input_calls_functions_of_other_modules(self):
        text = HEAD + "if __name__ == '__main__':\n    with corral.Executor(1) as executor: print(executor.submit(abs, -3).result())\n"
        done = subprocess.run([sys.executable, "-"], input=text, env=environment(**{self.token: "1"}), capture_output=True, text=True,
                              timeout=CEILING)  # fmt: skip
        self.assertEqual((done.returncode, done.stdout), (0, "3\n"), done.stderr)

    def test_an_executor_in_a_thread_and_one_that_is_never_shut_down(self):
        self.run_program("""
import threading
def use():
    executor = corral.Executor(1)
    assert executor.submit(calls.give, 5).result() == 5
    keep.append(executor)
keep = []
if __name__ == "__main__":
    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
""")


if __name__ == "__main__":
    unittest.main()
