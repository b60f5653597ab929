"""What a handler gets, what becomes of what it returns or raises, and where its prints go."""

import json
import unittest

from harness import RESULT, TASK, WorkerTest, frame, task

ECHO = """
    @corral.task
    def work(item):
        return item
"""

# A handler that does what it is told.
OBEY = """
    import functools, math
    class Odd(Exception):
        def __str__(self):
            raise RuntimeError("no text")

    @corral.task
    def work(item):
        return eval(item) if isinstance(item, str) else item

    def fail(error):
        raise error
"""


class Values(WorkerTest):
    def test_every_kind_of_json_comes_back(self):
        worker = self.start(ECHO)
        texts = ["", "x", "\u00e4\u20ac\U0001f40e", "\ud800", "a\nb\u2028\0"]
        for value in (None, True, 0, -1.5, 10**30, *texts, [], {}, [[]], {"a": [{"b": None}], "": ""}, [1e300]):
            self.assertEqual(worker.run(value), value)
        self.ends_well(worker)

    def test_results_are_one_line_of_utf8(self):
        worker = self.start(ECHO)
        worker.send(task(1, {"a": "\u00e4\n", "b": [1, 2]}), task(2, "\ud800\u00e4"))
        self.assertEqual(worker.frame(), (RESULT, 1, '{"a":"\u00e4\\n","b":[1,2]}'.encode()))
        self.assertEqual(worker.frame(), (RESULT, 2, b'"\\ud800\\u00e4"'))

    def test_white_space_around_and_a_byte_order_mark(self):
        worker = self.start(ECHO)
        for payload in (b' {"n": 1}', b'{"n": 1} \r', b'\t{"n":\n1}\r\n', b'\xef\xbb\xbf{"n": 1}'):
            worker.send(frame(TASK, 1, payload))
            self.assertEqual(worker.value(1), {"n": 1}, payload)

    def test_what_is_no_json_fails_alone(self):
        worker = self.start(ECHO)
        bad = (b"", b" ", b"x", b"{", b'{"a": 1} 2', b'"\xff"', b"NaN", b"[Infinity]", b"-Infinity", b"'a'", b"[1,]")
        bad += (b"\0", b"[" * 100_000, b'"\xed\xa0\x80"')
        worker.send(*(frame(TASK, number, payload) for number, payload in enumerate(bad)), task(99, 1))
        for number, payload in enumerate(bad):
            with self.subTest(payload[:20]):
                story = worker.error(number)
                self.assertEqual(story["type"], "ValueError")
                self.assertIn("the task is not JSON: ", story["message"])
                self.assertEqual(story["traceback"], f"ValueError: {story['message']}\n")
        self.assertEqual(worker.value(99), 1)
        self.ends_well(worker)

    def test_what_does_not_become_json_fails_alone(self):
        worker = self.start(OBEY)
        bad = ("math.nan", "[math.inf]", "{'a': -math.inf}", "{1, 2}", "b'x'", "object()", "{(1, 2): 3}")
        bad += ("(x for x in [])", "[loop := [], loop.append(loop)]")
        bad += ("functools.reduce(lambda a, _: [a], range(200000), 0)",)
        for code in bad:
            with self.subTest(code):
                worker.send(task(1, code))
                story = worker.error(1)
                self.assertIn(story["type"], ("ValueError", "TypeError", "RecursionError"))
                self.assertTrue(story["message"].startswith("the result is not JSON: "), story)
                self.assertEqual(story["traceback"], f"{story['type']}: {story['message']}\n")
                # The same object at the same place must not look like a circle afterwards.
                self.assertEqual(worker.run("[[1], [1], {'a': (2,)}]"), [[1], [1], {"a": [2]}])
        self.assertEqual(worker.run("{1: True, None: 2.5, 'x': ()}"), {"1": True, "null": 2.5, "x": []})
        self.ends_well(worker)

    def test_a_failed_result_is_no_circle_when_it_is_mended(self):
        worker = self.start("""
            same = [set()]
            @corral.task
            def work(item):
                same[0] = item or set()
                return same
        """)
        worker.send(task(1, 0), task(2, 1))
        self.assertIn("set is not JSON serializable", worker.error(1)["message"])
        self.assertEqual(worker.value(2), [1])

    def test_a_result_that_is_too_long_fails_alone(self):
        worker = self.start(OBEY, longest=1000)
        worker.send(task(1, "'x' * 998"), task(2, "'x' * 999"), task(3, "fail(ValueError('y' * 5000))"), task(4, 5))
        self.assertEqual(worker.value(1), "x" * 998)
        self.assertEqual(worker.error(2)["message"], "the result has 1001 bytes; corral takes at most 1000")
        self.assertTrue(worker.error(3)["message"].startswith("yyy"))
        self.assertEqual(worker.value(4), 5)


