"""Bad input gets a sentence that names the file, the place, the cause and the way out; nothing is started."""

import json
import os
import re
import subprocess
import time

from harness import CORRAL, ZOO, CorralTest, as_root, main, program, zoo


class BadInput(CorralTest):
    def refused(self, content, *patterns, name="corral.json", at=None):
        """Both `run` and `check` refuse it with status 2 and say why; neither starts a worker."""
        path = self.write(name, content) if content is not None else name
        for command in ("run", "check"):
            corral = self.start(command, path)
            self.assertEqual(self.finish(corral), 2, corral.err)
            self.assertNotIn("started", corral.err)
            for pattern in (re.escape(path), *patterns):
                self.assertRegex(corral.err, pattern)
            if at is not None:
                self.assertIn(f"{path}:{at}: ", corral.err)
        done = subprocess.run([CORRAL, "check", "--json", path], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 2)
        answer = json.loads(done.stdout)
        self.assertTrue(answer)
        return corral.err

    def program(self, **keys):
        return {"programs": {"a": {"command": zoo(f"note {self.path('started')}"), **keys}}}

    def tearDown(self):
        self.assertFalse(os.path.exists(self.path("started")), "something was started")
        super().tearDown()

    def test_no_such_command(self):
        said = self.refused(self.program(command=["pythn3", "x.py"]), "pythn3", "/programs/a/command", "did you mean.*python3")
        self.assertIn("^", said)

    def test_no_such_script(self):
        self.write("worker.py", "")
        self.refused(self.program(command=["python3", self.path("workr.py"), "x"]), "there is no file .*workr.py' for python3 to run",
                     "/programs/a/command/1", "did you mean \".*/worker.py\"")  # fmt: skip
        self.refused(self.program(command=["/usr/bin/python3.11", "nosuch.py"], directory=self.path(".")), "no file .*nosuch.py'")
        for command in (["python3", "-m", "nosuch"], ["python3", "{index}.py"], ["sh", "nosuch"], ["python3", self.path("worker.py")]):
            with self.subTest(command):
                corral = self.start("check", self.write("corral.json", self.program(command=command)))
                self.finish(corral, 0)

    def test_a_long_path_is_counted_and_not_pasted(self):
        path = self.write("corral.json", self.program(command=["no-such-command"]))
        folders = ":".join(f"/opt/some/long/folder/{n}" for n in range(50))
        corral = self.start("check", path, environment={"PATH": folders})
        self.finish(corral, 2)
        self.assertIn("there is no command 'no-such-command' in any of the 50 folders of PATH\n", corral.err)
        corral = self.start("check", path, environment={"PATH": "/bin:/opt"})
        self.finish(corral, 2)
        self.assertIn("there is no command 'no-such-command' in PATH (/bin:/opt)\n", corral.err)

    def test_no_such_file_as_command(self):
        self.refused(self.program(command=["/no/such/tool"]), "/no/such/tool", "No such file")

    def test_a_command_that_is_not_executable(self):
        self.refused(self.program(command=[self.write("plain", "x")]), "Permission denied|not executable")

    def test_a_directory_that_is_gone(self):
        self.refused(self.program(directory="/no/such/folder"), "/programs/a/directory", "/no/such/folder")
        self.refused(self.program(directory=ZOO), "/programs/a/directory", "there is no directory.*something else")

    @as_root
    def test_no_such_user(self):
        self.refused(self.program(user="0day"), "0day", "/programs/a/user")
        self.refused(self.program(user="nobdy"), "nobdy")
        self.refused(self.program(group="no-such-group"), "no-such-group")

    def test_an_unknown_key(self):
        self.refused(self.program(restrat="always"), "restrat", "did you mean.*restart")

    def test_a_wrong_unit(self):
        self.refused(self.program(stop={"grace": "10 sekunden"}), "/programs/a/stop/grace", "10 sekunden")
        self.refused(self.program(stop={"grace": 10}), "/programs/a/stop/grace", "string|duration")
        self.refused(self.program(limits={"as": "64Mib"}), "64Mib")

    def test_more_cores_than_there_are(self):
        self.refused(self.program(cores="4000-4001"), "/programs/a/cores", "4000")
        self.refused(self.program(cores={"per_worker": 5000}), "5000|cores")

    def test_an_absent_file(self):
        self.refused(None, "No such file", name=self.path("absent.json"))

    def test_an_unreadable_file(self):
        path = self.write("secret.json", "{}")
        os.chmod(path, 0)
        if os.geteuid() == 0:
            os.chmod(self.folder, 0o755)
            done = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", CORRAL, "check", path], capture_output=True, text=True)
        else:
            done = subprocess.run([CORRAL, "check", path], capture_output=True, text=True)
        if "cannot execute" in done.stderr or "setpriv: failed" in done.stderr:
            self.skipTest("the binary itself cannot be reached by another user")
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, "secret.json.*Permission denied")

    def test_an_empty_file(self):
        self.refused("", "empty")
        self.refused("  \n ", "holds nothing")

    def test_a_directory(self):
        self.refused(None, "directory", name=self.folder)

    def test_a_fifo_and_a_device_end_at_once(self):
        fifo = self.path("fifo")
        os.mkfifo(fifo)
        for path in (fifo, "/dev/zero", "/dev/tty"):
            begin = time.monotonic()
            self.refused(None, "regular file|not a file", name=path)
            self.assertLess(time.monotonic() - begin, 30)

    def test_a_hundred_megabytes(self):
        path = self.path("big.json")
        with open(path, "wb") as file:
            file.write(b'{"programs": {}}')
            file.truncate(100_000_000)
        self.refused(None, "[Bb]ytes|MiB|large|big", name=path)

    def test_a_binary_file_fills_no_screen(self):
        said = self.refused(None, "NUL byte|UTF-8", name="/bin/true")
        self.assertLess(max(map(len, said.splitlines())), 200)
        self.assertNotRegex(said, r"[^\n\x20-\U0010ffff]")

    def test_a_depth_bomb(self):
        self.refused("[" * 100_000, "deep|depth|nest")
        self.refused('{"programs":' * 50_000, "deep|depth|nest")

    def test_duplicate_keys(self):
        self.refused('{"programs": {"a": {"command": ["true"]}, "a": {"command": ["true"]}}}', '"?a"?', "twice|duplicate|already")

    def test_invalid_utf8(self):
        self.refused(b'{"programs": {"a": {"command": ["\xff\xfe"]}}}', "UTF-8", at="1:34")

    def test_nul(self):
        self.refused('{"programs": {"a": {"command": ["tr\\u0000ue"]}}}', "NUL|\\\\u0000")
        self.refused(b'{"programs": \0 {}}', "1:14")

    def test_a_byte_order_mark(self):
        self.refused(b'\xef\xbb\xbf{"programs": {"a": {"command": ["true"]}}}', "byte order mark|BOM")

    def test_numbers_out_of_range(self):
        for number in ("-1", "0", "100001", "1e400", "1e5000", "18446744073709551617", "1.5", "NaN", "Infinity", '"many"', "null", "true"):
            with self.subTest(number):
                text = '{"programs": {"a": {"command": ["true"], "workers": ' + number + "}}}"
                self.refused(text, "workers|NaN|Infinity|number|1e400|1e5000")

    def test_an_argument_that_no_exec_takes(self):
        self.refused(self.program(command=[ZOO, "x" * 131_072]), "/programs/a/command/1", "131072|131071")

    def test_no_programs(self):
        self.refused({"programs": {}}, "/programs")
        self.refused({}, "programs")
        self.refused("[]", "object")
        self.refused("7", "object")

    def test_an_unset_variable(self):
        self.refused(self.program(environment={"X": "${NO_SUCH_VARIABLE}"}), "NO_SUCH_VARIABLE", ":-")

    def test_trailing_text(self):
        self.refused('{"programs": {"a": {"command": ["true"]}}} x', "1:44")

    def test_all_at_once(self):
        text = """{
  "programs": {
    "crunch": {
      "command": ["true"],
      "restart": "on-failur",
      "workers": "all",
      "stop": {"signal": "TERN"},
      "no_such_key": 1
    },
    "../bad name": {"command": []}
  }
}"""
        said = self.refused(text, '5:18: at /programs/crunch/restart: ', 'did you mean.*on-failure', "6:18: at /programs/crunch/workers",
                            "7:26: at /programs/crunch/stop/signal", "TERM", "no_such_key", "bad name")  # fmt: skip
        self.assertGreaterEqual(said.count("^"), 6)

    def test_one_bad_program_starts_none_of_the_good_ones(self):
        self.refused({"programs": {"good": program(f"note {self.path('started')}"), "bad": {"command": ["/no/such/tool"]}}}, "/no/such/tool")

    @as_root
    def test_a_file_that_others_may_write(self):
        path = self.write("open.json", self.program())
        os.chmod(path, 0o666)
        corral = self.start("run", path)
        self.finish(corral, 2)
        self.assertRegex(corral.err, "writ(e|able)")


