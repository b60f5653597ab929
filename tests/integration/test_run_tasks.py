"""`corral run`: programs with "tasks", whose workers are fed by a map of their own."""

import json
import os
import signal
import subprocess

import unix_http
from harness import CEILING, CORRAL, await_that, children, main
from mapping import WORKER, MapTest


class TaskPrograms(MapTest):
    def fed(self, tasks, **more):
        """A program that is fed with these tasks."""
        path = self.write("tasks.jsonl", "".join(json.dumps(task) + "\n" for task in tasks))
        keys = {name: more.pop(name) for name in ("workers", "command", "environment", "stop") if name in more}
        return {"command": WORKER, "workers": 2, "tasks": {"from": path, "to": self.path("results.jsonl"), **more}, **keys}

    def lines(self):
        try:
            with open(self.path("results.jsonl")) as file:
                return [json.loads(line) for line in file if line.endswith("\n")]
        except FileNotFoundError:
            return []

    def test_it_ends_when_all_tasks_are_done_beside_other_programs(self):
        corral = self.run_config({"crunch": self.fed(range(100)), "other": {"command": ["true"], "restart": "never"}})
        self.finish(corral, 0)
        self.assertEqual({entry["result"] for entry in self.lines()}, set(range(100)))
        self.assertIn("crunch/0 | corral: 100 of 100 tasks done", corral.out + corral.err)

    def test_it_has_failed_if_a_task_has(self):
        corral = self.run_config({"crunch": self.fed([1, {"fail": "no good"}, 3], retry_errors=1)})
        self.finish(corral, 1)
        self.assertEqual([entry["attempts"] for entry in self.lines() if not entry["ok"]], [2])

    def test_placeholders_and_variables_are_those_of_its_own_workers(self):
        script = "while read x; do echo $MODE $0 $1; done"
        program = self.fed([1], workers=1, lines=True, raw=True, environment={"MODE": "mode{index}"},
                           command=["sh", "-c", script, "{index}/{workers}", "{{cores}}"])  # fmt: skip
        self.finish(self.run_config({"crunch": program}), 0)
        with open(self.path("results.jsonl")) as file:
            self.assertEqual(file.read(), "mode0 0/1 {cores}\n")

    def test_with_a_state_the_next_run_goes_on(self):
        tasks = [{"sleep": 0.05}] * 20 + [{"sleep": 0.3}] * 20
        more = {"state": self.path("run.db"), "quarantine": self.path("bad"), "ordered": False}
        corral = self.run_config({"crunch": self.fed(tasks, **more)})
        await_that("results", lambda: len(self.lines()) >= 5)
        corral.signal(signal.SIGTERM)
        self.finish(corral)
        before = len(self.lines())
        self.assertLess(before, 40)
        self.finish(self.run_config({"crunch": self.fed(tasks, **more)}), 0)
        self.assertEqual(sorted(entry["task"] for entry in self.lines()), list(range(40)))

    def test_how_far_it_is_can_be_seen_from_outside(self):
        release = self.path("release")
        os.mkfifo(release)
        # Nine that end at once, one that fails, and one that waits to be let go.
        script = f"while read x; do if [ $x = 10 ]; then read y < {release}; fi; [ $x = 3 ] && exit 1; echo $x; done"
        control = {"socket": self.path("control.sock")}
        program = self.fed(range(11), workers=1, lines=True, raw=True, retries=1, command=["sh", "-c", script])
        corral = self.run_config({"crunch": program, "plain": {"command": ["sleep", "1000"]}}, top={"control": control, "stay": True})

        def look(target, kind=None):
            return unix_http.get(control["socket"], target, **({"Accept": kind} if kind else {}))[2]

        def program_of(name):
            return next(one for one in json.loads(look("/v1/status"))["programs"] if one["program"] == name)

        def counts():
            return (program_of("crunch")["tasks"] or {}) if os.path.exists(control["socket"]) else {}

        tasks = await_that("all but one", lambda: (now := counts()).get("done") == 9 and now["quarantined"] == 1 and now)
        self.assertEqual(tasks, {"accepted": 11, "queued": 0, "in_work": 1, "done": 9, "failed": 0, "quarantined": 1, "left": 0,
                                 "cancelled": 0, "retries": 1})  # fmt: skip
        self.assertIsNone(program_of("plain")["tasks"])
        workers = {one["worker"]: one for one in json.loads(look("/v1/status"))["workers"]}
        self.assertEqual((workers["crunch/0"]["tasks_done"], workers["plain/0"]["tasks_done"]), (9, None))
        metrics = look("/metrics", "application/openmetrics-text").splitlines()
        for line in ('corral_tasks_accepted_total{program="crunch"} 11', 'corral_tasks_queued{program="crunch"} 0',
                     'corral_tasks_in_work{program="crunch"} 1', 'corral_task_retries_total{program="crunch"} 1',
                     'corral_tasks_ended_total{program="crunch",outcome="done"} 9',
                     'corral_tasks_ended_total{program="crunch",outcome="quarantined"} 1',
                     'corral_tasks_ended_total{program="crunch",outcome="failed"} 0'):  # fmt: skip
            self.assertIn(line, metrics)
        self.assertFalse([line for line in metrics if line.startswith("corral_task") and 'program="plain"' in line])
        table = subprocess.run([CORRAL, "status", "--socket", control["socket"]], capture_output=True, text=True, timeout=CEILING).stdout
        self.assertRegex(table, r"WORKER .* TASKS\n")
        self.assertRegex(table, r"crunch/0 .* 9, [0-9.]+/s\n")
        self.assertRegex(table, r"plain/0 .* -\n")
        # The map's own workers have nothing of it.
        [child] = [pid for pid in children(corral.pids("crunch/0")[-1]) if self.runs_the_script(pid)]
        with open(f"/proc/{child}/environ") as file:
            self.assertNotIn("CORRAL_COUNTS_FD", file.read())
        self.assertFalse([name for name in os.listdir(f"/proc/{child}/fd") if "counts" in os.readlink(f"/proc/{child}/fd/{name}")])
        with open(release, "w") as file:
            file.write("go\n")
        await_that("all are done", lambda: counts().get("done") == 10)
        await_that("it has ended", lambda: program_of("crunch")["state"] in ("exited", "failed"))
        self.assertEqual(counts()["done"], 10)  # And what it has counted stays to be seen.
        self.stop(corral, None)

    def runs_the_script(self, pid):
        try:
            with open(f"/proc/{pid}/cmdline") as file:
                return file.read().startswith("sh\0-c")
        except OSError:
            return False

    def test_files_and_variables_may_begin_with_a_dash(self):
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)
        self.write("-", "1\n2\n")
        for name in ("-", "--lines"):
            os.replace("-", name) if name != "-" else None
            keys = {"from": name, "to": "-o", "state": f"--state{len(name)}", "lines": True, "raw": True}
            program = {"command": ["sh", "-c", "while read x; do echo $x $MODE; done"], "workers": 1, "tasks": keys,
                       "environment": {"MODE": "--raw=[1, 2]"}}  # fmt: skip
            if os.path.exists("-o"):
                os.remove("-o")
            self.finish(self.run_config({"crunch": program}), 0)
            with open("-o") as file:
                self.assertEqual(file.read(), "1 --raw=[1, 2]\n2 --raw=[1, 2]\n")

    def test_all_that_map_has_can_be_said(self):
        keys = {"raw": True, "tag": True, "shuf": True, "timeout": "100000%", "max_memory": "1GiB", "max_age": "1h", "max_tasks": 50,
                "timeline": self.path("run.html"), "trace": self.path("run.json")}  # fmt: skip
        self.finish(self.run_config({"crunch": self.fed(range(200), **keys)}), 0)
        with open(self.path("results.jsonl")) as file:
            lines = file.read().splitlines()
        self.assertEqual(sorted(lines), sorted(f"{n}\t{n}" for n in range(200)))
        self.assertNotEqual([int(line.split("\t")[0]) for line in lines], list(range(200)))
        with open(self.path("run.json")) as file:
            self.assertGreater(len(json.load(file)), 200)
        self.assertTrue(os.path.getsize(self.path("run.html")) > 1000)

    def test_a_timeout_may_be_a_share_of_the_median(self):
        program = self.fed([{"sleep": 0.01}] * 20 + [{"sleep": 600}], timeout="2000%", workers=1)
        self.finish(self.run_config({"crunch": program}), 1)
        self.assertEqual([entry["error"]["type"] for entry in self.lines() if not entry["ok"]], ["Timeout"])

    def test_a_stop_is_a_stop(self):
        corral = self.run_config({"crunch": self.fed([{"sleep": 0.05}] * 20 + [{"sleep": 600}] * 4)})
        await_that("results", lambda: len(self.lines()) >= 20)
        corral.signal(signal.SIGTERM)
        self.finish(corral)
        self.assertEqual(len(self.lines()), 20)

    def test_one_that_is_killed_takes_its_workers_along(self):
        corral = self.run_config({"crunch": self.fed([{"sleep": 600}] * 4)})
        corral.await_start("crunch/0")
        os.kill(corral.pids("crunch/0")[-1], signal.SIGKILL)
        self.finish(corral, 1)

    def test_mistakes_have_their_places(self):
        program = self.fed([1])
        program["restart"] = "always"
        program["tasks"]["halt"] = "soon,fail=0"
        program["tasks"]["form"] = program["tasks"].pop("from")
        corral = self.run_config({"crunch": program})
        self.finish(corral, 2)
        for words in ("/programs/crunch/tasks/halt: expected", 'unknown key "form"', 'did you mean "from"?'):
            self.assertIn(words, corral.err)
        program = self.fed([1])
        program["restart"] = "always"
        corral = self.run_config({"crunch": program})
        self.finish(corral, 2)
        self.assertIn('"restart" means nothing beside "tasks"', corral.err)
        each = self.fed([1], command=["true", "{}"], max_tasks=3, max_memory="1GiB", max_age="1h", lines=True)
        tagged = self.fed([1], tag=True, shuf=True, ordered=True)
        corral = self.run_config({"each": each, "tagged": tagged})
        self.finish(corral, 2)
        for key in ("max_tasks", "max_memory", "max_age", "lines"):
            self.assertIn(f"/programs/each/tasks/{key}: \"{key}\"", corral.err)
        for key in ("tag", "shuf"):
            self.assertIn(f"/programs/tagged/tasks/{key}: \"{key}\"", corral.err)

    def test_files_that_would_be_written_over_are_told_before_anything_starts(self):
        one, other = self.fed([1]), self.fed([1], state=self.path("./results.jsonl"))
        corral = self.start("check", self.write("corral.json", {"programs": {"one": one, "other": other}}))
        self.finish(corral, 2)
        self.assertRegex(corral.err, 'programs/other/tasks/to: .*is "to" of one too')
        self.assertRegex(corral.err, 'programs/other/tasks/state: .*is "to" of one too')
        one["tasks"]["to"] = one["tasks"]["from"]
        corral = self.start("run", self.write("corral.json", {"programs": {"one": one}}))
        self.finish(corral, 2)
        self.assertRegex(corral.err, 'programs/one/tasks/to: .*is "from" of one too')
        for key in ("to", "timeline"):
            one["tasks"][key] = other["tasks"][key] = "/dev/null"
        del other["tasks"]["state"]
        self.finish(self.start("check", self.write("corral.json", {"programs": {"one": one, "other": other}})), 0)

    def test_tasks_that_cannot_be_read_are_told_before_anything_starts(self):
        self.write("tasks.jsonl", "1\n")
        program = self.fed([1])
        program["tasks"]["from"] = self.path("task.jsonl")
        for command in ("check", "run"):
            corral = self.start(command, self.write("corral.json", {"programs": {"crunch": program}}))
            self.finish(corral, 2)
            for words in ("/programs/crunch/tasks/from: cannot read tasks from", "No such file", 'did you mean "', '/tasks.jsonl"?'):
                self.assertIn(words, corral.err)


if __name__ == "__main__":
    main()
