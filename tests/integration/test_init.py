"""PID 1 of a container: orphans reaped, signals obeyed, the exit status returned, nothing left."""

import os
import re
import signal
import subprocess

from harness import CORRAL, CorralTest, await_that, children, main, program, read, zoo

NAMESPACE = ["unshare", "--fork", "--pid", "--mount-proc", "--kill-child"]


def zombies_of(pid):
    return [child for child in children(pid) if re.search(r"\) Z", read(f"/proc/{child}/stat"))]


class Init(CorralTest):
    def setUp(self):
        super().setUp()
        if subprocess.run([*NAMESPACE, "true"], capture_output=True).returncode != 0:
            self.skipTest("no new PID namespace can be made here")

    def start_as_init(self, *words, **options):
        """corral as PID 1, and its pid as we see it. unshare returns the status of what it runs."""
        corral = self.start(*words, wrapper=NAMESPACE, **options)

        def find():
            if corral.process.poll() is not None:
                return -1
            return next((pid for pid in children(corral.pid) if CORRAL.encode() in read(f"/proc/{pid}/cmdline", "rb")), None)

        corral.init = await_that("corral runs as PID 1", find)
        return corral

    def test_exit_statuses(self):
        for status in (0, 1, 7, 126, 255):
            with self.subTest(status):
                self.finish(self.start_as_init("exec", "--", *zoo(f"exit {status}")), status)

    def test_a_death_by_signal(self):
        self.finish(self.start_as_init("exec", "--", *zoo("crash TERM")), 128 + signal.SIGTERM)

    def test_it_is_pid_1_and_the_worker_knows_no_other(self):
        corral = self.start_as_init("exec", "--", "/bin/sh", "-c", "echo parent $PPID; exec sleep 0")
        self.finish(corral, 0)
        self.assertEqual(corral.out, "parent 1\n")

    def test_sigterm_reaches_the_command(self):
        corral = self.start_as_init("exec", "--", *zoo("slow-stop 10 3"))
        corral.await_out("ready")
        os.kill(corral.init, signal.SIGTERM)
        self.finish(corral, 3)
        self.assertIn("cleaned", corral.out)

    def test_sigterm_stops_a_pool(self):
        corral = self.start_as_init("run", self.configure({"a": program("slow-stop 10", workers=3, cores="shared"), "b": program("double-fork setsid + hang")}))
        corral.await_out("ready", count=3)
        corral.await_out("daemon")
        os.kill(corral.init, signal.SIGTERM)
        self.finish(corral, 0)

    def test_a_flood_of_orphans_is_reaped(self):
        for words in (["exec", "--", *zoo("orphans 2000 + line flooded + hang")],
                      ["run", self.configure({"a": "orphans 2000 + line flooded + hang"})]):  # fmt: skip
            with self.subTest(words[0]):
                corral = self.start_as_init(*words)
                corral.await_out("flooded")
                # The last of them may still be on its way to its end, and no zombie yet.
                await_that(lambda: f"only the command is left: {children(corral.init)}", lambda c=corral: len(children(c.init)) == 1)
                self.assertEqual(zombies_of(corral.init), [])
                os.kill(corral.init, signal.SIGTERM)
                self.finish(corral)

    def test_strangers_that_somebody_puts_into_the_container(self):
        corral = self.start_as_init("run", self.configure({"a": "line up + hang"}))
        corral.await_out("up")
        done = subprocess.run(["nsenter", "-t", str(corral.init), "-p", "-m", "sh", "-c", "(setsid sleep 0.01 &); true"], capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        await_that("the stranger is reaped", lambda: len(children(corral.init)) == 1)
        os.kill(corral.init, signal.SIGTERM)
        self.finish(corral, 0)

    def test_restarts_within_a_tiny_pid_space_signal_no_bystander(self):
        corral = self.start_as_init("run", self.configure({
            "loop": program("exit 1", workers=3, cores="shared", restart={"when": "always", "delay": "1ms", "max_delay": "1ms", "limit": None}),
            "bystander": "line up + hang",
        }))  # fmt: skip
        corral.await_out("up")
        pid_max = f"/proc/{corral.init}/root/proc/sys/kernel/pid_max"
        done = subprocess.run(["nsenter", "-t", str(corral.init), "-p", "-m", "sh", "-c", "echo 310 > /proc/sys/kernel/pid_max && cat /proc/sys/kernel/pid_max"], capture_output=True, text=True)  # fmt: skip
        own = subprocess.run(["cat", "/proc/sys/kernel/pid_max"], capture_output=True, text=True).stdout
        if done.returncode != 0 or own.strip() == "310":
            subprocess.run(["sh", "-c", f"echo 4194304 > /proc/sys/kernel/pid_max; : {pid_max}"])
            os.kill(corral.init, signal.SIGTERM)
            self.finish(corral)
            self.skipTest("pid_max is not of the namespace before Linux 6.14")
        corral.await_err("loop/0 .*restart 400 ")
        self.assertEqual(len(corral.pids("bystander/0")), 1)
        os.kill(corral.init, signal.SIGTERM)
        self.finish(corral, 0)

    def test_no_proc_is_said_and_survived(self):
        script = "umount -l /proc && exec \"$0\" run \"$1\""
        corral = self.start(self.configure({"a": "line up + hang"}), wrapper=["unshare", "--mount", "--fork", "--pid", "--kill-child", "sh", "-c", script])
        corral.await_out("up")
        corral.await_err("/proc cannot be read")
        child = await_that("corral runs", lambda: children(corral.pid))[0]
        os.kill(child, signal.SIGTERM)
        self.finish(corral, 0)


if __name__ == "__main__":
    main()
