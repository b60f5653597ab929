"""What is accepted without waiting is done: scalings and reloads have a queue, and who finds it full is told so."""

import json
import signal

from control import FaultTest, everything_from, raw_connection
from harness import await_that, main, program


class Queue(FaultTest):
    def test_what_is_accepted_is_done(self):
        """A hundred and fifty ask for a scaling at once and do not wait for it: each is told truly whether it will come."""
        corral = self.run_controlled({"a": program("hang", cores="shared")})
        self.await_listening(corral)
        corral.signal(signal.SIGSTOP)
        asked = []
        for number in range(150):
            body = json.dumps({"workers": 1 + number % 7, "wait": False}).encode()
            connection = raw_connection(self.socket)
            connection.sendall(b"POST /v1/programs/a/scale HTTP/1.1\r\nHost: corral\r\nConnection: close\r\nContent-Type: application/json\r\n"
                               b"Content-Length: %d\r\n\r\n%s" % (len(body), body))  # fmt: skip
            asked.append((1 + number % 7, connection))
        corral.signal(signal.SIGCONT)
        accepted = []
        for workers, connection in asked:
            status = everything_from(connection).split(b" ", 2)[1]
            connection.close()
            self.assertIn(status, (b"202", b"503"))
            if status == b"202":
                accepted.append(workers)
        await_that("all that was accepted is done", lambda: corral.err.count("configuration reloaded") == len(accepted))
        self.stop(corral, 0)



if __name__ == "__main__":
    main()