class Failures(WorkerTest):
    def test_the_traceback_is_that_of_the_workers_own_code(self):
        worker = self.start(OBEY)
        worker.send(task(1, "fail(KeyError('a'))"))
        story = worker.error(1)
        self.assertEqual((story["type"], story["message"]), ("KeyError", "'a'"))
        self.assertTrue(story["traceback"].startswith("Traceback (most recent call last):\n  File "))
        self.assertIn("in fail\n", story["traceback"])
        self.assertTrue(story["traceback"].endswith("KeyError: 'a'\n"))
        self.assertNotIn("_serve.py", story["traceback"])
        self.assertNotIn("_json.py", story["traceback"])
        self.assertEqual(worker.run(7), 7)

    def test_names_causes_and_wrong_arguments(self):
        worker = self.start("""
            import json
            class Own(Exception): pass
            @corral.task
            def work(item):
                if item == 1: json.loads("x")
                if item == 2: raise Own("mine")
                try: work(2)
                except Own as error: raise LookupError("after") from error
        """)
        worker.send(task(1, 1), task(2, 2), task(3, 3))
        self.assertEqual(worker.error(1)["type"], "json.decoder.JSONDecodeError")
        self.assertEqual(worker.error(2)["type"], "Own")
        story = worker.error(3)
        self.assertIn("The above exception was the direct cause", story["traceback"])
        self.assertIn("Own: mine", story["traceback"])
        other = self.start("@corral.task\ndef work(): pass")
        other.send(task(1, 1))
        story = other.error(1)
        self.assertIn("takes 0 positional arguments", story["message"])
        self.assertEqual(story["traceback"], f"TypeError: {story['message']}\n")

    def test_exceptions_of_every_kind(self):
        worker = self.start(OBEY)
        cases = {
            "fail(ValueError('\\ud800 \\u00e4 \\U0001f40e\\n2'))": ("ValueError", "\ud800 \u00e4 \U0001f40e\n2"),
            "fail(Odd())": ("Odd", "<Odd whose text cannot be had>"),
            "fail(GeneratorExit('x'))": ("GeneratorExit", "x"),
            "fail(__import__('asyncio').CancelledError())": ("asyncio.exceptions.CancelledError", ""),
            "fail(MemoryError())": ("MemoryError", ""),
            "fail(StopIteration(1))": ("StopIteration", "1"),
            "fail(BlockingIOError(11, 'wait'))": ("BlockingIOError", "[Errno 11] wait"),
            "fail(BrokenPipeError(32, 'gone'))": ("BrokenPipeError", "[Errno 32] gone"),
            "(lambda f: f(f))(lambda f: f(f))": ("RecursionError", None),
        }
        for code, (name, message) in cases.items():
            with self.subTest(code):
                worker.send(task(1, code))
                story = worker.error(1)
                self.assertEqual(story["type"], name)
                if message is not None:
                    self.assertEqual(story["message"], message)
        self.ends_well(worker)

    def test_an_endless_message_is_cut(self):
        worker = self.start(OBEY)
        worker.send(task(1, "fail(ValueError('x' * 50_000_000))"))
        self.assertLess(len(json.dumps(worker.error(1))), 1_000_000)

    def test_exit_ends_the_worker_and_not_the_answers(self):
        worker = self.start(OBEY)
        worker.send(task(1, 1), task(2, "sys.exit(7)"), task(3, 3))
        self.assertEqual(worker.value(1), 1)
        self.assertIsNone(worker.frame())
        self.assertEqual(worker.wait(), 7)

    def test_an_interrupt_ends_the_worker(self):
        worker = self.start(OBEY)
        worker.send(task(1, "os.kill(os.getpid(), 2)"), task(2, 3))
        self.assertIsNone(worker.frame())
        self.assertEqual(worker.wait(), -2)


