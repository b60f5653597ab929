"""What `corral map` tells beside the results: a summary, a timeline, a trace."""

import json
import os
import re
import shutil
import signal
import subprocess
import unittest
from html.parser import HTMLParser

from harness import await_that, main, read
from mapping import WORKER, MapTest, room_for

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "page.js")
NASTY = '</script><script>alert(1)</script><!--<script><img src=x onerror="alert(2)">'
needs_node = unittest.skipUnless(shutil.which("node"), "needs node")
KINDS = ["done", "retried", "failed", "quarantined"]


class Page(HTMLParser):
    """The elements of a timeline as a browser finds them, and its data."""

    def __init__(self, text):
        super().__init__(convert_charrefs=False)
        self.scripts, self.tags, self.urls = [], [], []
        self._open = False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.urls += [value for name, value in attributes if name in ("src", "href", "srcset", "data", "action")]
        self._open = tag == "script"
        if self._open:
            self.scripts.append((dict(attributes).get("class"), ""))

    def handle_data(self, data):
        if self._open:
            kind, text = self.scripts[-1]
            self.scripts[-1] = (kind, text + data)

    def handle_endtag(self, tag):
        self._open = False

    def data(self, kind):
        return [json.loads(text) for found, text in self.scripts if found == kind]

    def blocks(self):
        """(worker, task, attempt, how) of each attempt that has a block of its own."""
        found = []
        for chunk in self.data("chunk"):
            rows = chunk["b"]
            assert len(rows) % 7 == 0, rows
            for at in range(0, len(rows), 7):
                worker, _, duration, task, attempt, kind, pid = rows[at : at + 7]
                assert duration >= 0 and pid > 0
                found.append((worker, task, attempt, KINDS[kind]))
        return found

    def messages(self):
        return [message for chunk in self.data("chunk") for message in chunk["m"]]


def summary_of(corral):
    found = [json.loads(line) for line in corral.err.splitlines() if '"event":"summary"' in line]
    return found[0] if found else None


class Summary(MapTest):
    def test_it_says_what_tasks_and_workers_took(self):
        corral = self.map(range(50), "-j2")
        self.finish(corral, 0)
        self.assertRegex(corral.err, r"corral: half of the tasks took at most .+, 95 % at most .+, the longest .+\n")
        self.assertRegex(corral.err, r"corral: .+ of work in .+: speed-up [0-9.e+-]+\n")
        self.assertRegex(corral.err, r"corral: CPU use of the workers: 0 \d+ %, 1 \d+ %\n")

    def test_as_an_event_its_fields_add_up(self):
        corral = self.map([*range(20), {"sleep": 0.6}, {"fail": "no"}, {"exit": 3}], "-j2", "--log-format", "json")
        self.finish(corral, 1)
        summary = summary_of(corral)
        self.assertEqual(
            [summary[what] for what in ("tasks", "done", "failed", "quarantined", "retries", "left")], [23, 21, 1, 1, 2, 0]
        )
        self.assertGreaterEqual(summary["max_seconds"], 0.3)
        self.assertLess(summary["p50_seconds"], 0.3)
        self.assertLessEqual(summary["p50_seconds"], summary["p95_seconds"])
        self.assertGreaterEqual(summary["work_seconds"], 0.3)
        self.assertGreaterEqual(summary["wall_seconds"], 0.3)
        self.assertEqual(sum(worker["tasks"] for worker in summary["workers"]), 23)
        self.assertTrue(all(worker["cpu_seconds"] > 0 for worker in summary["workers"]))

    def test_cpu_of_many_lives_is_summed(self):
        corral = self.map(b"1\n2\n3\n4\n", "-j1", "--log-format", "json", command=["sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo {}"])
        self.finish(corral, 0)
        (worker,) = summary_of(corral)["workers"]
        self.assertEqual(worker["tasks"], 4)
        self.assertGreater(worker["cpu_seconds"], 0)
        self.assertGreaterEqual(worker["seconds"] * 1.5, worker["cpu_seconds"])

    def test_quiet_and_nothing_done_say_none(self):
        for options, tasks in ((["--quiet"], range(3)), ([], [])):
            corral = self.map(tasks, "-j1", *options)
            self.finish(corral, 0)
            self.assertNotIn("CPU use", corral.err)


