"""Limits that are too tight: corral works, or says in a sentence what it lacks and what to do; it never aborts."""

import os
import re
import resource
import signal
import subprocess
import unittest

from harness import CORRAL, CorralTest, main, program, read, sanitized

MIB = 1 << 20


class Limits(CorralTest):
    def commands(self):
        """Each with the statuses that its contract allows: done; no worker could be started or configuration."""
        path = self.write("corral.json", {"programs": {"a": {"command": ["/bin/true"], "restart": "never"}}})
        two = self.write("two.json", {"programs": {"a": {"command": ["/bin/true"], "workers": 2, "restart": "never"}}})
        return [
            (["run", path], {0, 2, 125}),
            (["run", two], {0, 1, 2, 125}),
            (["exec", "--", "/bin/true"], {0, 125}),
            (["exec", "-n", "2", "--restart", "never", "--", "/bin/true"], {0, 1, 125}),
            (["exec", "--restart", "never", "--", "true"], {0, 125}),
            (["check", path], {0, 2}),
            (["check", "--json", two], {0, 2}),
            (["schema"], {0, 2}),
            (["--help"], {0, 2}),
            (["exec", "--help"], {0, 2, 125}),
        ]

    def under(self, limit, value, words, allowed):
        wrapper = ["prlimit", f"--{limit}={value}"]
        done = subprocess.run([*wrapper, CORRAL, *words], capture_output=True, text=True, timeout=60)
        said = f"{limit} {value}: {words[0]}: {done.returncode}\n{done.stderr}"
        self.assertIn(done.returncode, allowed, said)
        self.assertNotRegex(done.stderr, "terminate|what\\(\\)|internal error|\\[system:", said)
        if done.returncode in {2, 125}:
            self.assertRegex(done.stderr + done.stdout, '(?m)^(corral: |/| +"message": ).*: .', said)
        return done

    def test_any_number_of_open_files(self):
        for limit in range(12 if sanitized else 0, 21):  # A sanitizer opens files of its own.
            for words, allowed in self.commands():
                with self.subTest(limit=limit, words=words):
                    self.under("nofile", limit, words, allowed)

    @unittest.skipIf(sanitized, "a sanitizer opens files of its own")
    def test_too_few_open_files_are_named_with_the_way_out(self):
        for words, allowed in self.commands()[:4]:
            said = self.under("nofile", 4, words, allowed - {0}).stderr
            self.assertEqual(said.count("\n"), 1 + ("check" in words), said)
            self.assertRegex(said, "Too many open files.*ulimit -n")

    def test_more_workers_than_open_files_are_refused_where_they_are_configured(self):
        path = self.write("many.json", {"programs": {"a": {"command": ["/bin/true"], "workers": 100, "cores": "shared", "restart": "never"}}})
        for words in (["check", path], ["run", path]):
            said = self.under("nofile", 150, words, {2}).stderr
            self.assertIn("at /programs/a/workers: so many workers need 200 open files for what they write, and this process may have 150", said)
            self.assertIn('or "log": {"to": null}', said)
        self.under("nofile", 300, ["run", path], {0})
        quiet = {"command": ["/bin/true"], "workers": 150, "cores": "shared", "log": {"to": None}}
        both = self.write("both.json", {"programs": {"a": quiet, "b": {"command": ["/bin/true"], "workers": 100, "cores": "shared"}}})
        self.assertIn("at /programs/b/workers: ", self.under("nofile", 150, ["check", both], {2}).stderr)  # Whose pipes they are.
        path = self.write("null.json", {"programs": {"a": {"command": ["/bin/true"], "workers": 100, "cores": "shared", "log": {"to": None}}}})
        self.under("nofile", 150, ["check", path], {0})  # As it was advised.

    @unittest.skipIf(sanitized, "a sanitizer needs terabytes of address space")
    def test_any_amount_of_memory(self):
        def comes_to_main(amount):
            done = subprocess.run(["prlimit", f"--as={amount}", CORRAL, "--version"], capture_output=True, timeout=60)
            return done.returncode in {0, 2}

        least = next(amount for amount in range(MIB, 64 * MIB, MIB // 16) if comes_to_main(amount))
        for amount in [*range(least, least + 2 * MIB, MIB // 8), *range(least + 2 * MIB, 40 * MIB, 4 * MIB)]:
            for words, allowed in self.commands():
                # Some ran before it ran out; and what the command makes of so little is its own affair.
                more = {"run": {1}, "exec": {1, 127, 128 + signal.SIGSEGV}}.get(words[0], set())
                with self.subTest(amount=amount, words=words):
                    self.under("as", amount, words, allowed | more)

    @unittest.skipIf(sanitized, "a sanitizer needs terabytes of address space")
    def test_memory_that_runs_out_ends_everything_with_a_sentence(self):
        # Nobody reads stdout, so that the worker's lines pile up where there is no room for them: once they are told to come.
        reader, writer = os.pipe()
        gate = self.path("gate")
        os.mkfifo(gate)
        waits = {"command": ["sh", "-c", f"echo ready >&2; read word <{gate}; yes 'a line that is not all too short'"]}
        corral = self.run_config({"a": waits, "b": program("fork-bomb-light 3 setsid + err forked + hang")}, stdout=writer)
        os.close(writer)
        corral.await_err("ready")
        corral.await_err("forked")
        now = int(re.search(r"VmSize:\s+(\d+) kB", read(f"/proc/{corral.pid}/status")).group(1)) * 1024
        resource.prlimit(corral.pid, resource.RLIMIT_AS, (now, now))
        with open(gate, "w") as file:
            file.write("go\n")
        self.finish(corral, 1)
        os.close(reader)
        self.assertRegex(corral.err, "(?m)^corral: cannot go on: Cannot allocate memory; allow it more memory")


class Statuses(CorralTest):
    def test_1_when_some_ran_before_descriptors_ran_out(self):
        def lower():
            resource.setrlimit(resource.RLIMIT_NOFILE, (210, 210))  # Enough for their pipes alone.

        corral = self.run_config({"a": program("line up + hang", workers=100, cores="shared")}, preexec_fn=lower)
        self.finish(corral, 1)
        self.assertRegex(corral.err, "Too many open files")

    def test_125_when_none_ever_ran(self):
        path = self.write("gone", "#!/no/such/interpreter\n")
        os.chmod(path, 0o755)
        corral = self.run_config({"a": {"command": [path], "workers": 30, "cores": "shared"}})
        self.finish(corral, 125)
        self.assertRegex(corral.err, r"a failed: \d+ unhealthy exits within .* are more than")


if __name__ == "__main__":
    main()
