"""Frames and when they are read and written: cut, long, many, cancelled, drained, broken off, and forked away from."""

import os
import signal
import socket
import struct
import tempfile
import time
import unittest

from harness import CANCEL, CEILING, DRAIN, HELLO, RESULT, TASK, WorkerTest, frame, hello, task

ECHO = """
    @corral.task
    def work(item):
        return item
"""

# Tasks that take the seconds that they are told; True when they were cancelled.
SLEEP = """
    @corral.task
    def work(seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if corral.cancelled():
                return True
            time.sleep(0.001)
        return seconds
"""


class Frames(WorkerTest):
    def test_hello(self):
        worker = self.start(ECHO)
        kind, number, payload = worker.hello
        self.assertEqual((kind, number), (HELLO, 0))
        version, longest = struct.unpack_from("<II", payload)
        self.assertEqual((version, longest), (1, 0xFFFFFFFF))
        self.assertRegex(payload[8:].decode(), r"^python 3\.\d+\.\d+")
        self.ends_well(worker)

    def test_cut_at_every_byte(self):
        worker = self.start(ECHO, greet=False)
        worker.frame()
        stream = hello() + task(1, {"a": 1}) + frame(CANCEL, 77) + task(2**64 - 1, "\u00e4") + task(3, [])
        for at in range(len(stream)):
            worker.send(stream[at : at + 1])
        self.assertEqual(worker.value(1), {"a": 1})
        self.assertEqual(worker.value(2**64 - 1), "\u00e4")
        self.assertEqual(worker.value(3), [])
        self.ends_well(worker)

    def test_a_batch_in_two_pieces_cut_anywhere(self):
        worker = self.start(ECHO)
        stream = task(1, "one") + task(2, 2) + task(3, [3])
        for at in range(1, len(stream)):
            worker.send(stream[:at])
            worker.send(stream[at:])
            self.assertEqual([worker.value(number) for number in (1, 2, 3)], ["one", 2, [3]])

    def test_ten_thousand_tiny_ones_in_order(self):
        worker = self.start(ECHO)
        worker.send_beside(b"".join(task(number, {"n": number}) for number in range(10_000)))
        for number in range(10_000):
            self.assertEqual(worker.value(number), {"n": number})
        self.ends_well(worker)

    def test_long_payloads_both_ways(self):
        worker = self.start(ECHO)
        text = "0123456789abcdef" * (512 * 1024)
        frames = [task(1, text), task(2, 2), task(3, text[:300_000]), task(4, text), task(5, 5)]
        worker.send_beside(b"".join(frames))
        self.assertEqual(worker.value(1), text)
        self.assertEqual(worker.value(2), 2)
        self.assertEqual(worker.value(3), text[:300_000])
        self.assertEqual(worker.value(4), text)
        self.assertEqual(worker.value(5), 5)
        self.ends_well(worker)

    def test_sizes_around_those_of_the_buffers(self):
        worker = self.start(ECHO)
        for edge in (64 * 1024, 256 * 1024):
            for size in range(edge - 20, edge + 4):
                worker.send_beside(task(1, "x" * (size - 2)) + task(2, size))
                self.assertEqual(len(worker.value(1)), size - 2)
                self.assertEqual(worker.value(2), size)

    def test_a_descriptor_that_does_not_block_and_a_default_timeout(self):
        worker = self.start("""
            import socket
            socket.setdefaulttimeout(0.05)
            @corral.task
            def work(item):
                return item
        """, blocking=False)
        time.sleep(0.2)
        self.assertEqual(worker.run(1), 1)
        self.ends_well(worker)


class Mistakes(WorkerTest):
    def ends_badly(self, what, *frames, greet=True):
        worker = self.start(ECHO, greet=greet)
        if not greet:
            worker.frame()
        worker.send(*frames)
        worker.socket.shutdown(socket.SHUT_WR)
        self.assertEqual(worker.wait(), 1)
        self.assertEqual(worker.logs["stderr"].decode(), f"corral: the supervisor {what}\n")
        return worker

    def test_what_is_no_frame(self):
        wrong_flags, wrong_zero = (struct.pack("<IBBHQ", 0, TASK, flags, 1 - flags, 1) for flags in (1, 0))
        for garbage in (b"\xff" * 16, frame(0), frame(8), wrong_flags, wrong_zero):
            self.ends_badly("sent bytes that are no frame of the task protocol", garbage)

    def test_frames_that_are_not_a_supervisors(self):
        self.ends_badly("sent RESULT, which is the worker's to say", frame(RESULT, 1, b"1"))
        self.ends_badly("sent a TASK before its HELLO", task(1, 1), greet=False)
        self.ends_badly("sent CANCEL before its HELLO", frame(CANCEL, 1), greet=False)
        self.ends_badly("sent a HELLO of 3 bytes; it has at least 8", frame(HELLO, 0, b"abc"), greet=False)
        self.ends_badly("speaks version 2 of the task protocol, and this worker 1", hello(version=2), greet=False)

    def test_the_end_in_the_middle_of_a_frame(self):
        whole = "closed the task channel in the middle of a frame"
        for part in (task(2, "xyz")[:-1], task(2, 1)[:7], task(2, "x" * 1_000_000)[:500_000]):
            worker = self.ends_badly(whole, task(1, "answered") + part)
            self.assertEqual(worker.value(1), "answered")

    def test_a_number_that_is_no_channel(self):
        for number in ("1", "999", "x", "", "99999999999999999999"):
            worker = self.start(ECHO, greet=False, variables={"CORRAL_TASK_FD": number})
            self.assertEqual(worker.wait(), 1)
            self.assertIn(f"CORRAL_TASK_FD is '{number}', which is not an open socket", worker.logs["stderr"].decode())

    def test_a_supervisor_that_dies(self):
        worker = self.start("""
            @corral.task
            def work(item):
                time.sleep(0.2)
                return item
        """)
        worker.send(task(1, 1), task(2, 2))
        worker.value(1)
        worker.socket.close()
        self.assertEqual(worker.wait(), 1)
        self.assertIn(b"corral: the supervisor has gone", worker.logs["stderr"])

    def test_a_supervisor_that_dies_while_nothing_is_to_do(self):
        worker = self.start(ECHO)
        worker.run(1)
        worker.socket.close()
        self.assertEqual((worker.wait(), worker.logs["stderr"]), (0, b""))


