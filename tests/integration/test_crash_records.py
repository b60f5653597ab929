"""Each abnormal end leaves one record, and a folder that cannot be written delays nobody."""

import json
import os
import signal
import sys
import unittest

from harness import QUICK, CorralTest, await_that, main, program, read, sanitized

LIMITED = {"when": "on-failure", "delay": "1ms", "max_delay": "1ms", "limit": {"restarts": 1, "within": "1h"}}


# A sanitizer's shadow of the supervisor has to fit beside the worker.
MEMORY = (512 if sanitized else 48) << 20


def memory_cgroup():
    """A cgroup (v1 or v2) of our own with MEMORY bytes, and where processes are put; nothing where none can be made."""
    for line in read("/proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        root, limit = ("/sys/fs/cgroup", "memory.max") if not controllers else ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
        if controllers not in ("", "memory"):
            continue
        for parent in (root + path, root):
            folder = os.path.join(parent, f"corral-test-{os.getpid()}")
            try:
                os.mkdir(folder)
            except OSError:
                continue
            try:
                with open(os.path.join(folder, limit), "w") as file:
                    file.write(str(MEMORY))
                return folder
            except OSError:
                os.rmdir(folder)
    return None


class Records(CorralTest):
    def recorded(self, programs, *flags, keep=100, folder="crashes", **options):
        return self.run_config(programs, *flags, top={"crashes": {"folder": self.path(folder), "keep": keep}}, **options)

    def records(self, folder="crashes"):
        folder = self.path(folder)
        self.assertTrue(all(name.startswith("crash-") and name.endswith(".json") for name in os.listdir(folder)), os.listdir(folder))
        return [json.loads(read(os.path.join(folder, name))) for name in sorted(os.listdir(folder))]

    def test_a_segmentation_fault_an_exit_and_a_launch_that_fails(self):
        path = self.write("script", "#!/no/such/interpreter\n")
        os.chmod(path, 0o755)
        corral = self.recorded({
            "segv": program("err one + err two + crash SEGV", restart=LIMITED),
            "three": program("exit 3", restart="never"),
            "launch": {"command": [path], "restart": "never"},
            "fine": program("exit 0"),
            "asked": program("exit 9", restart={"when": "on-failure", "success_codes": [9]}),
        })  # fmt: skip
        self.finish(corral, 1)
        found = {}
        for record in self.records():
            found.setdefault(record["program"], []).append(record)
        self.assertEqual({name: len(records) for name, records in found.items()}, {"segv": 2, "three": 1, "launch": 1})
        first, second = found["segv"]
        self.assertEqual((first["signal_name"], first["worker"], first["incarnation"]), ("SIGSEGV", "segv/0", 1))
        self.assertRegex(first["cause"], "killed by signal 11")
        self.assertEqual(first["stderr"], ["one", "two"])
        self.assertEqual((first["next"], first["restart"]), ("restart", 1))
        self.assertRegex(first["next_start"], r"^\d{4}-")
        self.assertGreater(first["max_rss_bytes"], 0)
        self.assertEqual((second["next"], second["next_start"]), ("program_failed", None))
        self.assertEqual((found["three"][0]["exit_status"], found["three"][0]["next"]), (3, "not_restarted"))
        self.assertRegex(found["launch"][0]["cause"], "cannot execute")

    def test_a_stop_is_no_crash_but_a_fault_in_it_is(self):
        fault = [sys.executable, "-c", "import os, signal, time\n"
                 "signal.signal(signal.SIGTERM, lambda *_: os.abort())\nprint('up', flush=True)\ntime.sleep(1000)"]  # fmt: skip
        corral = self.recorded({"fine": "line up + hang", "fault": {"command": fault}})
        corral.await_out("fine/0 . up")
        corral.await_out("fault/0 . up")
        self.stop(corral, 0)
        self.assertEqual([(record["worker"], record["signal_name"]) for record in self.records()], [("fault/0", "SIGABRT")])

    def test_the_last_fifty_lines_and_not_too_many_bytes(self):
        lines = "import sys\nfor i in range(1000): print('line', i, file=sys.stderr)\nsys.exit(1)"
        long = "import sys\nfor i in range(100): print('x' * 1000, file=sys.stderr)\nsys.exit(1)"
        corral = self.recorded({name: {"command": [sys.executable, "-c", text], "restart": "never"}
                                for name, text in (("lines", lines), ("long", long))})  # fmt: skip
        self.finish(corral, 1)
        by_program = {record["program"]: record["stderr"] for record in self.records()}
        self.assertEqual(by_program["lines"], [f"line {i}" for i in range(950, 1000)])
        self.assertTrue(1 <= len(by_program["long"]) <= 8)

    def test_bytes_that_are_no_text_make_no_bad_json(self):
        nasty = [sys.executable, "-c", r"import sys; sys.stderr.buffer.write(b'\x1b]0;a\x07\xff\x00\"\\'); sys.exit(1)"]
        corral = self.recorded({"a": {"command": nasty, "restart": "never"}})
        self.finish(corral, 1)
        self.assertEqual(self.records()[0]["stderr"], ["\x1b]0;a\x07�\0\"\\"])

    def test_no_more_than_keep_the_oldest_go(self):
        corral = self.recorded({"a": program("exit 1", restart={**QUICK, "when": "always"})}, keep=5)
        corral.await_start("a/0", incarnation=30)
        self.stop(corral, 0)
        incarnations = [record["incarnation"] for record in self.records()]
        self.assertEqual(len(incarnations), 5)
        self.assertGreaterEqual(incarnations[0], 25)
        self.assertEqual(incarnations, sorted(incarnations))

    def test_a_folder_that_cannot_be_written_is_told_once_and_delays_nobody(self):
        self.write("in-the-way", "a file")
        corral = self.recorded({"a": program("exit 1", restart={**QUICK, "when": "always"})}, folder="in-the-way/crashes")
        corral.await_start("a/0", incarnation=50)
        corral.await_err("^corral: no crash record can be written, the latest are kept in memory: cannot open the folder ")
        self.stop(corral, 0)
        self.assertEqual(corral.err.count("no crash record"), 1)

    @unittest.skipUnless(os.geteuid() == 0, "needs root to mount")
    def test_a_read_only_folder(self):
        mount = f'mount -t tmpfs -o ro tmpfs "{self.folder}/crashes" && exec "$@"'
        os.mkdir(self.path("crashes"))
        corral = self.recorded({"a": program("exit 1", restart="never")}, wrapper=["unshare", "-m", "sh", "-c", mount, "sh"])
        self.finish(corral, 1)
        if "unshare" in corral.err or "mount:" in corral.err:
            self.skipTest(corral.err)
        self.assertRegex(corral.err, "no crash record can be written.*Read-only file system")

    def test_a_reload_moves_them(self):
        corral = self.recorded({"a": "line up + hang"}, folder="one")
        corral.await_out("up")
        self.configure({"a": program("exit 4", restart="never"), "b": "hang"}, {"crashes": {"folder": self.path("two")}})
        corral.signal(signal.SIGHUP)
        await_that("it is there", lambda: os.path.isdir(self.path("two")) and os.listdir(self.path("two")))
        self.stop(corral, 1)
        self.assertFalse(os.path.exists(self.path("one")))
        self.assertEqual(self.records("two")[0]["exit_status"], 4)

    def test_the_task_that_it_was_at(self):
        self.write("tasks", "1\n2\nboom\n4\n")
        worker = ("import sys, os\nfor line in sys.stdin:\n    if 'boom' in line:\n        print('at', line, file=sys.stderr, flush=True)\n"
                  "        os.abort()\n    print(line, end='', flush=True)")  # fmt: skip
        for words in (["map", "--crashes", self.path("crashes"), "--keep-crashes", "1", "--retries", "1", "--workers", "1",
                       "--lines", self.path("tasks"), "--", sys.executable, "-c", worker],
                      ["run", self.configure({"p": {"command": [sys.executable, "-c", worker], "workers": 1, "tasks": {
                          "from": self.path("tasks"), "to": self.path("results"), "lines": True, "retries": 1}}},
                          {"crashes": {"folder": self.path("crashes"), "keep": 2}})]):  # fmt: skip
            with self.subTest(words[0]):
                self.finish(self.start(*words), 1)
                record = next(record for record in reversed(self.records()) if record.get("signal_name"))
                self.assertEqual((record["task"], record["signal_name"]), (2, "SIGABRT"))
                self.assertIn("at boom", record["stderr"])
        self.assertEqual(len(self.records()), 2)

    def test_out_of_memory_is_told_with_its_evidence(self):
        cgroup = memory_cgroup()
        if cgroup is None:
            self.skipTest("no memory cgroup can be made here")
        self.addCleanup(lambda: await_that("the cgroup is empty", lambda: self.removed(cgroup)))
        hungry = ("import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\nprint('up', flush=True)\n"
                  "signal.sigwait([signal.SIGUSR1])\nkept = []\nwhile True: kept.append(bytearray(1 << 20))")  # fmt: skip
        corral = self.recorded({"hungry": {"command": [sys.executable, "-c", hungry], "restart": "never"}},
                               wrapper=["sh", "-c", f'echo $$ > "{cgroup}/cgroup.procs" && exec "$@"', "sh"])  # fmt: skip
        corral.await_out("up")
        corral.await_start("hungry/0")
        corral.signal(signal.SIGUSR1)
        self.finish(corral, 1)
        record = self.records()[0]
        self.assertTrue(record["out_of_memory"], record)
        self.assertIn("out of memory", record["cause"])
        self.assertGreaterEqual(record["oom"]["kills"], 1)
        self.assertIn(os.path.basename(cgroup), record["oom"]["source"])
        self.assertEqual(record["oom"]["limit_bytes"], MEMORY)
        self.assertGreater(record["oom"]["peak_bytes"], 10 << 20)

    @staticmethod
    def removed(cgroup):
        try:
            os.rmdir(cgroup)
        except OSError:
            return not os.path.exists(cgroup)
        return True


if __name__ == "__main__":
    main()
