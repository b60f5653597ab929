"""`exec` as a job of bash: Ctrl-Z, fg, bg and & do what they would without it, whoever has the terminal when."""

import fcntl
import os
import re
import signal
import struct
import termios
import time

from bash import BashTest
from harness import CORRAL, ZOO, await_that, exists, main, read


class JobControl(BashTest):
    def test_ctrl_z_and_fg(self):
        self.bash.type("$CORRAL exec -- $ZOO line u\\p + hang\n")  # The echo of what is typed is not the output.
        self.bash.await_screen(rb"up\r\n")
        for _ in range(3):
            self.stop_by_key()
            self.bash.type("fg\n")
            self.await_terminal(ZOO)
        self.assertEqual(self.interrupt(), 130)

    def test_started_in_the_background_and_stopped_when_it_reads(self):
        self.bash.type("$CORRAL exec -- /bin/cat &\n")
        self.await_both_stopped("/bin/cat")
        self.bash.await_prompt()
        self.bash.type("jobs\n")
        self.bash.await_screen(rb"Stopped.*exec -- /bin/cat")
        self.bash.type("fg\n")
        self.await_terminal("/bin/cat")
        self.talk("hello")
        self.stop_by_key()
        self.bash.type("fg\n")
        self.await_terminal("/bin/cat")
        self.talk("again")
        self.bash.type("\x04")
        self.assertEqual(self.bash.await_prompt(), 0)

    def test_brought_to_the_foreground_before_it_reads(self):
        """No SIGCONT comes: that it is in the foreground is seen when the command reads."""
        self.bash.type(f"$CORRAL exec -- /bin/sh -c 'read x <{self.gate()}; read x; echo =$x; read y; echo =$y' &\n")
        await_that("the command runs", lambda: self.of("/bin/sh")[0])
        self.bash.type("fg\n")
        await_that("it is the foreground job", lambda: os.tcgetpgrp(self.bash.master) == self.of(CORRAL)[0])
        self.open_gate()
        self.bash.type("one\n")
        self.bash.await_screen(rb"=one")
        self.await_terminal("/bin/sh")
        self.stop_by_key()
        self.bash.type("fg\n")
        self.bash.type("two\n")
        self.bash.await_screen(rb"=two")
        self.assertEqual(self.bash.await_prompt(), 0)

    def test_settings_of_the_terminal_are_a_reason_to_have_it(self):
        self.bash.type("$CORRAL exec -- /bin/sh -c 'stty -echo; stty echo; echo d\"\"one' &\n")
        self.await_both_stopped("/bin/sh")
        self.bash.await_prompt()
        self.bash.type("fg\n")
        self.bash.await_screen(rb"\ndone")
        self.assertEqual(self.bash.await_prompt(), 0)

    def test_bg_of_one_that_reads(self):
        self.bash.type("$CORRAL exec -- /bin/cat\n")
        self.await_terminal("/bin/cat")
        self.stop_by_key()
        self.bash.type("bg\n")
        self.bash.await_screen(rb"exec -- /bin/cat &")
        self.await_both_stopped("/bin/cat")
        self.bash.await_prompt()
        self.bash.type("fg\n")
        self.await_terminal("/bin/cat")
        self.talk("hello")
        self.stop_by_key()
        self.bash.type("fg\n")
        self.await_terminal("/bin/cat")
        self.bash.type("\x04")
        self.assertEqual(self.bash.await_prompt(), 0)

    def test_bg_of_one_that_does_not_read(self):
        """After `bg` and `fg` the keys reach corral's own group, and the command through it."""
        self.bash.type("$CORRAL exec -- $ZOO line u\\p + hang\n")
        self.bash.await_screen(rb"up\r\n")
        self.stop_by_key()
        for _ in range(2):
            self.bash.type("bg\n")
            await_that("it runs", lambda: self.of(ZOO)[1][0] == "S")
            self.bash.await_prompt()
            self.bash.type("fg\n")
            await_that("it is the foreground job", lambda: os.tcgetpgrp(self.bash.master) == self.of(CORRAL)[0])
            self.stop_by_key()
        self.bash.type("bg\n")
        self.bash.await_prompt()
        self.bash.type("fg\n")
        await_that("it is the foreground job", lambda: os.tcgetpgrp(self.bash.master) == self.of(CORRAL)[0])
        self.assertEqual(self.interrupt(), 130)

    def test_the_window_of_one_brought_to_the_foreground(self):
        self.bash.type("$CORRAL exec -- $ZOO count-signals TERM &\n")
        self.bash.await_screen(rb"ready")
        self.bash.type("fg\n")
        await_that("it is the foreground job", lambda: os.tcgetpgrp(self.bash.master) == self.of(CORRAL)[0])
        fcntl.ioctl(self.bash.master, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 99, 0, 0))
        self.bash.await_screen(rb"got 28 33x99")

    def test_one_that_stays_in_the_background_leaves_the_terminal_alone(self):
        self.bash.type("$CORRAL exec -- $ZOO line u\\p + exit 3 &\n")
        corral = int(self.bash.await_screen(rb"\[1\] (\d+)\r\n").group(1))
        self.await_end_in_the_background(corral, 3)

    def test_one_that_ends_in_the_background_leaves_the_terminal_alone(self):
        self.bash.type(f"$CORRAL exec -- /bin/sh -c 'echo u\"\"p; read x <{self.gate()}; exit 4'\n")
        self.bash.await_screen(rb"up\r\n")
        self.stop_by_key()
        self.bash.type("bg\n")
        self.bash.await_prompt()
        corral = self.of(CORRAL)[0]
        self.open_gate()
        self.await_end_in_the_background(corral, 4)

    def await_end_in_the_background(self, corral, status):
        await_that("bash has reaped it", lambda: not os.path.exists(f"/proc/{corral}"))
        self.assertEqual(os.tcgetpgrp(self.bash.master), self.bash.pid)
        self.bash.type("jobs\n")
        self.bash.await_screen(rb"Exit %d " % status)
        self.bash.await_prompt()

    def test_a_job_that_is_told_to_stop_in_the_background(self):
        self.bash.type("$CORRAL exec -- $ZOO line u\\p + hang &\n")
        self.bash.await_screen(rb"up\r\n")
        self.bash.type("kill -TSTP %1\n")
        self.await_both_stopped(ZOO)
        self.bash.await_prompt()
        self.bash.type("fg\n")
        self.await_terminal(ZOO)
        self.assertEqual(self.interrupt(), 130)

    def test_a_command_that_somebody_stopped_in_the_background_can_be_got_rid_of(self):
        """Whoever stopped it will continue it, so corral does not stop with it; Ctrl-Z works all the same."""
        self.bash.type("$CORRAL exec -- $ZOO line u\\p + hang &\n")
        self.bash.await_screen(rb"up\r\n")
        os.kill(self.of(ZOO)[0], signal.SIGSTOP)
        self.await_stopped(ZOO)
        self.bash.await_prompt()
        self.assertEqual(self.of(CORRAL)[1][0], "S")
        self.bash.type("fg\n")
        await_that("it is the foreground job", lambda: os.tcgetpgrp(self.bash.master) == self.of(CORRAL)[0])
        self.stop_by_key()
        self.bash.type("fg\n")
        self.await_terminal(ZOO)
        self.assertEqual(self.interrupt(), 130)

    def test_ctrl_c_ends_a_restarted_command_that_got_the_terminal_later(self):
        self.bash.type("$CORRAL exec --restart always --delay 1ms -- /bin/cat &\n")
        self.await_both_stopped("/bin/cat")
        self.bash.await_prompt()
        self.bash.type("fg\n")
        self.await_terminal("/bin/cat")
        self.assertEqual(self.interrupt(), 130)

    def test_a_terminal_that_is_not_stdin(self):
        self.bash.type("$CORRAL exec -- /bin/sh -c 'read x </dev/tty; echo =$x' </dev/null\n")
        self.bash.type("hello\n")
        self.bash.await_screen(rb"=hello")
        self.assertEqual(self.bash.await_prompt(), 0)
        self.bash.type("$CORRAL exec -- $ZOO line u\\p + hang </dev/null\n")
        self.bash.await_screen(rb"up\r\n")
        self.stop_by_key()
        self.bash.type("fg\n")
        await_that("it runs", lambda: self.of(ZOO)[1][0] == "S")
        self.assertEqual(self.interrupt(), 130)

    def test_below_a_script(self):
        """The script has no job control and corral is in its group: both stop, and both go on."""
        script = self.write("script", f"{CORRAL} exec -- /bin/cat\necho after=$?\nread x\necho =$x\n")
        self.bash.type(f"/bin/sh {script}\n")
        self.await_terminal("/bin/cat")
        self.stop_by_key()
        self.await_stopped("/bin/sh")
        self.bash.type("fg\n")
        self.await_terminal("/bin/cat")
        self.talk("hello")
        self.bash.type("\x04")
        self.bash.await_screen(rb"after=0")
        self.bash.type("mine\n")
        self.bash.await_screen(rb"=mine")
        self.assertEqual(self.bash.await_prompt(), 0)

    def test_the_rest_of_a_pipeline_gets_the_terminal_when_it_wants_it(self):
        self.bash.type("$CORRAL exec -- $ZOO line up + hang | /bin/sh -c 'read x; echo =$x; read y </dev/tty; echo =$y; read z'\n")
        self.bash.await_screen(rb"=up")
        self.bash.type("hello\n")
        self.bash.await_screen(rb"=hello")
        self.stop_by_key()
        self.await_both_stopped(ZOO)
        self.await_stopped("/bin/sh")
        self.bash.type("fg\n")
        await_that("all run", lambda: all(self.of(name)[1][0] == "S" for name in (ZOO, CORRAL, "/bin/sh")))
        self.assertEqual(self.interrupt(), 1)  # The terminal is the first one's again; the second reads the end.

    def test_a_shell_below_has_job_control_of_its_own(self):
        self.bash.type("PS1='% ' $CORRAL exec -- /bin/bash --norc --noprofile -i &\n")
        self.await_both_stopped("/bin/bash")
        self.bash.await_prompt()
        self.bash.type("fg\n")
        self.bash.await_screen(rb"% ")
        self.bash.type("$ZOO line u\\p + hang\n")
        self.bash.await_screen(rb"up\r\n")
        self.bash.type("\x1a")
        self.bash.await_screen(rb"Stopped")
        self.bash.type("suspend\n")
        self.await_both_stopped("/bin/bash")
        self.bash.await_prompt()
        self.bash.type("fg\n")
        self.bash.await_screen(rb"% ")
        self.bash.type("fg\n")
        self.await_terminal(ZOO)
        self.bash.type("\x03")
        self.bash.await_screen(rb"% ")
        self.bash.type("exit 5\n")
        self.assertEqual(self.bash.await_prompt(), 5)

    def test_without_anybody_to_stop_for_nothing_spins(self):
        """In an orphaned group corral cannot stop, and the terminal is somebody else's: the command stays stopped."""
        self.bash.type("(exec $CORRAL exec -- /bin/sh -c 'exec /bin/cat </dev/tty' &)\n")
        cat = self.await_stopped("/bin/cat")
        corral = self.of(CORRAL)[0]
        self.bash.await_prompt()
        turns = lambda: re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", read(f"/proc/{corral}/status")).group(1)
        before = turns()
        time.sleep(0.2)  # Long enough for thousands of turns.
        self.assertEqual((turns(), self.of("/bin/cat")[1][0]), (before, "T"))
        os.kill(corral, signal.SIGTERM)
        os.kill(corral, signal.SIGCONT)
        await_that("both have ended", lambda: not exists(cat) and not exists(corral))
        self.bash.await_prompt()


if __name__ == "__main__":
    main()
