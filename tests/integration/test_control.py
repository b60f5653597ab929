"""The control API as people and scripts use it: start, stop, restart, scale, signal, reload, shutdown; the real binary."""

import os
import shutil
import signal

from control import ControlTest
from harness import await_that, exists, main, program


class Changes(ControlTest):
    def test_start_and_stop(self):
        corral = self.run_controlled({"a": program("hang", workers=2, cores="shared"), "b": "hang"})
        self.await_listening(corral)
        pid = corral.await_start("a/0")
        self.assertEqual(self.ask_for("stop", "a/0").out, "1 worker is down\n")
        self.assertFalse(exists(pid))  # It was true when it was said.
        worker = self.workers()["a/0"]
        self.assertEqual((worker["state"], worker["wanted"], worker["pid"]), ("stopped", "down", None))
        self.assertEqual(self.workers()["a/1"]["state"], "running")
        self.assertEqual(self.ask_for("stop", "a/0").out, "1 worker is down\n")  # Said twice, true all the same.
        self.assertEqual(self.ask_for("start", "a/0").out, "1 worker runs\n")
        self.assertTrue(exists(self.workers()["a/0"]["pid"]))
        self.assertEqual(self.ask_for("start", "*").out, "3 workers run\n")  # Those that run already go on.
        self.assertEqual(self.workers()["a/0"]["incarnation"], 2)
        self.assertEqual(self.ask_for("stop", "*").out, "3 workers are down\n")
        self.assertIsNone(corral.process.poll())  # All is stopped by hand, and it stays.
        self.assertEqual(self.ask_for("start", "*").out, "3 workers run\n")
        self.stop(corral, 0)

    def test_restart(self):
        corral = self.run_controlled({"a": program("hang", workers=2, cores="shared"), "b": "hang"})
        self.await_listening(corral)
        before = {name: corral.await_start(name) for name in ("a/0", "a/1", "b/0")}
        self.assertEqual(self.ask_for("restart", "a").out, "2 workers restarted\n")
        after = self.workers()
        self.assertEqual({name: worker["incarnation"] for name, worker in after.items()}, {"a/0": 2, "a/1": 2, "b/0": 1})
        self.assertTrue(exists(after["a/0"]["pid"]) and not exists(before["a/0"]) and exists(before["b/0"]))
        self.stop(corral, 0)

    def test_a_failed_program_is_started_anew(self):
        restart = {"when": "always", "delay": "1ms", "max_delay": "1ms", "limit": {"restarts": 2, "within": "1h"}}
        flag = self.path("cured")
        command = ["sh", "-c", f"test -e {flag} && exec sleep 1000; exit 1"]
        corral = self.run_controlled({"a": {"command": command, "restart": restart}, "b": "hang"})
        self.await_listening(corral)
        await_that("it has failed", lambda: self.workers()["a/0"]["state"] == "failed")
        open(flag, "w").close()
        self.assertEqual(self.ask_for("start", "a").out, "1 worker runs\n")
        self.stop(corral, None)

    def test_signal(self):
        corral = self.run_controlled({"a": program("count-signals TERM", workers=2, cores="shared")})
        self.await_listening(corral)
        corral.await_out("ready", count=2)
        self.assertEqual(self.ask_for("signal", "USR1", "a").out, "sent to 2 workers\n")
        corral.await_out(f"got {int(signal.SIGUSR1)}", count=2)
        self.assertEqual(self.ask_for("signal", "12", "a/1").out, "sent to 1 worker\n")
        corral.await_out("a/1 \\| got 12")
        self.ask_for("signal", "NOPE", "a", status=2)
        self.ask_for("stop", "a/0")
        self.assertEqual(self.ask_for("signal", "USR1", "a").out, "sent to 1 worker\n")
        self.ask_for("stop", "a")
        self.assertEqual(self.ask_for("signal", "USR1", "a", status=1).out, "sent to nobody: none of them has a process\n")
        self.assertEqual(self.ask_for("signal", "USR1", "a", "--json", status=1).json["workers"], 0)
        self.stop(corral, None)

    def test_nobody_of_that_name(self):
        corral = self.run_controlled({"crunch": "hang"})
        self.await_listening(corral)
        corral.await_start("crunch/0")
        self.assertIn("did you mean 'crunch'?", self.ask_for("restart", "cruhch", status=2).err)
        self.assertIn("'crunch/1' is no worker", self.ask_for("stop", "crunch/0", "crunch/1", status=2).err)
        self.assertEqual(self.workers()["crunch/0"]["state"], "running")  # All of it or nothing.
        self.assertIn("did you mean 'crunch'?", self.ask_for("scale", "crumch=2", status=2).err)
        self.stop(corral, 0)

    def test_no_wait_and_a_timeout(self):
        corral = self.run_controlled({"a": program("slow-stop 3600000", stop={"grace": "1h"}), "b": "hang"})
        self.await_listening(corral)
        corral.await_out("ready")
        self.assertEqual(self.ask_for("stop", "a", "--no-wait").out, "under way\n")
        corral.await_out("cleaning")
        self.assertIn("it goes on", self.ask_for("stop", "a", "--timeout", "50ms", status=124).err)
        self.assertEqual(self.workers()["a/0"]["state"], "stopping")
        os.kill(self.workers()["a/0"]["pid"], signal.SIGKILL)
        self.ask_for("stop", "a")
        self.stop(corral, None)

    def test_json_is_what_the_supervisor_answers(self):
        corral = self.run_controlled({"a": "hang"})
        self.await_listening(corral)
        self.assertEqual(self.ask_for("restart", "a", "--json").json, {"result": "done", "workers": 1})
        self.assertIn("error", self.ask_for("restart", "nobody", "--json", status=2).json)
        self.stop(corral, 0)

    def test_shutdown(self):
        corral = self.run_controlled({"a": program("slow-stop 20")})
        self.await_listening(corral)
        corral.await_out("ready")
        self.ask_for("shutdown")
        self.assertFalse(exists(corral.pid))  # It has ended when that is said, however it was named.
        self.finish(corral, 0)
        self.assertFalse(os.path.exists(self.socket))