class Check(CorralTest):
    def test_the_plan_as_json(self):
        path = self.configure({"a": program("hang", workers=3, cores="shared"), "b": program("hang", restart="never")})
        done = subprocess.run([CORRAL, "check", "--json", path], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        plan = json.loads(done.stdout)
        self.assertEqual([entry["name"] for entry in plan["programs"]], ["a", "b"])

    def test_it_starts_nothing(self):
        path = self.configure({"a": f"note {self.path('started')}"})
        corral = self.start("check", path)
        self.finish(corral, 0)
        self.assertFalse(os.path.exists(self.path("started")))

    def test_an_output_that_cannot_be_written_is_said_and_fails(self):
        good = self.configure({"a": program("hang")})
        for words in (["schema"], ["schema", "--reference"], ["check", good], ["check", "--json", good], ["--help"], ["run", "--help"]):
            with self.subTest(words), open("/dev/full", "w") as full:
                corral = self.start(*words, stdout=full)
                self.finish(corral, 2)
                self.assertIn("cannot write to stdout: No space left", corral.err)

    def test_without_a_stderr_nothing_aborts(self):
        with open("/dev/full", "w") as full:
            for words in (["check", "missing"], ["run", "missing"], ["nonsense"], []):
                with self.subTest(words):
                    self.finish(self.start(*words, stderr=full), 2)

    def test_an_empty_name_is_not_the_default(self):
        for command in ("run", "check"):
            corral = self.start(command, "")
            self.finish(corral, 2)
            self.assertIn("empty name", corral.err)

    def test_what_is_no_command(self):
        for words, said in ((["--bogus"], "no option '--bogus'"), ([], "a command is required"), (["rnu"], "did you mean 'run'")):
            with self.subTest(words):
                corral = self.start(*words)
                self.finish(corral, 2)
                self.assertIn(said, corral.err)

    def test_what_is_no_option(self):
        for words, said in (
            (["run", "--quite"], "there is no option '--quite'; did you mean '--quiet'?"),
            (["status", "--jsno"], "'--jsno'; did you mean '--json'?"),
            (["stop", "--no-wiat"], "'--no-wiat'; did you mean '--no-wait'?"),
            (["reload", "--no-rolback"], "'--no-rolback'; did you mean '--no-rollback'?"),
            (["map", "--retires=3", "--", "true"], "'--retires=3'; did you mean '--retries'?"),
            (["exec", "--wrokers=2", "--", "true"], "'--wrokers=2'; did you mean '--workers'?"),
            (["logs", "--folow"], "'--folow'; did you mean '--follow'?"),
            (["top", "--intervall", "1s"], "'--intervall'; did you mean '--interval'?"),
            (["events", "--zzzzz"], "there is no option '--zzzzz'\n"),
            (["check", "-z"], "there is no option '-z'\n"),
            (["schema", "more", "words"], "'more' is one word too many"),
        ):
            with self.subTest(words):
                corral = self.start(*words)
                self.finish(corral, 2)
                self.assertIn(said, corral.err)
                self.assertIn(f"See: corral {words[0]} --help", corral.err)

    def test_map_without_dashes(self):
        for words, said in (
            (["tasks.jsonl", "python3", "worker.py"], "corral map tasks.jsonl -- python3 worker.py"),
            (["--lines", "tasks.jsonl", "sed", "s/a b/c/"], "corral map --lines tasks.jsonl -- sed 's/a b/c/'"),
        ):
            corral = self.start("map", *words)
            self.finish(corral, 2)
            self.assertIn(f"corral: put -- before the command: {said}\n", corral.err)

    def test_values_that_commands_refuse_themselves(self):
        for words, said in (
            (["signal", "FOO", "a"], "there is no signal 'FOO'"),
            (["signal", "99", "a"], "there is no signal '99'"),
            (["reload", "--rollback", "--no-rollback"], "--rollback excludes --no-rollback"),
            (["scale", "a/0=3"], "'a/0' names a worker"),
            (["scale", "x y=2"], "'x y' is no name of a program"),
            (["restart", "a", "--parallel", "2"], "--parallel requires --rolling"),
            (["restart", "a", "--pause", "1s"], "--pause requires --rolling"),
        ):
            with self.subTest(words):
                corral = self.start(*words)
                self.finish(corral, 2)
                self.assertIn(said, corral.err)

    def test_schema_is_json(self):
        done = subprocess.run([CORRAL, "schema"], capture_output=True, text=True, timeout=60)
        self.assertEqual(json.loads(done.stdout)["type"], "object")


if __name__ == "__main__":
    main()
