"""Random harm to real workers under a real corral, round after round, and the invariants after each.

Workers, their groups and their daemons get random signals, are stopped and continued; the configuration is rewritten and
reloaded, at times with a mistake in it; at last the supervisor gets a SIGTERM, two, a SIGQUIT, or a SIGKILL.

What must hold: never two live processes of a slot (each takes a lock and complains), also across supervisors; the end comes in
time; nothing is left; the exit status is one that the contract knows; corral never speaks of an internal error. The seed
decides everything but the machine's timing. On failure the seed, the last harm done and what corral said are printed.
"""

import argparse
import collections
import os
import random
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
from harness import CORRAL, CorralTest, await_that, cgroup_works, main, processes_with, read, zoo  # noqa: E402

SIGNALS = [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGSTOP, signal.SIGCONT, signal.SIGABRT, signal.SIGHUP, signal.SIGUSR1]
TO_SUPERVISOR = [signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH, signal.SIGALRM, signal.SIGCONT, signal.SIGCHLD]
BEHAVIOURS = [
    "hang", "sleep 30 + exit 1", "sleep 10 + crash SEGV", "exit 0", "exit 3", "ignore TERM + hang", "slow-stop 20",
    "double-fork plain + sleep 50", "double-fork setsid-ignore + hang", "double-fork env-i + exit 1",
    "hold-pipe + sleep 20 + exit 1", "fork-bomb-light 5 setsid + sleep 40", "lines 300 some-text + exit 1",
    "orphans 20 + sleep 5", "stop-self + hang", "close-output + hang", "flood 1",
]  # fmt: skip


class Chaos(CorralTest):
    seconds, seed = 20.0, 1

    def a_program(self, name):
        chance = self.chance
        # Daemons that outlive their worker hold no lock: it is the worker that there must be one of.
        behaviour = chance.choice(BEHAVIOURS)
        return {
            "command": zoo(f"lock {self.path('slot')}-{name}-{{index}} + {behaviour}"),
            "workers": chance.randint(1, 5),
            "cores": chance.choice(["shared", "separate"]),
            "restart": {"when": chance.choice(["always", "on-failure"]), "delay": chance.choice(["0ms", "1ms", "30ms"]), "max_delay": "50ms",
                        "limit": chance.choice([None, None, {"restarts": 40, "within": "10s"}])},
            "stop": {"grace": chance.choice(["0s", "50ms", "300ms"])},
        }  # fmt: skip

    def a_configuration(self):
        names = self.chance.sample(["a", "b", "c", "d", "e"], self.chance.randint(2, 5))
        for name in names:
            if name not in self.programs or self.chance.random() < 0.4:
                self.programs[name] = self.a_program(name)
        return {name: self.programs[name] for name in names}

    def harm(self, corral):
        """One random deed; returns what it was."""
        chance = self.chance
        deed = chance.random()
        victims = [pid for pid in processes_with(self.token) if pid != corral.pid]
        if deed < 0.6 and victims:
            pid, number = chance.choice(victims), chance.choice(SIGNALS)
            if number == signal.SIGSTOP and CORRAL.encode() in read(f"/proc/{pid}/cmdline", "rb"):
                # Stopped before its exec it cannot see yet that its supervisor dies: it would hold what that held.
                return "nothing"
            try:
                group = os.getpgid(pid)
                if chance.random() < 0.3 and group not in (os.getpgrp(), os.getpgid(corral.pid)):
                    os.killpg(group, number)
                    return f"killpg {group} {number.name}"
                os.kill(pid, number)
            except (ProcessLookupError, PermissionError):
                pass
            return f"kill {pid} {number.name}"
        if deed < 0.75:
            number = chance.choice(TO_SUPERVISOR)
            corral.signal(number)
            return f"supervisor gets {number.name}"
        if deed < 0.8:
            self.write("corral.json", "{ not a configuration")
            corral.signal(signal.SIGHUP)
            return "reload with a mistake"
        self.configure(self.a_configuration(), self.top)
        corral.signal(signal.SIGHUP)
        return "reload"

    def round(self, until):
        chance = self.chance
        self.programs = {}
        self.top = {"stay": True, "containment": chance.choice(self.containments)}
        self.configure(self.a_configuration(), self.top)
        out = os.open(os.devnull, os.O_WRONLY) if chance.random() < 0.5 else None
        corral = self.start("run", self.path("corral.json"), *chance.choice([[], ["--log-format", "json"]]), stdout=out)
        if out is not None:
            os.close(out)
        corral.await_err("started")
        deeds = collections.deque(maxlen=20)
        end = min(until, time.monotonic() + chance.uniform(0.2, 3))
        try:
            while time.monotonic() < end and corral.process.poll() is None:
                deeds.append(self.harm(corral))
                time.sleep(chance.choice([0, 0, 0.001, 0.02]))  # The pace of the harm, nothing is awaited by it.
            self.assertIsNone(corral.process.poll(), "the supervisor ended by itself")
            self.finale(corral)
            self.assertNotIn("internal error", corral.err)
            conflicts = [name for name in os.listdir(self.folder) if name.endswith(".conflict")]
            self.assertEqual(conflicts, [], "two processes of a slot were alive at once")
        except AssertionError as failure:
            raise AssertionError(f"{failure}\n--- last deeds: {list(deeds)}\n--- corral said\n{corral.err[-5000:]}") from None

    def finale(self, corral):
        way = self.chance.choice(["TERM", "TERM", "INT", "TERM TERM", "QUIT", "KILL"])
        if way == "KILL":
            corral.process.kill()
            corral.process.wait(60)
            # What was forked off is for the next supervisor to find; without an environment only a cgroup tells whose it was.
            self.configure({"only": {"command": zoo("line next")}}, {"containment": self.top["containment"]})
            successor = self.start("run", self.path("corral.json"))
            self.assertEqual(successor.wait(60), 0, successor.err)
            if self.top["containment"] == "subreaper":
                for pid, line in processes_with(self.token).items():
                    self.assertRegex(line, "^zoo hang zoo-", "only what has no environment may be left")
                    os.kill(pid, signal.SIGKILL)
            await_that(lambda: f"all gone: {processes_with(self.token)}", lambda: not processes_with(self.token))
            return
        for number in way.split():
            try:
                corral.signal(getattr(signal, "SIG" + number))
            except ProcessLookupError:
                pass
        self.assertIn(self.finish(corral, ceiling=60), (0, 1, 3, 128 + signal.SIGTERM, 128 + signal.SIGINT))

    def test_chaos(self):
        self.chance = random.Random(self.seed)
        self.containments = ["subreaper"] + (["cgroup", "auto"] if cgroup_works(self.folder) else [])
        until, rounds = time.monotonic() + self.seconds, 0
        try:
            while time.monotonic() < until:
                rounds += 1
                self.round(until)
        except AssertionError as failure:
            again = f"CORRAL_BIN={CORRAL} python3 {os.path.relpath(__file__)} --seconds {self.seconds:g} --seed {self.seed}"
            raise AssertionError(f"round {rounds} with seed {self.seed}; again with:\n  {again}\n{failure}") from None
        print(f"{rounds} rounds with seed {self.seed}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    options = parser.parse_args()
    Chaos.seconds, Chaos.seed = options.seconds, options.seed
    sys.argv = sys.argv[:1]
    main()
