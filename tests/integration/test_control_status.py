"""`corral status`, and which supervisor is meant when there are several; a supervisor that has no socket."""

import os
import signal

from control import ControlTest
from harness import QUICK, await_that, main, program

NEVER_AGAIN = {"when": "always", "delay": "1h", "max_delay": "1h", "limit": None}


class Status(ControlTest):
    def test_a_table(self):
        corral = self.run_controlled({"a": program("hang", workers=2, cores="shared"), "b": "hang"})
        self.await_listening(corral)
        pids = {name: corral.await_start(name) for name in ("a/0", "a/1", "b/0")}
        lines = self.ask_for("status").out.splitlines()
        self.assertEqual(lines[0].split(), ["WORKER", "STATE", "PID", "CORES", "UPTIME", "RESTARTS", "CPU", "MEMORY"])
        self.assertEqual([line.split()[:3] for line in lines[1:]], [[name, "running", str(pid)] for name, pid in pids.items()])
        self.assertNotIn("\033", "".join(lines))  # A pipe is no terminal.
        self.stop(corral, 0)

    def test_json_says_all_that_the_api_says(self):
        corral = self.run_controlled({"a": program("hang", workers=2, cores="shared"), "b": "hang"})
        self.await_listening(corral)
        pid = corral.await_start("b/0")
        document = self.ask_for("status", "--json").json
        own = document["supervisor"]
        self.assertEqual((own["pid"], own["config"], own["socket"]), (corral.pid, self.path("corral.json"), self.socket))
        self.assertEqual((own["phase"], type(own["uptime_seconds"])), ("running", float))
        self.assertEqual([one["program"] for one in document["programs"]], ["a", "b"])
        worker = document["workers"][2]
        self.assertEqual((worker["worker"], worker["pid"], worker["state"], worker["wanted"], worker["incarnation"]),
                         ("b/0", pid, "running", "up", 1))  # fmt: skip
        self.assertGreater(worker["memory_bytes"], 0)
        self.assertEqual(self.ask_for("status", "--json", "b").json["workers"][0]["worker"], "b/0")
        self.assertEqual(len(self.ask_for("status", "--json", "b").json["workers"]), 1)
        self.stop(corral, 0)

    def test_patterns(self):
        corral = self.run_controlled({"web-a": program("hang", workers=2, cores="shared"), "web-b": "hang", "crunch": "hang"})
        self.await_listening(corral)
        corral.await_start("crunch/0")
        names = lambda *words: [line.split()[0] for line in self.ask_for("status", *words).out.splitlines()[1:]]
        self.assertEqual(names("web-a"), ["web-a/0", "web-a/1"])
        self.assertEqual(names("web-*"), ["web-a/0", "web-a/1", "web-b/0"])
        self.assertEqual(names("web-*/0"), ["web-a/0", "web-b/0"])
        self.assertEqual(names("crunch", "web-a/1"), ["web-a/1", "crunch/0"])
        self.assertEqual(len(names("*")), 4)
        self.assertIn("'nobody' is no worker", self.ask_for("status", "nobody", status=2).err)
        self.assertIn("'web-a/7' is no worker", self.ask_for("status", "web-a", "web-a/7", status=2).err)
        self.stop(corral, 0)

    def test_ready_is_for_health_checks(self):
        corral = self.run_controlled({"a": "hang", "b": program("exit 1", restart=NEVER_AGAIN)})
        self.await_listening(corral)
        corral.await_err("b/0 .*restart 1 in")
        self.ask_for("status", "--ready", status=1)
        self.ask_for("status", "--ready", "a", status=0)
        status, _, document = self.http("GET", "/readyz")
        self.assertEqual((status, document["ready"], document["waits_for"]), (503, False, ["b/0"]))
        self.ask_for("stop", "b")
        self.ask_for("status", "--ready", status=0)  # Nobody wants it up.
        self.assertEqual(self.http("GET", "/readyz")[0], 200)
        self.assertEqual(self.http("GET", "/healthz")[::2], (200, {"ok": True}))
        self.stop(corral, 0)

    def test_one_in_backoff_says_when(self):
        corral = self.run_controlled({"a": program("exit 1", restart=NEVER_AGAIN)})
        self.await_listening(corral)
        corral.await_err("a/0 .*restart 1 in")
        self.assertRegex(self.ask_for("status").out, r"a/0 +backoff, \S+ left +- ")
        worker = self.workers()["a/0"]
        self.assertIsNone(worker["pid"])
        self.assertTrue(3000 < worker["next_start_seconds"] <= 3960, worker)
        self.stop(corral, None)

    def test_watch_goes_on_until_the_supervisor_ends(self):
        corral = self.run_controlled({"a": "hang"})
        self.await_listening(corral)
        corral.await_start("a/0")
        watching = self.begin_asking("status", "--watch=1ms")
        for _ in range(6):  # Three tables.
            self.assertTrue(watching.stdout.readline())
        corral.signal(signal.SIGTERM)
        self.assertEqual(corral.wait(), 0)  # Who watches may live a moment longer.
        self.end_asking(watching, (3, 1))

    def test_watch_is_followed_by_a_time_or_by_workers(self):
        corral = self.run_controlled({"a": "hang", "b": "hang"})
        self.await_listening(corral)
        corral.await_start("b/0")
        for words in (["--watch", "b"], ["b", "--watch", "1ms"], ["--watch", "b", "b/0"]):
            with self.subTest(words):
                watching = self.begin_asking("status", *words)
                lines = [watching.stdout.readline().split()[0] for _ in range(2)]
                self.assertEqual(lines, ["WORKER", "b/0"])
                watching.kill()
                watching.wait()
        self.assertIn("duration", self.ask_for("status", "--watch", "1w", status=2).err)
        self.stop(corral, 0)

    def test_nobody_answers(self):
        self.assertIn("no supervisor answers", self.ask_for("status", status=3).err)
        self.configure({"a": "hang"})
        whose = ["--config", self.path("corral.json")]
        self.assertIn("no supervisor runs for", self.ask_for("status", whose=whose, status=3).err)
        self.assertIn("no supervisor with the name", self.ask_for("status", whose=["--name", self.token], status=3).err)
        self.ask_for("status", "--what", status=2)
        self.ask_for("status", "--name", "a", status=2)  # --socket already says whose.


