"""What a worker has, whatever corral's own parent left; and what the keys of the configuration give it."""

import fcntl
import json
import os
import pty
import resource
import signal
import termios

from harness import CorralTest, as_root, main, program, zoo

NUMERIC = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"]


class Inherit(CorralTest):
    def report(self, corral):
        corral.await_out("\\{.*\\}")
        text = corral.out
        return json.loads(text[text.index("{"):text.rindex("}") + 1])

    def of_run(self, options=None, **keys):
        corral = self.run_config({"a": program("report", **keys)}, **(options or {}))
        self.finish(corral, 0)
        return self.report(corral)

    def test_the_words_of_the_command_are_its_own_with_options_before_them_too(self):
        for options in ([], ["-q"], ["-n", "2", "--restart", "never"]):
            with self.subTest(options):
                corral = self.start("exec", *options, "--", "/bin/echo", "[a,b]", "[]", "--", "-n")
                self.finish(corral, 0)
                self.assertIn("[a,b] [] -- -n", corral.out)

    def test_descriptors(self):
        with open("/etc/passwd") as leaked, open(self.path("x"), "w") as other:
            os.set_inheritable(leaked.fileno(), True)
            seen = self.of_run({"pass_fds": [leaked.fileno(), other.fileno()]})
        self.assertEqual(set(seen["fds"]), {"0", "1", "2"})
        self.assertEqual(seen["fds"]["0"], "/dev/null")
        self.assertIn("pipe:", seen["fds"]["1"])

    def test_without_a_terminal_a_worker_has_its_group_and_shares_the_session(self):
        corral = self.run_config({"a": "report"}, start_new_session=True)
        self.finish(corral, 0)
        seen = self.report(corral)
        self.assertEqual((seen["session"], seen["group"]), (corral.pid, seen["pid"]))

    def test_on_a_terminal_a_worker_has_its_session_and_no_way_to_the_terminal(self):
        master, slave = pty.openpty()

        def take_it():
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        corral = self.run_config({"a": "report", "b": {"command": ["sh", "-c", "exec < /dev/tty"], "restart": "never"}},
                                 preexec_fn=take_it)
        self.finish(corral, 1)
        os.close(slave)
        os.close(master)
        seen = self.report(corral)
        self.assertEqual((seen["session"], seen["group"]), (seen["pid"], seen["pid"]))
        self.assertIn("/dev/tty", corral.err)

    def test_no_signal_is_blocked_or_ignored_whatever_the_parent_left(self):
        def spoil():
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            signal.signal(signal.SIGPIPE, signal.SIG_IGN)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])

        for words in (["run", self.configure({"a": "report"})], ["exec", "--", *zoo("report")]):
            corral = self.start(*words, preexec_fn=spoil)
            self.finish(corral, 0)
            seen = self.report(corral)
            self.assertEqual(int(seen["SigBlk"], 16), 0)
            self.assertEqual(int(seen["SigIgn"], 16), 0)

    def test_supervision_works_below_a_parent_that_spoiled_everything(self):
        def spoil():
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))

        corral = self.run_config({"a": program("count-signals TERM", workers=2, cores="shared")}, preexec_fn=spoil)
        corral.await_out("ready", count=2)
        os.kill(corral.await_start("a/0"), signal.SIGKILL)
        corral.await_out("ready", count=3)
        self.stop(corral, 0)

    def test_closed_standard_descriptors(self):
        for closed in ([0], [0, 1, 2], [1], [2]):
            with self.subTest(closed):
                path = self.path("report" + "".join(map(str, closed)))

                def close(numbers=closed):
                    for number in numbers:
                        os.close(number)

                corral = self.run_config({"a": f"report {path} + line x"}, stdin=None, preexec_fn=close)
                self.finish(corral, 0)
                with open(path) as file:
                    seen = json.load(file)
                self.assertEqual(set(seen["fds"]), {"0", "1", "2"})

    def test_closed_descriptors_of_exec(self):
        path = self.path("report")
        corral = self.start("exec", "--", *zoo(f"report {path}"), stdin=None, preexec_fn=lambda: os.closerange(0, 3))
        self.finish(corral, 0)
        with open(path) as file:
            self.assertTrue(set(json.load(file)["fds"]) <= {"0", "1", "2"})

    def test_who_it_is(self):
        corral = self.run_config({"a": program("report", workers=2, cores="shared", environment={"ME": "{program}-{index}/{workers}"})})
        self.finish(corral, 0)
        for line in corral.out.splitlines():
            index = line[2]
            seen = json.loads(line.split(" | ", 1)[1])["env"]
            self.assertEqual(
                [seen[name] for name in ("CORRAL_PROGRAM", "CORRAL_WORKER", "CORRAL_WORKERS", "CORRAL_INCARNATION", "CORRAL_CORES", "ME")],
                ["a", index, "2", "1", "", f"a-{index}/2"],
            )  # fmt: skip

    def test_affinity_and_threads(self):
        cpus = sorted(os.sched_getaffinity(0))
        corral = self.run_config({"a": program("report", workers=len(cpus), cores="separate")},
                                 environment={name: None for name in NUMERIC})  # fmt: skip
        self.finish(corral, 0)
        used = []
        for line in corral.out.splitlines():
            seen = json.loads(line.split(" | ", 1)[1])
            self.assertEqual(len(seen["affinity"]), 1)
            self.assertEqual(seen["env"]["CORRAL_CORES"], str(seen["affinity"][0]))
            self.assertEqual([seen["env"][name] for name in NUMERIC], ["1"] * 4)
            used += seen["affinity"]
        self.assertEqual(sorted(used), cpus)

    def test_threads_that_are_set_already_stay(self):
        seen = self.of_run({"environment": {"OMP_NUM_THREADS": "7", "MKL_NUM_THREADS": None}}, cores="separate")
        self.assertEqual(seen["env"]["OMP_NUM_THREADS"], "7")
        self.assertNotEqual(seen["env"].get("MKL_NUM_THREADS"), None)

    def test_environment(self):
        seen = self.of_run({"environment": {"MINE": "m", "SECRET": "s"}}, environment={"DATA": "${MINE}/${ABSENT:-d}", "MINE": "new"},
                           inherit_environment=["PATH", "CORRAL_TEST_TOKEN"])["env"]  # fmt: skip
        self.assertEqual((seen["DATA"], seen["MINE"]), ("m/d", "new"))
        self.assertNotIn("SECRET", seen)
        self.assertIn("PATH", seen)

    def test_open_files_are_as_corral_found_them(self):
        def lower():
            resource.setrlimit(resource.RLIMIT_NOFILE, (300, 4096))

        for words in (["run", self.configure({"a": "report"})], ["exec", "--", *zoo("report")]):
            corral = self.start(*words, preexec_fn=lower)
            self.finish(corral, 0)
            self.assertEqual(self.report(corral)["nofile"], [300, 4096])

    def test_no_new_privileges(self):
        self.assertEqual(self.of_run()["NoNewPrivs"], "1")
        self.assertEqual(self.of_run(no_new_privileges=False)["NoNewPrivs"], "0")

    def test_it_dies_with_its_supervisor(self):
        self.assertEqual(self.of_run()["death_signal"], signal.SIGKILL)

    def test_limits_nice_umask_directory(self):
        os.mkdir(self.path("work"))
        seen = self.of_run(directory=self.path("work"), nice=7, umask="027", oom_score_adj=321,
                           limits={"nofile": {"soft": 111, "hard": 222}, "core": 0})  # fmt: skip
        self.assertEqual((seen["cwd"], seen["nice"], seen["umask"]), (self.path("work"), 7, 0o027))
        self.assertEqual((seen["nofile"], seen["core"]), ([111, 222], [0, 0]))

    @as_root
    def test_user_and_group(self):
        os.chmod(self.folder, 0o755)
        seen = self.of_run(user="nobody")
        self.assertEqual((seen["uid"], seen["gid"]), (65534, 65534))
        self.assertNotIn("0", seen["Groups"].split())
        seen = self.of_run(user="12345", group="23456")
        self.assertEqual((seen["uid"], seen["gid"]), (12345, 23456))
        self.assertEqual(seen["death_signal"], signal.SIGKILL)  # Changing the user clears it: it must be set after that.

    def test_exec_hands_its_descriptors_over(self):
        with open(self.path("in"), "w+") as file:
            file.write("text")
            file.seek(0)
            corral = self.start("exec", "--", "cat", stdin=file)
            self.finish(corral, 0)
        self.assertEqual(corral.out, "text")

    def test_exec_passes_every_signal_on(self):
        corral = self.start("exec", "--", *zoo("count-signals TERM"))
        corral.await_out("ready")
        passed = [n for n in range(1, 65) if n not in (9, 19, 17, 15, 20, 21, 22, 18, 32, 33)]
        for number in passed:
            corral.signal(number)
            corral.await_out(f"got {number}$")
        self.stop(corral, 0)

    def test_exec_rewrites_signals(self):
        corral = self.start("exec", "--map-signal", "HUP=QUIT", "--map-signal", "TERM=USR1", "--map-signal", "USR2=0", "--", *zoo("count-signals INT"))
        corral.await_out("ready")
        for number, expected in ((signal.SIGHUP, signal.SIGQUIT), (signal.SIGTERM, signal.SIGUSR1)):
            corral.signal(number)
            corral.await_out(f"got {int(expected)}$")
        corral.signal(signal.SIGUSR2)
        self.stop(corral, 0, signal.SIGINT)
        self.assertNotIn(f"got {int(signal.SIGUSR2)}\n", corral.out)


if __name__ == "__main__":
    main()
