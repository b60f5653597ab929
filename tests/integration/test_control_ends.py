"""Commands while everything stops, and at the end of the supervisor."""

import os
import signal

from control import ControlTest
from harness import main, program


class Ends(ControlTest):
    def test_sigterm_while_a_command_waits(self):
        corral = self.run_controlled({"a": program("slow-stop 50", stop={"grace": "1h"}), "b": "hang"})
        self.await_listening(corral)
        corral.await_out("ready")
        rolling = self.begin_asking("restart", "*", "--rolling", "--pause", "1h")
        corral.await_start("a/0", incarnation=2)
        corral.signal(signal.SIGTERM)
        self.assertEqual(corral.wait(), 0)  # Who asked may live a moment longer.
        self.assertRegex(self.end_asking(rolling, (1, 3)).err, "stopping|told something else|closed the connection")

    def test_a_command_while_everything_stops(self):
        corral = self.run_controlled({"a": program("slow-stop 3600000", stop={"grace": "1h"})})
        self.await_listening(corral)
        corral.await_out("ready")
        corral.signal(signal.SIGTERM)
        corral.await_out("cleaning")
        for words in (["restart", "a"], ["start", "a"], ["scale", "a=3"], ["reload"], ["reload", "--plan"]):
            self.assertIn("nothing is started any more", self.ask_for(*words, status=1).err)
        stop = self.begin_asking("stop", "a")
        self.assertEqual(self.ask_for("signal", "CONT", "a").out, "sent to 1 worker\n")
        self.assertIn("the supervisor is stopping", self.ask_for("status").out)
        self.assertEqual(self.http("GET", "/v1/status")[2]["supervisor"]["phase"], "stopping")
        self.ask_for("shutdown", "--timeout", "50ms", status=124)
        self.assertEqual(self.http("GET", "/readyz")[0], 503)
        os.kill(self.workers()["a/0"]["pid"], signal.SIGKILL)
        self.assertRegex(self.end_asking(stop, (0, 3)).out, "1 worker is down|")  # 3: it ended before that was heard.
        self.finish(corral)

    def test_it_ends_with_its_programs_whoever_is_connected(self):
        release = self.path("release")
        command = ["sh", "-c", f"while ! test -e {release}; do sleep 0.01; done"]
        corral = self.run_controlled({"a": {"command": command, "restart": "never"}})
        self.await_listening(corral)
        waiting = self.begin_asking("status", "--watch=1ms")
        waiting.stdout.readline()
        open(release, "w").close()
        self.assertEqual(corral.wait(), 0)
        self.end_asking(waiting, (1, 3))


if __name__ == "__main__":
    main()