class Whose(ControlTest):
    """Found by the configuration, by name, by socket; several at once."""

    def start_named(self, folder, name):
        os.makedirs(self.path(folder), exist_ok=True)
        path = self.write(os.path.join(folder, name + ".json"), {"programs": {folder: {"command": ["sleep", "1000"]}}})
        corral = self.start("run", path)
        corral.await_start(folder + "/0")
        await_that("it is listed", lambda: path in self.listed())
        return corral, path

    def listed(self):
        return {one["config"]: one for one in self.ask_for("status", "--all", "--json", whose=[]).json if one["socket"]}

    def test_two_with_the_same_file_name(self):
        first, first_path = self.start_named("first", self.token)
        second, second_path = self.start_named("second", self.token)
        listed = self.listed()
        self.assertEqual([listed[path]["pid"] for path in (first_path, second_path)], [first.pid, second.pid])
        self.assertEqual([listed[path]["workers"] for path in (first_path, second_path)], [1, 1])
        self.assertNotEqual(listed[first_path]["socket"], listed[second_path]["socket"])
        whose = {
            "first": [["--config", first_path], ["--socket", listed[first_path]["socket"]], ["--name", listed[first_path]["name"]]],
            "second": [["--config", second_path], ["--socket", listed[second_path]["socket"]], ["--name", listed[second_path]["name"]]],
        }  # fmt: skip
        for folder, ways in whose.items():
            for way in ways:
                self.assertIn(folder + "/0", self.ask_for("status", whose=way).out, way)
        self.assertIn(first_path, self.ask_for("status", "--all", whose=[]).out)
        self.assertNotIn(first_path, self.ask_for("status", "--all", listed[second_path]["name"], whose=[]).out)
        self.assertIn(second_path, self.ask_for("status", "--all", listed[second_path]["name"], whose=[]).out)
        self.assertIn("with the name 'nosuch' runs", self.ask_for("status", "--all", "nosuch", whose=[], status=3).err)
        # The file in the folder where one stands is meant, whatever it is called elsewhere.
        os.symlink(second_path, self.path("second/corral.json"))
        self.assertIn("second/0", self.ask_for("status", whose=[], cwd=self.path("second")).out)
        first.signal(signal.SIGTERM)  # finish() would find the other one's processes.
        self.assertEqual(first.wait(), 0)
        self.assertNotIn(first_path, self.listed())
        self.assertIn("second/0", self.ask_for("status", whose=["--name", self.token]).out)
        self.stop(second, 0)

    def test_a_file_that_stands_here_and_does_not_run_is_not_taken_for_another(self):
        other, path = self.start_named("other", self.token)
        os.mkdir(self.path("here"))
        self.write("here/corral.json", {"programs": {"a": {"command": ["true"]}}})
        said = self.ask_for("stop", "*", whose=[], cwd=self.path("here"), status=3).err
        self.assertIn("no supervisor runs for 'corral.json'", said.replace("./", ""))
        self.assertIn(path, said)
        self.assertIn("other/0", self.ask_for("status", whose=["--config", path]).out)
        self.stop(other, 0)

    def test_a_relative_socket_is_in_the_folder_of_the_configuration(self):
        crashing = {"command": ["sh", "-c", "exit 9"], "restart": "never"}

        def logged(word):
            return {"command": ["sh", "-c", f"echo words of {word}; exec sleep 1000"], "log": {"to": "file", "file": "a.log"}}

        supervisors = {}
        for folder in ("first", "second"):
            os.makedirs(self.path(folder))
            path = self.write(f"{folder}/{self.token}-{folder}.json",
                              {"programs": {folder: logged(folder), "crashes": crashing},
                               "control": {"socket": "corral.sock", "token_file": "token"}, "crashes": {"folder": "crashes"}})  # fmt: skip
            supervisors[folder] = (self.start("run", os.path.basename(path), cwd=self.path(folder)), path)
        os.makedirs(self.path("third"))
        for folder, (corral, path) in supervisors.items():
            corral.await_start(folder + "/0")
            self.await_listening(corral, self.path(folder + "/corral.sock"))
            await_that("it is listed", lambda path=path: path in self.listed())
            await_that("the crash is recorded beside it", lambda folder=folder: os.path.isdir(self.path(folder + "/crashes")))
            for way in (["--config", path], ["--name", f"{self.token}-{folder}"], ["--socket", f"../{folder}/corral.sock"]):
                own = self.ask_for("status", "--json", whose=way, cwd=self.path("third")).json["supervisor"]
                self.assertEqual((own["pid"], own["socket"]), (corral.pid, self.path(folder + "/corral.sock")), way)
                await_that("it has been written", lambda way=way, folder=folder:
                           f"words of {folder}" in self.ask_for("logs", whose=way, cwd=self.path("third")).out)  # fmt: skip
            self.assertIn(folder + "/0", self.ask_for("status", whose=["--config", path], cwd=self.path("third")).out)
        for ended, other, way in (("first", "second", ["--name", f"{self.token}-first"]),
                                  ("second", None, ["--config", supervisors["second"][1]])):  # fmt: skip
            self.ask_for("shutdown", whose=way, cwd=self.path("third"))
            self.assertEqual(supervisors[ended][0].wait(), 1)  # One of its programs has failed.
            if other:
                self.assertIn(other + "/0", self.ask_for("status", whose=["--config", supervisors[other][1]]).out)
        self.assertEqual(os.listdir(self.path("third")), [])

    def test_a_name_that_two_have_is_no_name(self):
        both = []
        for folder in ("one", "two"):
            os.makedirs(self.path(folder))
            config = {"programs": {folder: {"command": ["sleep", "1000"]}}, "control": {"socket": self.token + ".sock"}}
            both.append(self.start("run", self.write(f"{folder}/corral.json", config)))
            both[-1].await_start(folder + "/0")
            self.await_listening(both[-1], self.path(f"{folder}/{self.token}.sock"))
        said = self.ask_for("shutdown", whose=["--name", self.token], status=3).err
        self.assertIn(f"several supervisors have the name '{self.token}'", said)
        self.assertIn(self.path("two/corral.json"), said)
        offered = self.ask_for("__complete", "status", "--name", self.token, whose=[]).out.splitlines()
        self.assertEqual([line.split("\t")[0] for line in offered], [self.token])
        for corral in both:
            corral.signal(signal.SIGTERM)
            self.assertEqual(corral.wait(), 0)

    def test_another_process_at_its_socket_is_told_nothing(self):
        corral = self.run_controlled({"a": "hang"})
        self.await_listening(corral)
        os.rename(self.socket, self.path("aside.sock"))
        other = self.write("other.json", {"programs": {"x": {"command": ["sleep", "1000"]}}, "control": {"socket": self.socket}})
        second = self.start("run", other)
        second.await_start("x/0")
        self.await_listening(second)
        whose = ["--config", self.path("corral.json")]
        for words in (["status"], ["stop", "*"], ["shutdown"], ["explain", "x/0"], ["events", "-f"]):
            said = self.ask_for(*words, whose=whose, status=3).err
            self.assertRegex(said, f"pid {second.pid} listens, not the supervisor of '.*corral.json' .pid {corral.pid}.")
        self.assertIn("x/0", self.ask_for("status", whose=["--config", other]).out)
        self.assertIn("a/0", self.ask_for("status", whose=["--socket", self.path("aside.sock")]).out)
        second.signal(signal.SIGTERM)
        self.assertEqual(second.wait(), 0)
        self.stop(corral, 0)

    def test_a_socket_that_is_too_long_with_the_folder(self):
        path = self.configure({"a": "hang"}, {"control": {"socket": "x" * 100}})
        self.assertRegex(self.ask_for("check", path, whose=[], status=2).err, "control/socket.*at most 107 bytes.*with the folder")

    def test_a_socket_that_is_too_long_is_refused_when_the_file_is_read(self):
        path = self.configure({"a": "hang"}, {"control": {"socket": "/tmp/" + "x" * 120}})
        answer = self.ask_for("check", path, whose=[], status=2)
        self.assertRegex(answer.out + answer.err, "control/socket.*at most 107 bytes")