class Rolling(ControlTest):
    def test_one_after_another(self):
        verbs = f"note {self.path('lives')} up + slow-stop 5"
        corral = self.run_controlled({"a": program(verbs, workers=4, cores="shared", restart={"healthy_after": "10ms"})})
        self.await_listening(corral)
        corral.await_out("ready", count=4)
        self.assertEqual(self.ask_for("restart", "a", "--rolling").out, "4 workers restarted\n")
        self.assertEqual({worker["incarnation"] for worker in self.workers().values()}, {2})
        # The next one was told to stop only when the one before was up again.
        said = [line for line in corral.err.splitlines() if "(pid " in line][4:]
        started = [index for index, line in enumerate(said) if "started" in line]
        self.assertEqual(len(started), 4, said)
        order = [said[index].split()[1] for index in started]
        self.assertEqual(order, [f"a/{index}" for index in range(4)])
        self.stop(corral, 0)

    def test_it_ends_at_the_first_that_does_not_stay(self):
        flag = self.path("broken")
        command = ["sh", "-c", f"test -e {flag} && exit 1; echo ready; exec sleep 1000"]
        restart = {"when": "always", "delay": "1h", "max_delay": "1h", "limit": None, "healthy_after": "1h"}
        corral = self.run_controlled({"a": {"command": command, "workers": 4, "cores": "shared", "restart": restart}})
        self.await_listening(corral)
        pids = [corral.await_start(f"a/{index}") for index in range(4)]
        corral.await_out("ready", count=4)  # They have looked for the flag.
        open(flag, "w").close()
        self.assertIn("a/0", self.ask_for("restart", "a", "--rolling", status=1).err)
        self.assertTrue(all(exists(pid) for pid in pids[1:]))
        self.assertEqual([self.workers()[f"a/{index}"]["incarnation"] for index in range(1, 4)], [1, 1, 1])
        self.stop(corral, None)

    def test_two_at_a_time(self):
        corral = self.run_controlled({"a": program("hang", workers=4, cores="shared", restart={"healthy_after": "1ms"})})
        self.await_listening(corral)
        corral.await_start("a/3")
        self.assertEqual(self.ask_for("restart", "a", "--rolling", "--parallel", "2", "--pause", "1ms").out, "4 workers restarted\n")
        self.assertEqual({worker["incarnation"] for worker in self.workers().values()}, {2})
        self.stop(corral, 0)

    def test_a_stop_in_the_middle_ends_it(self):
        corral = self.run_controlled({"a": program("hang", workers=3, cores="shared")})
        self.await_listening(corral)
        last = corral.await_start("a/2")
        rolling = self.begin_asking("restart", "a", "--rolling", "--pause", "1h")
        corral.await_start("a/0", incarnation=2)
        self.assertEqual(self.ask_for("stop", "a").out, "3 workers are down\n")
        self.assertIn("was told something else meanwhile", self.end_asking(rolling, 1).err)
        self.assertFalse(exists(last))
        self.assertEqual({worker["state"] for worker in self.workers().values()}, {"stopped"})
        self.stop(corral, 0)