class Logs(WorkerTest):
    def test_prints_stay_logs(self):
        worker = self.start("""
            print("at the start", end="")
            @corral.task
            def work(item):
                print("out", item)
                print("err", item, file=sys.stderr)
                os.write(1, b"raw\\n")
                os.system("echo child")
                print("\\ud800 part", end="")
                return item
        """)
        self.assertEqual(worker.run(5), 5)
        self.ends_well_with(worker, b"at the startout 5\nraw\nchild\n\\ud800 part", b"err 5\n")

    def ends_well_with(self, worker, out, err):
        self.assertEqual(worker.drain(), 0)
        self.assertEqual(worker.logs, {"stdout": out, "stderr": err})

    def test_what_was_printed_before_a_crash_is_there(self):
        worker = self.start("""
            @corral.task
            def work(item):
                if item == 2:
                    os.kill(os.getpid(), 9)
                print("part", end="")
                time.sleep(0.01)
        """)
        worker.send(task(1, 1), task(2, 2))
        self.assertIsNone(worker.value(1))
        self.assertIsNone(worker.frame())
        worker.wait()
        self.assertEqual(worker.logs["stdout"], b"part")

    def test_a_closed_or_replaced_stdout_harms_nothing(self):
        worker = self.start("""
            import io
            @corral.task
            def work(item):
                if item == 1: sys.stdout = io.StringIO()
                if item == 2: sys.stdout.close()
                if item == 3: sys.stdout = None
                return item
        """)
        for number in (1, 2, 3, 4):
            self.assertEqual(worker.run(number), number)
        self.assertEqual(worker.drain(), 0)


class Handlers(WorkerTest):
    def complains(self, text, *parts):
        worker = self.start_script("import corral\n" + text, greet=False)
        self.assertEqual(worker.wait(), 1)
        for part in parts:
            self.assertIn(part, worker.logs["stderr"].decode())

    def test_exactly_one(self):
        self.complains("corral.serve()", "TypeError: corral.serve() has nothing to call")
        self.complains("@corral.task\ndef a(x): pass\n@corral.task\ndef b(x): pass\ncorral.serve()",
                       "2 functions are marked with @corral.task: a (worker.py:2), b (worker.py:4)")  # fmt: skip
        self.complains("@corral.task()\ndef a(x): pass", "TypeError")
        self.complains("corral.task(5)", "@corral.task takes a function, and got 5")
        self.complains("corral.serve('x')", "corral.serve() takes a function, and got 'x'")
        self.complains("@corral.task\ndef a(x): yield 1", "a (worker.py:2) yields; a task has one result")
        self.complains("@corral.task\nasync def a(x): yield 1", "yields; a task has one result")

    def test_one_that_is_passed_wins(self):
        text = "import corral\n@corral.task\n@corral.task\ndef a(x): pass\n@corral.task\ndef b(x): pass\n"
        self.assertEqual(self.start_script(text + "corral.serve(abs)").run(-5), 5)
        self.assertEqual(self.start_script("import corral\ncorral.task(abs)\ncorral.serve()").run(-5), 5)

    def test_serving_twice_is_a_mistake(self):
        worker = self.start_script("import corral\ncorral.serve(abs)\nprint('then', flush=True)\ncorral.serve(abs)")
        self.assertEqual(worker.run(-5), 5)
        self.assertEqual(worker.drain(), 1)
        self.assertEqual(worker.logs["stdout"], b"then\n")
        self.assertIn(b"RuntimeError: corral.serve() has served", worker.logs["stderr"])

    def test_async_handlers_share_one_loop(self):
        worker = self.start("""
            import asyncio
            seen = []
            async def background():
                try:
                    await asyncio.sleep(3600)
                finally:
                    print("cleaned up")

            @corral.task
            async def work(item):
                if not seen:
                    seen.append(asyncio.ensure_future(background()))
                await asyncio.sleep(0.001)
                if item < 0:
                    raise ValueError("negative")
                return [item, seen[0].get_loop() is asyncio.get_running_loop()]
        """)
        self.assertEqual(worker.run(1), [1, True])
        self.assertEqual(worker.run(2), [2, True])
        worker.send(task(3, -1))
        story = worker.error(3)
        self.assertIn("in work\n", story["traceback"])
        self.assertNotIn("asyncio", story["traceback"])
        self.assertEqual(worker.drain(), 0, worker.logs)
        self.assertEqual(worker.logs, {"stdout": b"cleaned up\n", "stderr": b""})

    def test_an_object_with_an_async_call(self):
        body = "import corral\nclass C:\n async def __call__(self, x): return x + 1\ncorral.serve(C())"
        worker = self.start_script(body)
        self.assertEqual(worker.run(1), 2)


if __name__ == "__main__":
    unittest.main()