class WithoutASocket(ControlTest):
    def test_switched_off(self):
        corral = self.run_config({"a": "line up + hang"}, top={"control": {"enabled": False}})
        corral.await_out("up")
        whose = ["--config", self.path("corral.json")]
        self.assertIn("has no control socket", self.ask_for("status", whose=whose, status=3).err)
        self.assertNotIn("degraded", corral.err)
        self.stop(corral, 0)

    def test_a_place_that_cannot_be_written_is_said_once(self):
        corral = self.run_config({"a": "line up + hang"}, top={"control": {"socket": self.path("no/such/folder/x.sock")}})
        corral.await_out("up")
        said = corral.await_err("^corral: .*do not reach this supervisor$").group(0)
        self.assertIn("no/such/folder", said)
        self.stop(corral, 0)
        self.assertEqual(corral.err.count("do not reach"), 1)

    def test_something_else_at_that_place_is_left_alone(self):
        self.write("control.sock", "precious")
        corral = self.run_controlled({"a": "line up + hang"})
        corral.await_out("up")
        corral.await_err("is no socket that could be replaced.*do not reach")
        self.stop(corral, 0)
        with open(self.socket) as file:
            self.assertEqual(file.read(), "precious")

    def test_a_restart_by_policy_goes_on_as_ever(self):
        corral = self.run_config({"a": program("line up + exit 1", restart=QUICK)}, top={"control": {"enabled": False}})
        corral.await_out("up", count=5)
        self.stop(corral, 0)


if __name__ == "__main__":
    main()