class Ends(WorkerTest):
    def test_drain_answers_what_is_there_and_returns(self):
        worker = self.start_script("import corral\ncorral.serve(abs)\nprint('after')")
        worker.send(*(task(number, -number) for number in range(5)), frame(DRAIN))
        for number in range(5):
            self.assertEqual(worker.value(number), number)
        self.assertIsNone(worker.frame())
        self.assertEqual((worker.wait(), worker.logs), (0, {"stdout": b"after\n", "stderr": b""}))

    def test_the_end_of_the_stream_is_the_same(self):
        worker = self.start(SLEEP)
        worker.send(task(1, 0.1), task(2, 0.1))
        worker.socket.shutdown(socket.SHUT_WR)
        self.assertEqual((worker.value(1), worker.value(2)), (0.1, 0.1))
        self.assertEqual((worker.wait(), worker.logs["stderr"]), (0, b""))

    def test_drain_or_end_before_anything(self):
        for frames in ([], [frame(DRAIN)], [hello(), frame(DRAIN)]):
            worker = self.start(ECHO, greet=False)
            worker.frame()
            worker.send(*frames)
            worker.socket.shutdown(socket.SHUT_WR)
            self.assertEqual((worker.wait(), worker.logs["stderr"]), (0, b""))

    def test_sigterm_is_pythons_own_affair(self):
        worker = self.start(ECHO)
        worker.run(1)
        worker.process.terminate()
        self.assertEqual((worker.wait(), worker.logs["stderr"]), (-signal.SIGTERM, b""))

    def test_a_sigterm_handler_that_exits_is_obeyed(self):
        worker = self.start("""
            import signal
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))
            @corral.task
            def work(item):
                try:
                    if item: os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)
                    return 0
                finally:
                    print("cleaned up")
        """)
        worker.send(task(1, 0), task(2, 1), task(3, 0))
        self.assertEqual(worker.value(1), 0)
        self.assertIsNone(worker.frame())
        self.assertEqual(worker.wait(), 5)
        self.assertEqual(worker.logs["stdout"], b"cleaned up\ncleaned up\n")

    def test_the_mark_says_which_task_was_in_work(self):
        with self.mark() as mark:
            worker = self.start("""
                import signal
                @corral.task
                def work(item):
                    if item == 5: os.kill(os.getpid(), signal.SIGKILL)
                    return [os.environ.get("CORRAL_MARK_FD")]
            """, variables={"CORRAL_MARK_FD": str(mark.fileno())}, pass_fds=[mark.fileno()])  # fmt: skip
            self.assertEqual(worker.run(1, 77), [None])
            ceiling = time.monotonic() + CEILING
            while os.pread(mark.fileno(), 9, 0) != b"\xff" * 8 and time.monotonic() < ceiling:  # It waits, or is about to.
                time.sleep(0.001)
            worker.send(*(task(100 + number, number) for number in range(10)))
            self.assertEqual(worker.wait(), -signal.SIGKILL)
            self.assertEqual(struct.unpack("<Q", os.pread(mark.fileno(), 9, 0)), (105,))

    def test_a_mark_that_is_none_is_not_written(self):
        for contents in (b"", b"1234567", b"123456789"):
            with self.mark(contents) as other:
                number = str(other.fileno())
                worker = self.start(ECHO, variables={"CORRAL_MARK_FD": number}, pass_fds=[other.fileno()])
                self.assertEqual(worker.run("x"), "x")
                self.assertEqual(worker.drain(), 0)
                self.assertEqual(os.pread(other.fileno(), 100, 0), contents)
        for number in ("999", "x", "", "99999999999999999999"):
            worker = self.start(ECHO, variables={"CORRAL_MARK_FD": number})
            self.assertEqual(worker.run("x"), "x")

    def mark(self, contents=b"\xff" * 8):
        file = tempfile.TemporaryFile(buffering=0)
        file.write(contents)
        return file

    def test_one_that_exits_between_two_tasks_says_that_it_takes_no_more(self):
        said = []
        while len(said) < 10 and (DRAIN, 0, b"") not in said:  # One that is hit in the middle of a write says nothing any more.
            worker = self.start("""
                import signal
                signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
                @corral.task
                def work(item): return item
            """)
            worker.run(1)
            time.sleep(0.05)
            worker.process.terminate()
            said.append(worker.frame())
            self.assertEqual(worker.wait(), 0)
        self.assertEqual(said[-1], (DRAIN, 0, b""))


if __name__ == "__main__":
    unittest.main()
