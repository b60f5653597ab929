"""Completion in the shells themselves, on a terminal, with the names of what runs; and the man page."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time
import unittest

from control import ControlTest
from harness import CEILING, CORRAL, await_that, main, program


class Terminal:
    """A shell with its completion of corral, as somebody who types has it."""

    STARTS = {
        "bash": (["bash", "--norc", "--noprofile", "-i"], "bind 'set bell-style none'; bind 'set show-all-if-ambiguous on'; "
                 "bind 'set enable-bracketed-paste off'; PS1='ready'; source <(corral completion bash)\r"),
        "zsh": (["zsh", "-f", "-i"], "unsetopt beep prompt_sp; autoload -Uz compinit; compinit -D -u; PS1=rea''dy; "
                "source <(corral completion zsh)\r"),
    }  # fmt: skip

    def __init__(self, shell, folder, token):
        words, setup = self.STARTS[shell]
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            variables = {"PATH": folder + ":/usr/bin:/bin", "TERM": "dumb", "HOME": folder, "CORRAL_TEST_TOKEN": token, "LC_ALL": "C"}
            os.chdir(folder)
            os.execvpe(words[0], words, variables)
        self.type(setup, "ready")

    def type(self, keys, pattern):
        """What is on the screen when the pattern is there, after these keys."""
        os.write(self.terminal, keys.encode())
        shown, deadline = "", time.monotonic() + CEILING
        while not re.search(pattern, shown):
            if not select.select([self.terminal], [], [], max(0, deadline - time.monotonic()))[0]:
                raise AssertionError(f"no {pattern!r} after {keys!r}: {shown!r}")
            shown += os.read(self.terminal, 1 << 16).decode(errors="replace")
        return shown

    def forget(self):
        os.write(self.terminal, b"\x15")

    def close(self):
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


class Completion(ControlTest):
    def setUp(self):
        super().setUp()
        os.symlink(CORRAL, self.path("corral"))

    def words(self, *typed):
        return [line.split("\t")[0] for line in self.ask_for("__complete", *typed, whose=[]).out.splitlines()]

    def test_what_the_binary_offers(self):
        corral = self.run_controlled({"crunch": program("hang", workers=2, cores="shared"), "web": "hang"})
        self.await_listening(corral)
        whose = ["--socket", self.socket]
        self.assertEqual(self.words("st"), ["status", "start", "stop"])
        self.assertIn("--version", self.words("--"))
        self.assertEqual(self.words("restart", "--ro"), ["--rolling"])
        self.assertEqual(self.words("restart", *whose, ""), ["crunch", "web", "crunch/0", "crunch/1", "web/0"])
        self.assertEqual(self.words("stop", *whose, "crunch/"), ["crunch/0", "crunch/1"])
        self.assertEqual(self.words("stop", f"--socket={self.socket}", "we"), ["web", "web/0"])
        self.assertEqual(self.words("signal", *whose, "US"), ["USR1", "USR2"])
        self.assertEqual(self.words("signal", *whose, "USR1", "w"), ["web", "web/0"])
        self.assertEqual(self.words("scale", *whose, "cr"), ["crunch="])
        self.assertEqual(self.words("scale", *whose, "crunch", "=", "a"), ["auto"])
        self.assertEqual(self.words("run", "--log-format", ""), ["text", "json"])
        self.assertEqual(self.words("events", *whose, "--event", "worker_s"), ["worker_started", "worker_stopping"])
        self.assertEqual(self.words("events", "-e", "hook_w"), ["hook_works"])
        self.assertEqual(self.words("completion", ""), ["bash", "zsh", "fish"])
        self.assertEqual(self.words("run", "cor"), [])  # A file: that is the shell's.
        self.assertEqual(self.words("exec", "--", "st"), [])
        self.assertEqual(self.words("nonsense", ""), [])
        self.assertEqual(self.words("stop", "--socket", "/no/such", ""), [])
        self.stop(corral, 0)

    def on_terminal(self, shell):
        if shutil.which(shell) is None:
            self.skipTest(f"no {shell} here")
        self.configure({"crunch": program("hang", workers=2, cores="shared"), "web": "hang"})
        corral = self.start("run", self.path("corral.json"))
        corral.await_start("web/0")
        self.await_listening_by_default()
        terminal = Terminal(shell, self.folder, self.token)
        try:
            terminal.type("corral resta\t", "corral restart ")
            terminal.type("crun\t", "crunch")
            terminal.forget()
            terminal.type("corral stop we\t\t", r"web/0")
            terminal.forget()
            terminal.type("corral restart --rol\t", "--rolling ")
            terminal.forget()
            terminal.type("corral check corr\t", "corral")  # Files are the shell's own.
            terminal.forget()
        finally:
            terminal.close()
        corral.signal(signal.SIGTERM)
        self.assertEqual(corral.wait(), 0)  # What a shell has forked may live a moment longer.

    def await_listening_by_default(self):
        await_that("it is found by its file", lambda: self.ask_for("status", whose=[], cwd=self.folder, status=None).status == 0)

    def test_bash(self):
        self.on_terminal("bash")

    def test_zsh(self):
        self.on_terminal("zsh")

    @unittest.skipIf(shutil.which("fish") is None, "no fish here")
    def test_fish(self):
        corral = self.run_controlled({"crunch": "hang"})
        self.await_listening(corral)
        with open(self.path("corral.fish"), "w") as file:
            file.write(self.ask_for("completion", "fish", whose=[]).out)

        def completed(line):
            done = subprocess.run(["fish", "--no-config", "-c", f"source corral.fish; complete -C '{line}'"], cwd=self.folder, text=True,
                                  capture_output=True, timeout=CEILING, env=dict(os.environ, PATH=self.folder + ":/usr/bin:/bin",
                                                                                HOME=self.folder, CORRAL_TEST_TOKEN=self.token))
            return [line.split("\t")[0] for line in done.stdout.splitlines()]

        self.assertEqual(completed("corral resta"), ["restart"])
        self.assertEqual(completed(f"corral stop --socket {self.socket} crunch/"), ["crunch/0"])
        self.assertIn("corral.fish", completed("corral check corral.f"))
        self.stop(corral, 0)

    def test_scripts_are_what_their_shells_understand(self):
        for shell, check in {"bash": ["bash", "-n"], "zsh": ["zsh", "-n"], "fish": ["fish", "--no-execute"]}.items():
            if shutil.which(shell) is None:
                continue
            path = self.write("script", self.ask_for("completion", shell, whose=[]).out)
            self.assertEqual(subprocess.run([*check, path], capture_output=True, timeout=CEILING).returncode, 0, shell)
        self.ask_for("completion", "tcsh", whose=[], status=2)
        self.ask_for("completion", whose=[], status=2)


class Manual(ControlTest):
    def test_it_has_every_command_and_option(self):
        page = self.ask_for("man", whose=[]).out
        commands = [line.split("\t")[0] for line in self.ask_for("__complete", "", whose=[]).out.splitlines()]
        self.assertGreater(len(commands), 12)
        for command in commands:
            self.assertIn(f'.SS "corral {command}"', page)
            for option in self.ask_for("__complete", command, "--", whose=[]).out.splitlines():
                if not option.startswith("--help"):
                    self.assertIn("\\fB" + option.split("\t")[0].replace("-", "\\-") + "\\fR", page, command)

    @unittest.skipIf(shutil.which("mandoc") is None, "no mandoc here")
    def test_mandoc_has_nothing_to_say(self):
        path = self.write("corral.1", self.ask_for("man", whose=[]).out)
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", path], capture_output=True, text=True, timeout=CEILING)
        self.assertEqual(done.stdout.splitlines(), [])
        shown = subprocess.run(["mandoc", "-T", "ascii", path], capture_output=True, text=True, timeout=CEILING).stdout
        self.assertIn("corral exec -- python3 server.py", re.sub(".\b", "", shown))


if __name__ == "__main__":
    main()
