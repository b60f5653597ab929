"""Without /proc nothing lists the supervisor's children: it finds them all the same, or says that it cannot, and always ends."""

import os
import re
import signal
import subprocess
import time

from harness import CorralTest, as_root, await_that, children, exists, main, program, read, zoo

HIDE = 'mount -t tmpfs none /proc && exec "$0" "$@"'
MOUNTS = ["unshare", "--mount"]
INIT = [*MOUNTS, "--fork", "--pid", "--kill-child"]
MODES = ["plain", "setsid", "setsid-ignore", "env-i"]
WAYS = {
    "not mounted": [*MOUNTS, "sh", "-c", HIDE],
    "not mounted, as PID 1": [*INIT, "sh", "-c", HIDE],
    "that of another PID namespace": INIT,
}


@as_root
class WithoutProc(CorralTest):
    def setUp(self):
        super().setUp()
        if subprocess.run([*INIT, "true"], capture_output=True).returncode != 0:
            self.skipTest("no new PID namespace can be made here")

    def begin(self, way, *words):
        """corral without /proc; `corral.real` is its own pid as we see it."""
        corral = self.start(*words, wrapper=WAYS[way])
        corral.real = corral.pid if "--pid" not in WAYS[way] else await_that("corral runs", lambda: children(corral.pid))[0]
        return corral

    def stops(self, corral, status):
        begin = time.monotonic()
        os.kill(corral.real, signal.SIGTERM)
        self.finish(corral, status)
        self.assertLess(time.monotonic() - begin, 9, "everything was found before anybody gave up")
        self.assertNotIn("left behind", corral.err)

    def test_what_left_the_group_of_its_worker_dies_when_everything_stops(self):
        for way in WAYS:
            with self.subTest(way):
                corral = self.begin(way, "run", self.configure({mode: program(f"double-fork {mode} + hang") for mode in MODES}))
                corral.await_out("daemon", count=len(MODES))
                corral.await_err("/proc cannot be read")
                self.stops(corral, 0)

    def test_so_it_does_with_exec_of_one_command_and_of_a_pool(self):
        for way in WAYS:
            for options, status in (([], 128 + signal.SIGTERM), (["-n", "2"], 0)):
                with self.subTest(way, options=options):
                    corral = self.begin(way, "exec", *options, "--", *zoo("fork-bomb-light 3 setsid + line up + hang"))
                    corral.await_out("up", count=len(options) or 1)
                    self.stops(corral, status)

    def test_generations_of_daemons_die(self):
        corral = self.begin("not mounted", "exec", "--", "/bin/sh", "-c", "setsid sh -c 'setsid sh -c \"setsid sleep 1000; true\"; true' & sleep 0.2; echo up; sleep 1000")
        corral.await_out("up")
        self.stops(corral, 128 + signal.SIGTERM)

    def test_what_cannot_be_told_from_a_stranger_is_waited_for_said_and_left(self):
        # A process from before corral: without a list nobody knows which is which, and what is not ours is not killed.
        stranger = 'mount -t tmpfs none /proc && { env -i sleep 1000 > /dev/null 2>&1 & echo $! > "$HERE"; } && exec "$0" "$@"'
        runs = []
        for name, options, status in (("one", [], 128 + signal.SIGTERM), ("pool", ["-n", "2"], 3)):
            environment = {"HERE": self.path(name)}
            corral = self.start("exec", *options, "--", *zoo("line up + hang"), environment=environment, wrapper=[*MOUNTS, "sh", "-c", stranger])
            corral.await_out("up", count=len(options) or 1)
            runs.append((corral, int(read(self.path(name))), status))
            self.addCleanup(os.kill, runs[-1][1], signal.SIGKILL)
            corral.signal(signal.SIGTERM)
        for corral, _, _ in runs:  # Both at once: each takes its ten seconds.
            corral.signal_again(signal.SIGQUIT)
        for corral, _, _ in runs:
            corral.process.wait(30)
        for corral, pid, status in runs:
            self.finish(corral, status, 30)
            self.assertTrue(exists(pid))
            self.assertEqual(len(re.findall("left behind: .*cannot be found, since /proc cannot be read", corral.err)), 1, corral.err)


if __name__ == "__main__":
    main()