class Scale(ControlTest):
    def test_more_fewer_and_auto(self):
        corral = self.run_controlled({"a": program("hang", workers=2, cores="shared"), "b": program("hang", cores="shared")})
        self.await_listening(corral)
        first = corral.await_start("a/0")
        self.assertEqual(self.ask_for("scale", "a=4").out, "2 workers changed\n")
        self.assertEqual(len(self.workers()), 5)
        self.assertEqual({worker["state"] for worker in self.workers().values()}, {"running"})
        self.assertEqual(self.ask_for("scale", "a=1", "b=2").out, "a: 3 workers changed\nb: 1 worker changed\n")
        self.assertEqual(sorted(self.workers()), ["a/0", "b/0", "b/1"])
        self.assertEqual(self.workers()["a/0"]["pid"], first)
        self.ask_for("scale", "a=auto")
        count = sum(name.startswith("a/") for name in self.workers())
        self.assertTrue(1 <= count <= len(os.sched_getaffinity(0)), count)
        for nonsense in (["a=0"], ["a"], ["a=2", "a=3"]):
            self.ask_for("scale", *nonsense, status=2)
        before = sorted(self.workers())
        said = self.ask_for("scale", "a=3", "bb=3", status=2).err
        self.assertIn("there is no program 'bb', and nothing was changed; did you mean 'b'?", said)
        self.assertEqual(sorted(self.workers()), before)
        self.stop(corral, 0)

    def test_more_than_there_are_descriptors_for_changes_nothing(self):
        corral = self.run_controlled({"a": program("hang", cores="shared")}, wrapper=["prlimit", "--nofile=500:500"])
        self.await_listening(corral)
        said = self.ask_for("scale", "a=300", status=1).err
        self.assertIn("so many workers need 600 open files for what they write, and this process may have 500", said)
        self.assertEqual(sorted(self.workers()), ["a/0"])
        self.stop(corral, 0)

    def test_another_program_that_could_not_start_is_not_in_the_way(self):
        gone = self.path("gone")
        shutil.copy("/bin/sleep", gone)
        corral = self.run_controlled({"a": program("hang", cores="shared"), "b": {"command": [gone, "1000"], "cores": "shared"}})
        self.await_listening(corral)
        corral.await_start("b/0")
        os.unlink(gone)
        self.assertEqual(self.ask_for("scale", "a=2").out, "1 worker changed\n")
        self.assertIn("b: cannot execute", self.ask_for("scale", "b=2", status=1).err)
        self.assertEqual(sorted(self.workers()), ["a/0", "a/1", "b/0"])
        corral.await_err("a has 2 workers now: 1 worker kept, 0 replaced, 1 started, 0 stopped")
        events = self.http("GET", "/v1/events?event=scaled")[2]["events"]
        self.assertEqual([(event["program"], event["workers"], event["started"]) for event in events], [("a", 2, 1)])
        self.stop(corral, 0)

    def test_it_holds_over_a_reload_until_the_definition_changes(self):
        definition = {"a": program("hang", workers=1, cores="shared"), "b": "hang"}
        corral = self.run_controlled(definition)
        self.await_listening(corral)
        self.ask_for("scale", "a=3")
        self.ask_for("reload")
        self.assertEqual(len(self.workers()), 4)
        definition["a"]["workers"] = 2
        self.reconfigure(definition)
        self.ask_for("reload")
        self.assertEqual(sorted(self.workers()), ["a/0", "a/1", "b/0"])
        self.stop(corral, 0)


