"""The same script without a supervisor: standard input to standard output."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
import unittest

from harness import CEILING, WorkerTest, environment, script

ECHO = """
    @corral.task
    def work(item):
        return item
"""


class Filter(WorkerTest):
    def command(self, body):
        path = os.path.join(self.folder, "filter.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(script(body))
        return [sys.executable, path]

    def run_command(self, words, data=None):
        return subprocess.run(words, input=data, capture_output=True, env=environment(), timeout=CEILING)

    def filter(self, body, data):
        done = self.run_command(self.command(body), data)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def start_filter(self, body):
        pipes = {name: subprocess.PIPE for name in ("stdin", "stdout", "stderr")}
        process = subprocess.Popen(self.command(body), env=environment(), bufsize=0, **pipes)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        return process

    def test_a_line_for_each_line(self):
        given, expected = b'1\n{"a": [1, "\xc3\xa4"]}\r\n"last"', '1\n{"a":[1,"\u00e4"]}\n"last"\n'
        self.assertEqual(self.filter(ECHO, given), (0, expected, ""))
        self.assertEqual(self.filter(ECHO, b""), (0, "", ""))

    def test_failures_have_their_line_and_their_story(self):
        status, out, err = self.filter("""
            @corral.task
            def work(item):
                return 1 // item
        """, b"1\n0\nx\n\n-1\n")  # fmt: skip
        self.assertEqual(status, 1)
        first, second, third, fourth, fifth = map(json.loads, out.splitlines())
        self.assertEqual((first, fifth), (1, -1))
        self.assertEqual(second["error"]["type"], "ZeroDivisionError")
        self.assertEqual(second["error"]["message"], "integer division or modulo by zero")
        self.assertTrue(third["error"]["message"].startswith("the task is not JSON"))
        self.assertTrue(fourth["error"]["message"].startswith("the task is not JSON"))
        self.assertIn("corral: line 2 failed:\nTraceback (most recent call last):\n", err)
        self.assertIn("in work\n", err)
        self.assertNotIn("_json.py", err)
        self.assertTrue(err.endswith("corral: 3 of 5 tasks failed\n"), err)

    def test_nothing_but_results_on_standard_output(self):
        status, out, err = self.filter("""
            import subprocess
            print("before")
            @corral.task
            def work(item):
                print("print")
                os.write(1, b"raw\\n")
                os.system("echo child; cat")
                corral.progress({"at": item})
                return [item, sys.stdin.read(0)]
        """, b"1\n2\n")  # fmt: skip
        self.assertEqual((status, out), (0, '[1,""]\n[2,""]\n'))
        lines = sorted(set(err.splitlines()))
        self.assertEqual(lines, ["before", "child", 'corral: progress {"at":1}', "print", "raw"])

    def test_each_answer_is_there_before_the_next_line(self):
        process = self.start_filter(ECHO)
        for number in range(5):
            process.stdin.write(b"%d\n" % number)
            self.assertEqual(process.stdout.readline(), b"%d\n" % number)
        process.stdin.close()
        self.assertEqual(process.wait(CEILING), 0)

    def test_long_lines(self):
        text = "x" * (8 << 20)
        status, out, _ = self.filter(ECHO, json.dumps(text).encode() + b"\n2\n")
        self.assertEqual((status, out), (0, f'"{text}"\n2\n'))

    def test_a_reader_that_has_seen_enough(self):
        words = " ".join(map("'{}'".format, self.command(ECHO)))
        done = self.run_command(["/bin/sh", "-c", f"yes 1 | {words} | head -n 2"])
        self.assertEqual((done.stdout, done.stderr), (b"1\n1\n", b""))

    def test_exit_in_the_handler(self):
        body = "@corral.task\ndef work(item): sys.exit(9) if item == 2 else print('x')"
        status, out, err = self.filter(body, b"1\n2\n3\n")
        self.assertEqual((status, out, err), (9, "null\n", "x\n"))

    def test_an_interrupt_while_it_waits_is_quiet(self):
        process = self.start_filter(ECHO)
        process.stdin.write(b"1\n")
        process.stdout.readline()
        self.await_sleep(process.pid)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(CEILING), 130)  # Before its input ends.
        self.assertEqual(process.communicate(), (b"", b""))

    @staticmethod
    def await_sleep(pid):
        """Until it waits for its next line: its answer is out a little earlier."""
        deadline = time.monotonic() + CEILING
        while time.monotonic() < deadline:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(") ")[2].startswith("S"):
                    return
        raise AssertionError("it does not come to rest")

    def test_a_child_that_comes_back_from_the_handler_answers_nothing(self):
        for how in ("pass", "raise ValueError('in the child')"):
            body = f"""
                @corral.task
                def work(item):
                    if item == 2:
                        pid = os.fork()
                        if pid == 0: {how}
                        else: os.waitpid(pid, 0)
                    return item
            """
            status, out, err = self.filter(body, b"1\n2\n3\n")
            self.assertEqual((status, out), (0, "1\n2\n3\n"))
            self.assertIn("forked in the handler returned", err)

    def test_async_handlers(self):
        body = "@corral.task\nasync def work(item): return item + 1"
        self.assertEqual(self.filter(body, b"1\n2\n"), (0, "2\n3\n", ""))

    def test_closed_streams(self):
        words = " ".join(map("'{}'".format, self.command(ECHO)))
        for streams, output in (("2>&-", b"1\n"), ("<&-", b""), (">&-", b"")):
            done = self.run_command(["/bin/sh", "-c", f"echo 1 | {words} {streams}"])
            self.assertEqual(done.stdout, output, (streams, done.stderr))
            self.assertNotIn(b"Traceback", done.stderr)

    def test_a_debugger_finds_the_terminal(self):
        path = self.command("""
            @corral.task
            def work(item):
                breakpoint()
                return item
        """)[1]
        pid, terminal = pty.fork()
        if pid == 0:
            words = f"echo 41 | '{sys.executable}' '{path}' > '{self.folder}/out'"
            os.execve("/bin/sh", ["sh", "-c", words], environment(TERM="dumb", PYTHON_BASIC_REPL="1"))
        self.addCleanup(os.close, terminal)
        os.write(terminal, b"item += 1\nc\n")
        _, status = os.waitpid(pid, 0)
        with open(os.path.join(self.folder, "out"), encoding="utf-8") as file:
            self.assertEqual((status, file.read()), (0, "42\n"))


if __name__ == "__main__":
    unittest.main()
