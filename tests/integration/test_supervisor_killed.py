"""Never two copies of a slot: after kill -9 of the supervisor, beside a second instance, and at the next start."""

import os
import re
import signal
import subprocess

from harness import CEILING, CORRAL, QUICK, CorralTest, await_that, cgroup_works, exists, guardian_of, main, processes_with, program, read, zoo


class Killed(CorralTest):
    def kill(self, corral):
        corral.process.kill()
        corral.process.wait(CEILING)

    def kill_with_guardian(self, corral):
        os.kill(await_that("its guardian", lambda: guardian_of(corral.pid)), signal.SIGKILL)
        self.kill(corral)

    def test_no_worker_outlives_it(self):
        corral = self.run_config({"a": program("ignore TERM + line up + hang", workers=50, cores="shared")})
        corral.await_out("up", count=50)
        self.kill(corral)
        await_that(lambda: f"gone: {processes_with(self.token)}", lambda: not processes_with(self.token))

    def test_no_worker_outlives_it_when_it_dies_while_starting(self):
        for number in range(10):
            with self.subTest(number):
                corral = self.run_config({"a": program("line up + hang", workers=100, cores="shared")})
                corral.await_out("up", count=1 + 7 * number)
                self.kill(corral)
                await_that(lambda: f"gone: {processes_with(self.token)}", lambda: not processes_with(self.token))

    def test_a_worker_of_another_user_dies_too(self):
        os.chmod(self.folder, 0o755)
        corral = self.run_config({"a": program("line up + hang", user="nobody")}) if os.geteuid() == 0 else self.skipTest("needs root")
        corral.await_out("up")
        self.kill(corral)
        await_that("gone", lambda: not processes_with(self.token))

    def test_the_next_start_clears_what_was_left_and_says_so(self):
        # With no environment and no cgroup nothing tells a daemon from a bystander once its supervisor is dead: not killed.
        knowable = {"subreaper": ["plain", "setsid-ignore"], "cgroup": ["plain", "setsid-ignore", "env-i"]}
        for containment, modes in knowable.items():
            if containment == "cgroup" and not cgroup_works(self.folder):
                continue
            for mode in modes:
                with self.subTest(f"{containment} {mode}"):
                    configuration = {"a": program(f"double-fork {mode} + hang", workers=2, cores="shared")}
                    first = self.run_config(configuration, top={"containment": containment})
                    first.await_out("daemon", count=2)
                    daemons = [int(pid) for pid in re.findall(r"daemon (\d+)", first.out)]
                    self.kill_with_guardian(first)
                    second = self.start("run", self.path("corral.json"))
                    second.await_out("daemon", count=2)
                    self.assertEqual([pid for pid in daemons if exists(pid)], [])
                    self.assertRegex(second.err, r"^corral: an earlier corral was killed and left \d+ processe?s? behind; killed")
                    self.stop(second, 0)

    def test_what_workers_have_started_does_not_outlive_it_either(self):
        for words in (["run"], ["exec", "-n", "2", "--cores", "shared", "--", *zoo("double-fork setsid-ignore + hang")]):
            with self.subTest(words[0]):
                self.configure({"a": program("double-fork setsid-ignore + hang", workers=2, cores="shared")})
                corral = self.start(*words, *([self.path("corral.json")] if words == ["run"] else []))
                corral.await_out("daemon", count=2)
                await_that("its guardian", lambda: guardian_of(corral.pid))
                self.kill(corral)
                await_that(lambda: f"gone: {processes_with(self.token)}", lambda: not processes_with(self.token))

    def test_a_successor_begins_when_the_guardian_has_done_its_work(self):
        for number in range(5):
            corral = self.run_config({"a": program("double-fork setsid-ignore + hang", workers=4, cores="shared")})
            corral.await_out("daemon", count=4)
            await_that("its guardian", lambda: guardian_of(corral.pid))
            daemons = [int(pid) for pid in re.findall(r"daemon (\d+)", corral.out)]
            self.kill(corral)
            after = self.start("run", self.path("corral.json"))
            after.await_out("daemon", count=4)
            self.assertEqual([pid for pid in daemons if exists(pid)], [])
            self.stop(after, 0)

    def test_a_corral_below_another_one(self):
        inner = {"programs": {"b": {"command": zoo("double-fork setsid-ignore + hang")}}}
        self.write("inner.json", inner)
        corral = self.run_config({"a": {"command": [CORRAL, "run", self.path("inner.json")]}})
        corral.await_out("daemon")
        worker = corral.await_start("a/0")
        await_that("both guardians", lambda: guardian_of(corral.pid) and guardian_of(worker))
        self.kill(corral)
        await_that(lambda: f"gone: {processes_with(self.token)}", lambda: not processes_with(self.token))

    def test_the_guardian_goes_with_it_and_not_before(self):
        corral = self.run_config({"a": program("line up + hang")})
        guardian = await_that("its guardian", lambda: guardian_of(corral.pid))
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(guardian, number)
        self.assertTrue(exists(guardian))
        self.stop(corral, 0)
        self.assertFalse(exists(guardian))

    def test_nothing_happens_when_the_guardian_is_killed(self):
        corral = self.run_config({"a": program("line up + hang")})
        os.kill(await_that("its guardian", lambda: guardian_of(corral.pid)), signal.SIGKILL)
        await_that("reaped", lambda: guardian_of(corral.pid) is None)
        self.stop(corral, 0)

    def test_one_command_has_none(self):
        corral = self.start("exec", "--", *zoo("line up + hang"))
        corral.await_out("up")
        self.assertIsNone(guardian_of(corral.pid))
        self.kill(corral)

    def test_the_next_start_works_whatever_workers_have_left_in_its_cgroup(self):
        # Linux 6.14 and later kill whatever is cloned into a cgroup that was killed before.
        if not cgroup_works(self.folder):
            self.skipTest("no cgroup can be made here")
        makes_its_own = "for at in /sys/fs/cgroup /sys/fs/cgroup/unified; do mkdir -p $at$(sed -n s/^0:://p /proc/self/cgroup)/in/ner; done"
        commands = {"a corral of its own": [CORRAL, "exec", "-n", "2", "--", "sleep", "1000"],
                    "folders": ["sh", "-c", f"({makes_its_own}) 2>/dev/null; exec sleep 1000"]}  # fmt: skip
        for what, command in commands.items():
            configuration = {"a": {"command": command, "workers": 1, "cores": "shared", "restart": "never"}}
            for number in range(3):
                with self.subTest(what, number=number):
                    corral = self.run_config(configuration, top={"containment": "cgroup"})
                    corral.await_start("a/0")
                    if command[0] == CORRAL:
                        corral.await_err("sleep/1 .*started")
                    else:
                        await_that("it sleeps", lambda: b"sleep" in read(f"/proc/{corral.pids('a/0')[-1]}/cmdline", "rb"))
                    self.assertNotIn("killed", corral.err)
                    corral.process.send_signal(signal.SIGQUIT if number == 1 else signal.SIGKILL)
                    corral.process.wait(CEILING)
                    await_that("all are gone", lambda: not processes_with(self.token))

    def test_an_empty_cgroup_of_a_killed_one_is_removed_by_the_next_and_that_of_a_live_one_is_not(self):
        if not cgroup_works(self.folder):
            self.skipTest("no cgroup can be made here")
        pool = ["exec", "-n", "2", "--cores", "shared", "--containment", "cgroup"]

        def start(*words):
            corral = self.start(*pool, *words)
            corral.await_out("up")
            return corral, re.search(r"0::(\S+)", read(f"/proc/{corral.await_start('zoo/0')}/cgroup")).group(1)

        def is_there(group):
            return any(os.path.isdir(mount + group) for mount in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"))

        killed, abandoned = start("--", *zoo("line up + hang"))
        self.kill_with_guardian(killed)
        await_that("its workers are gone", lambda: not processes_with(self.token))
        self.assertTrue(is_there(abandoned))
        # Nobody is in it, and still it is somebody's.
        waiting, held = start("--restart", "always", "--delay", "1h", "--max-delay", "1h", "--", *zoo("line up + sleep 500 + exit 1"))
        waiting.await_err("restart 1 in ", count=2)
        self.assertFalse(is_there(abandoned))
        other, _ = start("--", *zoo("line up + hang"))
        self.assertTrue(is_there(held))
        other.signal(signal.SIGTERM)
        self.assertEqual(other.wait(), 0)
        self.stop(waiting)
        self.assertFalse(is_there(held))

    def test_the_next_start_never_runs_beside_the_last(self):
        lock = self.path("lock")
        for number in range(15):
            corral = self.run_config({"a": program(f"lock {lock}-{{index}} + line up + hang", workers=4, cores="shared", restart=QUICK)})
            corral.await_out("up", count=1 + number % 4)
            self.kill(corral)
        self.assertEqual([name for name in os.listdir(self.folder) if name.endswith(".conflict")], [])

    def test_exec_dies_with_its_command(self):
        corral = self.start("exec", "--", *zoo("ignore HUP + line up + hang"))
        corral.await_out("up")
        self.kill(corral)
        await_that("gone", lambda: not processes_with(self.token))


class SecondInstance(CorralTest):
    def test_it_is_refused_and_the_first_is_untouched(self):
        first = self.run_config({"a": program("line up + hang")})
        first.await_out("up")
        for path in (self.path("corral.json"), os.path.join(self.folder, ".", "corral.json")):
            second = self.start("run", path)
            self.assertEqual(second.wait(), 2)
            self.assertIn(f"already running as pid {first.pid}", second.err)
        self.assertTrue(exists(first.pids("a/0")[0]))
        third = self.start("run", path)
        third.wait()
        self.stop(first, 0)

    def test_it_may_start_when_the_first_has_ended(self):
        for _ in range(5):
            corral = self.run_config({"a": program("line up + hang")})
            corral.await_out("up")
            self.stop(corral, 0)
            self.assertNotIn("earlier corral", corral.err)

    def test_a_link_is_the_same_configuration(self):
        first = self.run_config({"a": "line up + hang"})
        first.await_out("up")
        os.symlink(self.path("corral.json"), self.path("link.json"))
        second = self.start("run", self.path("link.json"))
        self.assertEqual(second.wait(), 2, second.err)
        self.stop(first, 0)

    def test_another_configuration_runs_beside_it(self):
        first = self.run_config({"a": "line up + hang"})
        first.await_out("up")
        self.write("other.json", {"programs": {"a": {"command": zoo("line other")}}})
        second = self.start("run", self.path("other.json"))
        self.assertEqual(second.wait(), 0)
        self.assertTrue(exists(first.await_start("a/0")))
        self.stop(first, 0)

    def elsewhere(self, name, *namespaces):
        """Runs the same configuration with another runtime folder: a login has one that a cron job has not."""
        folder = self.path(name)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if os.geteuid() != 0:
            return self.start("run", self.path("corral.json"), environment={"XDG_RUNTIME_DIR": folder})
        # Root's is /run/corral whatever the environment says: another mount namespace has another one.
        script = f'mount --bind {folder} /run && exec "$@"'
        return self.start("run", self.path("corral.json"), wrapper=["unshare", "-m", "--propagation", "private", *namespaces, "sh", "-c", script, "sh"])

    def test_one_with_another_runtime_folder_is_refused_and_the_first_is_untouched(self):
        if os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("no mount namespace can be made here")
        self.configure({"a": program("double-fork setsid-ignore + line up + hang", workers=2, cores="shared")})
        first = self.elsewhere("first")
        first.await_out("daemon", count=2)
        first.await_out("up", count=2)
        await_that("its guardian", lambda: guardian_of(first.pid))
        theirs = [int(pid) for pid in re.findall(r"daemon (\d+)", first.out)] + [first.await_start("a/0"), first.await_start("a/1")]
        self.assertEqual(len(theirs), 4)
        for number in range(2):  # Again: what the first refusal has left must not make the second one a heir.
            second = self.elsewhere("second")
            self.assertEqual(second.wait(), 2, second.err)
            self.assertIn(f"already running as pid {first.pid} for ", second.err)
            self.assertEqual([pid for pid in theirs if not exists(pid)], [], number)
        first.process.kill()
        first.process.wait(CEILING)
        await_that(lambda: f"gone: {processes_with(self.token)}", lambda: not processes_with(self.token))
        third = self.elsewhere("second")
        third.await_out("up", count=2)
        self.stop(third, 0)

    def test_of_two_that_start_at_once_one_runs(self):
        if os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("no mount namespace can be made here")
        self.configure({"a": program("line up + hang")})
        for lap in range(8):
            both = [self.elsewhere(name) for name in ("first", "second")]
            await_that("one has given way", lambda: any(one.process.poll() is not None for one in both))
            runs, refused = sorted(both, key=lambda one: one.process.poll() is not None)
            self.assertEqual(refused.wait(), 2, refused.err)
            self.assertIn(f"already running as pid {runs.pid} for ", refused.err)
            runs.await_out("up")
            self.stop(runs, 0)

    def test_one_in_a_pid_namespace_of_its_own_is_no_rival(self):
        # Two containers with one root folder: each sees the mark of the other, and no supervisor.
        apart = ["--pid", "--fork", "--mount-proc", "--kill-child"]
        if subprocess.run(["unshare", "-m", *apart, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("no namespaces can be made here")
        self.configure({"a": program("line up + hang")})
        both = [self.elsewhere(name, *apart) for name in ("first", "second")]
        for corral in both:
            corral.await_out("up")
        self.assertEqual([corral.process.poll() for corral in both], [None, None])
        for corral in both:
            corral.process.kill()

    def test_the_guardian_of_one_lets_the_workers_of_another_live(self):
        corral = self.run_config({"a": program("line up + hang", workers=2, cores="shared")})
        corral.await_out("up", count=2)
        theirs = [corral.await_start("a/0"), corral.await_start("a/1")]
        identity = re.search(r"CORRAL_SUPERVISOR=(\w+):", read(f"/proc/{theirs[0]}/environ")).group(1)
        # A guardian of the same identity whose supervisor has died: the end of its pipe is closed.
        guardian = subprocess.run(["corral: guardian", identity], executable=CORRAL, env={}, stdin=subprocess.DEVNULL, timeout=CEILING, check=False)
        self.assertEqual(guardian.returncode, 0)
        self.assertEqual([pid for pid in theirs if not exists(pid)], [])
        self.stop(corral, 0)

    def test_many_at_once(self):
        self.configure({"a": program(f"lock {self.path('lock')} + line up + hang")})
        many = [self.start("run", self.path("corral.json")) for _ in range(8)]
        await_that("seven are refused", lambda: sum(corral.process.poll() == 2 for corral in many) == 7)
        winner = next(corral for corral in many if corral.process.poll() is None)
        winner.await_out("up")
        self.assertFalse(os.path.exists(self.path("lock.conflict")))
        self.stop(winner, 0)


if __name__ == "__main__":
    main()