class Reload(ControlTest):
    def test_a_plan_changes_nothing(self):
        corral = self.run_controlled({"same": "hang", "changed": "hang", "removed": "hang"})
        self.await_listening(corral)
        corral.await_start("removed/0")
        before = {name: worker["pid"] for name, worker in self.workers().items()}
        self.reconfigure({"same": program("hang", stop={"grace": "1s"}), "changed": "line new + hang", "added": "hang"})
        lines = [line.split(maxsplit=2) for line in self.ask_for("reload", "--plan").out.splitlines()]
        self.assertEqual({line[1]: line[0] for line in lines},
                         {"same/0": "keep", "changed/0": "restart", "added/0": "start", "removed/0": "stop"})  # fmt: skip
        self.assertTrue(all(len(line) == 3 for line in lines), lines)  # Each says why.
        self.assertEqual({name: worker["pid"] for name, worker in self.workers().items()}, before)
        self.assertEqual(self.ask_for("reload").out, "reloaded; 3 workers changed\n")
        after = self.workers()
        self.assertEqual(after["same/0"]["pid"], before["same/0"])
        self.assertEqual(sorted(after), ["added/0", "changed/0", "same/0"])
        self.assertEqual(self.ask_for("reload").out, "reloaded; no worker had to change\n")
        self.stop(corral, 0)

    def test_a_mistake_changes_nothing_and_is_named(self):
        corral = self.run_controlled({"a": "hang"})
        self.await_listening(corral)
        pid = corral.await_start("a/0")
        self.reconfigure({"a": {"comand": ["true"]}})
        for words in (["reload"], ["reload", "--plan"]):
            self.assertRegex(self.ask_for(*words, status=2).err, "the configuration stays as it was: .*comand")
        self.assertEqual(self.workers()["a/0"]["pid"], pid)
        self.stop(corral, 0)

    def test_what_was_stopped_by_hand_stays_down(self):
        corral = self.run_controlled({"a": "hang", "b": "hang"})
        self.await_listening(corral)
        self.ask_for("stop", "a")
        self.reconfigure({"a": "hang", "b": "hang", "c": "hang"})
        self.ask_for("reload")
        self.reconfigure({"a": "line new + hang", "b": "hang", "c": "hang"})
        plan = self.ask_for("reload", "--plan").out
        self.assertRegex(plan, "keep +a/0 +changed: command; a command has stopped it, and it stays down\n")
        self.assertEqual(self.ask_for("reload").out, "reloaded; no worker had to change\n")
        self.assertEqual({name: worker["state"] for name, worker in self.workers().items()},
                         {"a/0": "stopped", "b/0": "running", "c/0": "running"})  # fmt: skip
        self.ask_for("start", "a")
        corral.await_out("a/0 \\| new")
        self.stop(corral, 0)

    def test_reloads_and_scales_at_the_same_time_end_as_the_last_of_them(self):
        definition = {"a": program("hang", workers=1, cores="shared"), "b": "hang"}
        corral = self.run_controlled(definition)
        self.await_listening(corral)
        for round_ in range(5):
            definition["b"] = f"line {round_} + hang"
            self.reconfigure(definition)
            asking = [self.begin_asking("reload"), *(self.begin_asking("scale", f"a={count}") for count in (4, 2, 3))]
            for process in asking:
                self.end_asking(process, (0, 1))  # 1: the next one overtook it.
            self.ask_for("scale", "a=3")
            workers = self.workers()
            self.assertEqual(sorted(workers), ["a/0", "a/1", "a/2", "b/0"])
            self.assertEqual({worker["state"] for worker in workers.values()}, {"running"})
            corral.await_out(f"b/0 \\| {round_}")
        self.stop(corral, 0)



if __name__ == "__main__":
    main()
