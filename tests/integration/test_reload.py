"""SIGHUP: what did not change keeps its processes; a file with a mistake changes nothing and says why."""

import os
import signal

from harness import QUICK, CorralTest, await_that, exists, main, program


class Reload(CorralTest):
    def reload(self, corral, programs, pattern="configuration reloaded", count=1, top=None):
        self.configure(programs, top)
        corral.signal(signal.SIGHUP)
        return corral.await_err(pattern, count=count)

    def test_kept_replaced_added_and_removed(self):
        corral = self.run_config({"same": program("hang", workers=2), "changed": "hang", "removed": "hang"})
        same = [corral.await_start(f"same/{index}") for index in range(2)]
        changed, removed = corral.await_start("changed/0"), corral.await_start("removed/0")
        self.reload(corral, {"same": program("hang", workers=2), "changed": "line new + hang", "added": "line hello + hang"})
        corral.await_out("changed/0 \\| new")
        corral.await_out("added/0 \\| hello")
        self.assertNotEqual(corral.await_start("changed/0", incarnation=2), changed)
        await_that("the removed one is gone", lambda: not exists(removed))
        self.assertEqual([len(corral.pids(f"same/{index}")) for index in range(2)], [1, 1])
        self.assertTrue(all(exists(pid) for pid in same))
        self.assertRegex(corral.err, "reloaded: 2 workers kept, 1 replaced, 1 started, 1 stopped")
        self.stop(corral, 0)

    def test_a_change_of_policy_alone_keeps_the_process_and_is_obeyed(self):
        corral = self.run_config({"a": program("ignore TERM + line up + hang", stop={"grace": "1h"})})
        corral.await_out("up")
        pid = corral.await_start("a/0")
        self.reload(corral, {"a": program("ignore TERM + line up + hang", stop={"grace": "10ms"}, restart="always")})
        self.assertTrue(exists(pid))
        self.stop(corral, 3)
        self.assertEqual(corral.pids("a/0"), [pid])
        self.assertRegex(corral.err, "grace of 10 ms")

    def test_every_kind_of_mistake_changes_nothing_and_is_named(self):
        corral = self.run_config({"a": "line up + hang"})
        pid = corral.await_start("a/0")
        wrongs = {
            "{": "corral.json:1:",
            '{"programs": {"a": {"comand": ["x"]}}}': "comand",
            '{"programs": {"a": {"command": ["/no/such/file"]}}}': "/no/such/file",
            '{"programs": {"a": {"command": ["true"], "directory": "/no/such/folder"}}}': "/no/such/folder",
            '{"programs": {"a": {"command": ["true"], "user": "0day"}}}': "0day",
            '{"programs": {"a": {"command": ["true"], "workers": -1}}}': "workers",
            "": "empty",
        }
        for number, (text, cause) in enumerate(wrongs.items(), 1):
            with self.subTest(text):
                self.write("corral.json", text)
                corral.signal(signal.SIGHUP)
                said = corral.await_err("^corral: the configuration stays as it was: .*", count=number).group(0)
                self.assertIn(cause, said)
                self.assertIn(self.path("corral.json"), said)
        os.unlink(self.path("corral.json"))
        corral.signal(signal.SIGHUP)
        said = corral.await_err("^corral: the configuration stays as it was: .*cannot read the configuration.*", count=1).group(0)
        self.assertNotIn(":0:0", said)
        self.assertNotIn("at /:", said)
        self.assertEqual(corral.pids("a/0"), [pid])
        self.assertTrue(exists(pid))
        self.stop(corral, 0)

    def test_more_and_fewer_workers(self):
        corral = self.run_config({"a": program("line up + hang", workers=2, cores="shared")})
        corral.await_out("up", count=2)
        self.reload(corral, {"a": program("line up + hang", workers=5, cores="shared")})
        corral.await_out("up", count=7)
        self.reload(corral, {"a": program("line up + hang", workers=1, cores="shared")}, count=2)
        corral.await_out("up", count=8)
        self.stop(corral, 0)

    def test_a_failed_program_gets_another_chance_with_a_new_definition(self):
        corral = self.run_config({"a": program("exit 1", restart="never"), "b": "hang"})
        corral.await_err("a/0 .*failed")
        self.reload(corral, {"a": program("line cured + hang", restart="never"), "b": "hang"})
        corral.await_out("cured")
        self.stop(corral, None)

    def test_removed_while_its_workers_are_slow_to_stop(self):
        corral = self.run_config({"slow": program("slow-stop 200"), "b": "hang"})
        corral.await_out("ready")
        self.reload(corral, {"b": "hang"})
        corral.await_out("cleaned")
        corral.await_err("slow/0 .*ended as asked")
        # Its name comes back as a new program.
        self.reload(corral, {"slow": program("line again + hang"), "b": "hang"}, count=2)
        corral.await_out("again")
        self.stop(corral, 0)

    def test_a_removed_program_in_backoff_never_comes_back(self):
        policy = {"when": "always", "delay": "1h", "max_delay": "1h", "limit": None}
        corral = self.run_config({"a": program("exit 1", restart=policy), "b": "hang"})
        corral.await_err("a/0 .*restart 1 in")
        self.reload(corral, {"b": "hang"})
        self.stop(corral, 0)
        self.assertEqual(len(corral.pids("a/0")), 1)

    def test_fifty_reloads_under_load_with_a_sigterm_in_the_middle(self):
        corral = self.run_config(self.variant(0))
        corral.await_start("kept/0")
        for number in range(1, 51):
            self.configure(self.variant(number))
            corral.signal(signal.SIGHUP)
            if number % 3 == 0:
                corral.await_err("configuration reloaded", count=number // 3)
        self.configure(self.variant(99))
        corral.signal(signal.SIGHUP)
        self.stop(corral, 0)
        self.assertNotIn("internal error", corral.err)

    @staticmethod
    def variant(number):
        return {
            "loop": program(f"sleep {1 + number % 3} + exit 1", workers=4, cores="shared", restart=QUICK),
            "kept": program("hang", workers=2, cores="shared"),
            **({"sometimes": program("slow-stop 5", workers=1 + number % 4, cores="shared")} if number % 2 else {}),
        }

    def test_a_reload_that_arrives_while_one_is_under_way_is_not_lost(self):
        for number in range(10):
            with self.subTest(number):
                corral = self.run_config({"a": "line first + hang"})
                corral.await_out("first")
                self.configure({"a": "line second + hang"})
                corral.signal(signal.SIGHUP)
                self.configure({"a": f"line third-{number} + hang"})
                corral.signal(signal.SIGHUP)
                corral.await_out(f"third-{number}")
                self.stop(corral, 0)


if __name__ == "__main__":
    main()
