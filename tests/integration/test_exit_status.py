"""The exit status says what happened: of `run`, of `exec` with one command, of a pool."""

import os
import signal
import subprocess

from harness import CORRAL, ZOO, CorralTest, main, program, zoo


class ExecStatus(CorralTest):
    def test_every_status_of_the_command_is_corrals_own(self):
        for status in [0, 1, 2, 3, 64, 99, 124, 125, 126, 127, 128, 130, 200, 254, 255]:
            with self.subTest(status):
                self.finish(self.start("exec", "--", *zoo(f"exit {status}")), status)

    def test_a_death_by_signal_is_128_and_its_number(self):
        for name in ["HUP", "INT", "QUIT", "ABRT", "KILL", "SEGV", "PIPE", "TERM", "USR1", "XCPU"]:
            with self.subTest(name):
                number = getattr(signal, "SIG" + name)
                self.finish(self.start("exec", "--", *zoo(f"crash {name}")), 128 + number)

    def test_nothing_is_added_to_the_output_of_the_command(self):
        corral = self.start("exec", "--", *zoo("line out + err err + exit 3"))
        self.finish(corral, 3)
        self.assertEqual((corral.out, corral.err), ("out\n", "err\n"))

    def test_127_for_a_command_that_is_not_there(self):
        for command in ["no-such-command-at-all", "/no/such/command"]:
            with self.subTest(command):
                corral = self.start("exec", "--", command)
                self.finish(corral, 127)
                self.assertIn(command, corral.err)

    def test_126_for_a_file_that_cannot_be_executed(self):
        plain = self.write("plain", "not a program\n")
        shebang = self.write("shebang", "#!/no/such/interpreter\n")
        os.chmod(shebang, 0o755)
        empty = self.write("garbage", b"\x01\x02\x03")
        os.chmod(empty, 0o755)
        for path, status, cause in [(plain, 126, "Permission denied|not executable"), (self.folder, 126, "directory|Permission"),
                                    (shebang, 127, "/no/such/interpreter"), (empty, 126, "format")]:  # fmt: skip
            with self.subTest(os.path.basename(path)):
                corral = self.start("exec", "--", path)
                got = self.finish(corral)
                self.assertIn(got, {status, 126}, corral.err)
                self.assertRegex(corral.err, cause)

    def test_a_near_match_is_suggested(self):
        corral = self.start("exec", "--", "pythn3")
        self.finish(corral, 127)
        self.assertIn("python3", corral.err)

    def test_usage(self):
        for words in [["exec"], ["exec", "-n", "0", "--", "true"], ["exec", "--no-such-option", "--", "true"], ["rnu"],
                      ["exec", "--delay", "5", "--", "true"], []]:  # fmt: skip
            with self.subTest(words):
                corral = self.start(*words)
                self.finish(corral, 2)
                self.assertRegex(corral.err, "corral")

    def test_the_terminating_signal_of_the_command_is_its_own(self):
        corral = self.start("exec", "--", *zoo("line up + hang"))
        corral.await_out("up")
        self.stop(corral, 128 + signal.SIGTERM)

    def test_a_command_that_handles_the_signal_returns_its_own_status(self):
        corral = self.start("exec", "--", *zoo("slow-stop 10 5"))
        corral.await_out("ready")
        self.stop(corral, 5)


class PoolStatus(CorralTest):
    def test_all_well(self):
        self.finish(self.start("exec", "-n", "3", "--restart", "never", "--", *zoo("exit 0")), 0)

    def test_one_that_fails_is_1(self):
        self.finish(self.start("exec", "-n", "2", "--restart", "never", "--", *zoo("exit 4")), 1)


class RunStatus(CorralTest):
    def test_0_when_all_have_finished(self):
        corral = self.run_config({"a": "exit 0", "b": program("line x", workers=3)})
        self.finish(corral, 0)

    def test_0_when_stopped_as_asked(self):
        corral = self.run_config({"a": program("line up + hang", workers=2)})
        corral.await_out("up", count=2)
        self.stop(corral, 0)

    def test_1_when_a_program_failed(self):
        corral = self.run_config({"bad": program("exit 7", restart="never"), "good": "exit 0"})
        self.finish(corral, 1)
        self.assertIn("bad/0", corral.err)
        self.assertRegex(corral.err, r"status 7")

    def test_success_codes_are_success(self):
        corral = self.run_config({"a": program("exit 7", restart={"when": "on-failure", "success_codes": [0, 7]})})
        self.finish(corral, 0)

    def test_2_for_a_configuration_that_is_not_there(self):
        corral = self.start("run", self.path("absent.json"))
        self.finish(corral, 2)
        self.assertIn("absent.json", corral.err)

    def test_2_without_any_configuration(self):
        corral = self.start("run", cwd=self.folder)
        self.finish(corral, 2)
        self.assertIn("corral.json", corral.err)

    def test_the_default_configuration_is_in_the_working_directory(self):
        self.configure({"a": "line from-here"})
        corral = self.start("run", cwd=self.folder)
        self.finish(corral, 0)
        self.assertIn("a/0 | from-here\n", corral.out)

    def test_3_when_a_stop_needed_sigkill(self):
        corral = self.run_config({"a": program("ignore TERM + line up + hang", stop={"grace": "50ms"})})
        corral.await_out("up")
        self.stop(corral, 3)
        self.assertRegex(corral.err, "SIGKILL.*grace")

    def test_125_when_no_worker_could_be_started(self):
        path = self.write("vanishing", "#!/no/such/interpreter\n")
        os.chmod(path, 0o755)
        corral = self.run_config({"a": {"command": [path], "restart": "never"}})
        self.finish(corral, 125)
        self.assertIn("/no/such/interpreter", corral.err)

    def test_run_never_reads_stdin(self):
        with subprocess.Popen(["/bin/echo", "text"], stdout=subprocess.PIPE) as echo:
            corral = self.run_config({"a": {"command": ["/bin/cat"]}}, stdin=echo.stdout)
            self.finish(corral, 0)
        self.assertEqual(corral.out, "")

    def test_help_and_version(self):
        for words in [["--version"], ["--help"], ["run", "--help"], ["exec", "--help"], ["check", "--help"], ["schema"]]:
            with self.subTest(words):
                corral = self.start(*words)
                self.finish(corral, 0)
                self.assertIn("corral", corral.out)
                self.assertEqual(corral.err, "")


assert CORRAL and ZOO

if __name__ == "__main__":
    main()