class Timeline(MapTest):
    def page(self, *options, tasks, status=0, **how):
        corral = self.map(tasks, "-j2", "--timeline", self.path("run.html"), *options, **how)
        self.finish(corral, status)
        return Page(read(self.path("run.html"))), corral

    def test_every_attempt_is_a_block(self):
        page, corral = self.page(tasks=[*range(500), {"fail": "no"}, {"kill": 9}], status=1)
        done = [(0, i, 1, "done") for i in range(500)]
        troubles = [(0, 500, 1, "failed"), (0, 501, 1, "retried"), (0, 501, 2, "retried"), (0, 501, 3, "quarantined")]
        self.assertEqual(sorted((0, *block[1:]) for block in page.blocks()), sorted(done + troubles))
        workers = {entry["task"]: entry["worker"] for entry in self.results(corral).values()}
        self.assertTrue(all(workers[task] == worker for worker, task, _, how in page.blocks() if how != "retried"))
        (end,) = page.data("end")
        self.assertEqual((end["tasks"], end["done"], end["retries"]), (502, 500, 2))
        (about,) = page.data("about")
        self.assertEqual(len(about["cores"]), 2)
        ends = [change for chunk in page.data("chunk") for change in chunk["l"] if change[2] == 0]
        self.assertEqual(sum("signal 9" in change[4] for change in ends), 3)

    def test_it_stands_alone(self):
        page, _ = self.page(tasks=[1])
        self.assertEqual(page.urls, [])
        self.assertNotRegex(read(self.path("run.html")), r"https?:|@import|url\(")

    def test_what_a_task_says_is_no_markup(self):
        clean, _ = self.page(tasks=[{"fail": "no"}, {"kill": 9}], status=1)
        page, _ = self.page(tasks=[{"fail": NASTY}], status=1)
        self.assertEqual(set(page.tags), set(clean.tags))
        self.assertEqual(page.tags.count("script"), 3 + len(page.data("chunk")))
        (message,) = page.messages()
        self.assertIn(NASTY, json.loads(message[1])["message"])
        self.assertIn(NASTY, json.loads(message[2])["fail"])

    def test_a_process_for_each_task(self):
        page, _ = self.page(tasks=b"0\n1\n3\n", command=["sh", "-c", "exit {}"], status=1)
        self.assertEqual(sorted(block[1:] for block in page.blocks()), [(0, 1, "done"), (1, 1, "failed"), (2, 1, "failed")])
        self.assertEqual(sorted(message[1] for message in page.messages()), ["exited with status 1", "exited with status 3"])

    def test_it_can_be_read_when_corral_was_killed(self):
        path = self.path("run.html")
        corral = self.map([1, 2, 3, *[{"sleep": 0.4}] * 200], "-j1", "--timeline", path)
        await_that("blocks", lambda: len(Page(read(path)).data("chunk")) >= 3 if os.path.exists(path) and read(path) else None)
        corral.signal(signal.SIGKILL)
        corral.wait()
        page = Page(read(path))
        self.assertEqual(page.data("end"), [])
        tasks = [block[1] for block in page.blocks()]
        self.assertEqual(tasks, list(range(len(tasks))))
        self.assertGreaterEqual(len(tasks), 3)

    @needs_node
    def test_its_program_shows_what_ran(self):
        self.page(tasks=[*range(300), {"sleep": 0.4}, {"fail": NASTY}, {"kill": 9}], status=1)
        shown = self.shown(self.path("run.html"))
        found = sorted((block["task"], block["attempt"], KINDS[block["kind"]]) for block in shown["blocks"])
        troubles = [(301, 1, "failed"), (302, 1, "retried"), (302, 2, "retried"), (302, 3, "quarantined")]
        self.assertEqual(found, sorted([(i, 1, "done") for i in range(301)] + troubles))
        self.assertTrue(all(count > 0 for count in shown["rectangles"]))
        hover = next(block["hover"] for block in shown["blocks"] if block["task"] == 301)
        self.assertIn(json.dumps(NASTY)[1:-1], hover)
        self.assertIn("tasks 303, 301 done", shown["facts"])
        slept = next(block for block in shown["blocks"] if block["task"] == 300)
        self.assertGreaterEqual(slept["end"] - slept["begin"], 200_000)

    @needs_node
    def test_its_program_shows_a_file_that_was_cut_off_anywhere(self):
        self.page(tasks=[{"fail": NASTY}, 1, 2], status=1)
        whole = read(self.path("run.html"), "rb")
        begin = whole.index(b'<script type="application/json"')
        for cut in range(begin + 40, len(whole), max(1, (len(whole) - begin) // 12)):
            self.write("cut.html", whole[:cut])
            self.assertLessEqual(len(self.shown(self.path("cut.html"))["blocks"]), 3)

    def shown(self, path):
        return json.loads(subprocess.run(["node", PAGE, path], capture_output=True, check=True, timeout=120).stdout)


class Trace(MapTest):
    def test_attempts_and_lives_are_events_of_their_worker(self):
        corral = self.map([*range(100), {"fail": NASTY}, {"kill": 9}], "-j2", "--trace", self.path("run.json"))
        self.finish(corral, 1)
        found = json.loads(read(self.path("run.json")))
        self.assertEqual({event["ph"] for event in found}, {"M", "X", "i"})
        names = {event["tid"]: event["args"]["name"] for event in found if event["name"] == "thread_name"}
        self.assertEqual({tid: name[:8] for tid, name in names.items()}, {0: "worker 0", 1: "worker 1"})
        attempts = [event for event in found if event["ph"] == "X"]
        self.assertTrue(all(event["tid"] in names and event["ts"] >= 0 and event["dur"] >= 0 for event in attempts))
        seen = sorted((event["args"]["task"], event["args"]["attempt"], event["args"]["outcome"]) for event in attempts)
        troubles = [(100, 1, "failed"), (101, 1, "retried"), (101, 2, "retried"), (101, 3, "quarantined")]
        self.assertEqual(seen, sorted([(i, 1, "done") for i in range(100)] + troubles))
        instants = [event["name"] for event in found if event["ph"] == "i"]
        self.assertEqual(instants.count("worker started"), instants.count("worker ended"))
        self.assertEqual(sum("signal 9" in event["args"].get("how", "") for event in found if event["ph"] == "i"), 3)

    def test_each_line_is_whole_when_corral_was_killed(self):
        path = self.path("run.json")
        corral = self.map([1, 2, 3, *[{"sleep": 0.3}] * 200], "-j1", "--trace", path)
        await_that("events", lambda: read(path).count('"ph":"X"') >= 3 if os.path.exists(path) else None)
        corral.signal(signal.SIGKILL)
        corral.wait()
        self.assertGreaterEqual(len([one for one in json.loads(read(path) + "]") if one["ph"] == "X"]), 3)


class Files(MapTest):
    def test_where_there_is_no_room_any_more_the_last_task_of_a_quarantine_is_a_whole_one(self):
        path = self.path("bad")
        corral = self.map(b"".join(b"%d\n" % i for i in range(100, 600)), "-j2", "--retries", "0", "--quarantine", path,
                          command=["sh", "-c", "kill -9 $$", "{}"], preexec_fn=room_for(1001))  # fmt: skip
        self.finish(corral, 1)
        self.assertIn("it is incomplete", corral.err)
        for name, least in ((path, 100), (path + ".stories", 1)):
            lines = read(name).split("\n")
            self.assertEqual(lines.pop(), "", name)
            self.assertGreaterEqual(len(lines), least)
        self.assertEqual({len(line) for line in read(path).splitlines()}, {3})

    def test_a_file_that_cannot_be_written_is_refused_before_anything_begins(self):
        for option in ("--timeline", "--trace", "--quarantine"):
            corral = self.map([{"touch": self.path("begun")}], "-j1", option, self.path("no/such"))
            self.finish(corral, 2)
            self.assertRegex(corral.err, r"^corral: cannot open '.*/no/such' for the \w+: No such file or directory\n$")
            self.assertFalse(os.path.exists(self.path("begun")))

    def test_no_file_is_used_twice(self):
        tasks = self.path("tasks.jsonl")
        for options in (["--timeline", tasks], ["--quarantine", tasks], ["--trace", self.path("a"), "--quarantine", self.path("a")],
                        ["-o", self.path("o"), "--trace", self.path("o")],
                        *(["--state", self.path("s"), option, self.path("s" + more)] for option in ("--timeline", "--trace", "--quarantine")
                          for more in ("", "-wal"))):  # fmt: skip
            corral = self.map([1], "-j1", *options)
            self.finish(corral, 2)
            self.assertIn("name another one", corral.err)
            self.assertEqual(read(tasks), "1\n")

    def test_a_full_disk_is_told_once_and_the_tasks_go_on(self):
        for option in ("--timeline", "--trace"):
            corral = self.map([*range(2000), {"sleep": 0.3}, 1], "-j2", option, "/dev/full")
            self.finish(corral, 0)
            self.assertEqual(len(self.results(corral)), 2002)
            self.assertEqual(len(re.findall(r"No space left on device; it is incomplete, the tasks go on", corral.err)), 1, corral.err)

    def test_what_has_no_room_any_more_in_the_middle_is_cut_off_and_can_be_read(self):
        path = self.path("run.html")
        corral = self.map(range(30_000), "-j2", "--timeline", path, preexec_fn=room_for(100_000))
        self.finish(corral, 0)
        self.assertEqual(len(self.results(corral)), 30_000)
        self.assertEqual(corral.err.count("it is incomplete, the tasks go on"), 1, corral.err)
        self.assertEqual(os.path.getsize(path), 100_000)


if __name__ == "__main__":
    main()
