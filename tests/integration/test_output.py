"""Workers' lines: whole, prefixed, byte for byte; readers that stop reading or go away."""

import json
import os
import re
import signal
import subprocess
import time

from harness import CORRAL, QUICK, CorralTest, await_that, main, processes_with, program, read, sanitized, zoo

PIECE = 64 * 1024


def resident(pid):
    return int(re.search(r"VmRSS:\s+(\d+) kB", read(f"/proc/{pid}/status")).group(1)) * 1024


class Lines(CorralTest):
    def test_lines_of_many_workers_are_whole_and_each_workers_are_in_order(self):
        corral = self.run_config({"a": program("lines 2000 " + "x" * 80, workers=6, cores="shared")})
        self.finish(corral, 0)
        seen = {}
        for line in corral.out.splitlines():
            match = re.fullmatch(r"a/(\d) \| x{80} (\d+)", line)
            self.assertTrue(match, line)
            seen.setdefault(match.group(1), []).append(int(match.group(2)))
        self.assertEqual(seen, {str(index): list(range(2000)) for index in range(6)})

    def test_stdout_and_stderr_stay_apart(self):
        corral = self.run_config({"a": "line to-out + err to-err"})
        self.finish(corral, 0)
        self.assertEqual(corral.out, "a/0 | to-out\n")
        self.assertIn("a/0 | to-err\n", corral.err)

    def test_what_a_worker_wrote_before_its_end_is_not_lost(self):
        corral = self.run_config({"a": program("lines 500 last-words + crash KILL", workers=4, restart="never", cores="shared")})
        self.finish(corral, 1)
        self.assertEqual(len(corral.out.splitlines()), 2000)

    def test_half_a_line_at_the_end_is_a_line(self):
        corral = self.run_config({"a": "bytes " + b"no end".hex()})
        self.finish(corral, 0)
        self.assertEqual(corral.out, "a/0 | no end\n")

    def test_a_line_of_100_mb_comes_in_marked_pieces_and_memory_stays_flat(self):
        size = 100 * 1000 * 1000
        corral = self.run_config({"a": f"long-line {size} + line  after + sleep 1"})
        peak = 0
        while corral.process.poll() is None:
            try:
                peak = max(peak, resident(corral.pid))
            except AttributeError:
                break
        self.finish(corral, 0)
        lines = corral.raw_out.splitlines()
        self.assertTrue(all(line.startswith(b"a/0 > a") for line in lines[:-1]), lines[0][:40])
        self.assertTrue(lines[-1].startswith(b"a/0 | ") and lines[-1].endswith(b"after"), lines[-1][-40:])
        self.assertTrue(all(len(line) <= PIECE + 6 for line in lines))
        self.assertEqual(sum(len(line) - 6 for line in lines), size + len("after"))
        self.assertLess(peak, 1 << 30 if sanitized else 64 << 20)

    awkward = b"nul:\0 esc:\x1b]0;x\x07 bad:\xff\xfe\xc3( tab:\t cr:\rend"

    def test_text_is_byte_exact(self):
        corral = self.run_config({"a": "bytes " + (self.awkward + b"\n").hex()})
        self.finish(corral, 0)
        self.assertEqual(corral.raw_out, b"a/0 | " + self.awkward + b"\n")

    def test_json_is_valid_whatever_a_worker_writes(self):
        corral = self.run_config({"a": "bytes " + (self.awkward + b"\n").hex() + " + err x + long-line 70000"}, "--log-format", "json")
        self.finish(corral, 0)
        lines = [json.loads(line) for line in corral.raw_out.decode("utf-8").splitlines()]
        self.assertEqual(lines[0]["worker"], "a/0")
        self.assertEqual(lines[0]["stream"], "stdout")
        self.assertIn("nul:\0 esc:\x1b]0;x\x07 bad:", lines[0]["line"])
        self.assertTrue(lines[1]["goes_on"])
        events = [json.loads(line) for line in corral.raw_out.decode().splitlines() + corral.err.splitlines()]
        self.assertIn("worker_ended", [event.get("event") for event in events])
        self.assertTrue(all("time" in event and "source" in event for event in events))

    def test_quiet_says_only_what_is_not_routine(self):
        corral = self.run_config({"a": "line x"}, "--quiet")
        self.finish(corral, 0)
        self.assertEqual((corral.out, corral.err), ("a/0 | x\n", ""))

    def test_colours_where_asked(self):
        corral = self.run_config({"a": "line x"}, "--color", "always") if self.has_color() else None
        if corral is None:
            self.skipTest("no --color option")
        self.finish(corral, 0)
        self.assertIn("\x1b[", corral.out)

    @staticmethod
    def has_color():
        return "--color" in subprocess.run([CORRAL, "run", "--help"], capture_output=True, text=True).stdout


class Readers(CorralTest):
    def test_a_reader_that_went_away_harms_nobody(self):
        ours, theirs = os.pipe()
        corral = self.run_config({"a": program("flood 1", workers=2, cores="shared", restart="never")}, stdout=theirs)
        os.close(theirs)
        os.read(ours, 1000)
        os.close(ours)
        corral.await_err("cannot write to stdout: Broken pipe")
        for index in (0, 1):
            self.assertTrue(os.path.exists(f"/proc/{corral.await_start(f'a/{index}')}"))
        self.stop(corral, 0)
        self.assertNotIn("killed by signal 13", corral.err)

    def test_a_worker_has_the_default_sigpipe(self):
        ours, theirs = os.pipe()
        os.close(ours)
        corral = self.start("exec", "--", *zoo("flood 1"), stdout=theirs)
        os.close(theirs)
        self.finish(corral, 128 + signal.SIGPIPE)

    def test_a_reader_that_stalls_costs_no_memory_and_no_stop(self):
        ours, theirs = os.pipe()
        corral = self.run_config({"a": program("flood 1", workers=4, cores="shared")}, stdout=theirs)
        os.close(theirs)
        pids = [corral.await_start(f"a/{index}") for index in range(4)]
        before = resident(corral.pid)
        # Every worker comes to wait in its own pipe.
        await_that("workers wait", lambda: all("pipe" in read(f"/proc/{pid}/wchan") for pid in pids))
        self.assertLess(resident(corral.pid) - before, 32 << 20)
        corral.signal(signal.SIGTERM)
        self.finish(corral, 0)
        os.close(ours)

    def stop_with_stalled(self, readers):
        """How long a stop takes while nobody reads stdout, and with two of them stderr as well."""
        pipes = [os.pipe(), os.pipe()]
        second = "yes " + "x" * 200 + " >&2" if readers == 2 else "exec sleep 600"  # Millions of tiny lines are work, with sanitizers.
        corral = self.run_config({"a": program("flood 1", restart="never"), "b": {"command": ["sh", "-c", second], "restart": "never"}},
                                 stdout=pipes[0][1], stderr=pipes[1][1])  # fmt: skip
        for _, theirs in pipes:
            os.close(theirs)
        await_that("workers wait", lambda: sum("pipe" in read(f"/proc/{pid}/wchan") for pid in processes_with(self.token)) == readers)
        begin = time.monotonic()
        self.stop(corral, 0)
        took = time.monotonic() - begin
        for ours, _ in pipes:
            os.close(ours)
        return took

    def test_two_readers_that_stall_cost_no_more_than_one_at_the_end(self):
        # A busy machine makes a stop longer, and none makes it shorter: the least of several is what corral takes. Sanitizers make each longer.
        one, two = self.stop_with_stalled(1), self.stop_with_stalled(2)
        for _ in range(5):
            if two >= one + 0.9:
                one, two = min(one, self.stop_with_stalled(1)), min(two, self.stop_with_stalled(2))
        self.assertGreater(min(one, two), 0.9)
        self.assertLess(two, one + 0.9)

    def test_nothing_is_lost_when_a_stalled_reader_reads_on(self):
        ours, theirs = os.pipe()
        corral = self.run_config({"a": program("lines 30000 " + "y" * 100)}, stdout=theirs)
        os.close(theirs)
        pid = corral.await_start("a/0")
        await_that("the worker waits", lambda: "pipe" in read(f"/proc/{pid}/wchan"))
        with open(ours, "rb") as stream:
            lines = stream.read().splitlines()
        self.finish(corral, 0)
        self.assertEqual([int(line.split()[-1]) for line in lines], list(range(30000)))

    def test_stdout_on_a_full_device_is_reported_once(self):
        with open("/dev/full", "wb") as full:
            corral = self.run_config({"a": program("line x + exit 1", restart={**QUICK, "limit": {"restarts": 5, "within": "1m"}})}, stdout=full)
            self.finish(corral, 1)
        self.assertEqual(len(re.findall("cannot write to stdout: No space left", corral.err)), 1, corral.err)

    def test_stdout_to_a_file(self):
        path = self.path("log")
        with open(path, "wb") as file:
            corral = self.run_config({"a": "lines 20000 zz"}, stdout=file)
            self.finish(corral, 0)
        self.assertEqual(read(path).splitlines(), [f"a/0 | zz {n}" for n in range(20000)])

    def test_a_file_size_limit_kills_nobody(self):
        path = self.path("log")
        with open(path, "wb") as file:
            corral = self.run_config({"a": program("lines 5000 zz + line done >&2 + sleep 10")}, stdout=file,
                                     wrapper=["prlimit", "--fsize=65536"])  # fmt: skip
            self.finish(corral, 0)
        self.assertLessEqual(os.path.getsize(path), 65536)
        self.assertRegex(corral.err, "cannot write to stdout: File too large")


class OneWorker(CorralTest):
    def test_that_the_format_is_not_for_the_command_is_said(self):
        corral = self.start("exec", "--log-format", "json", "--", *zoo("line plain"))
        self.finish(corral, 0)
        self.assertEqual(corral.out, "plain\n")
        (said,) = [json.loads(line) for line in corral.err.splitlines()]
        self.assertRegex(said["message"], "--log-format json is for what corral itself says")
        quiet = self.start("exec", "--log-format", "json", "--quiet", "--", *zoo("line plain"))
        self.finish(quiet, 0)
        self.assertEqual((quiet.out, quiet.err), ("plain\n", ""))


class OnePlace(CorralTest):
    def test_in_one_file_what_is_said_of_a_worker_stands_around_what_it_said(self):
        path = self.path("log")
        words = {f"p{index}": {"command": ["sh", "-c", "echo first; echo second >&2"], "restart": "never"} for index in range(20)}
        with open(path, "wb", buffering=0) as log:
            corral = self.run_config(words, stdout=log, stderr=log)
            self.finish(corral, 0)
        text = read(path)
        for name in words:
            places = [text.index(what) for what in (f"{name}/0 (pid", f"{name}/0 | first", f"{name}/0 | second")]
            ended = re.search(rf"{name}/0 \(pid \d+\) exited", text).start()
            self.assertLess(places[0], min(places[1:]))
            self.assertLess(max(places[1:]), ended)


if __name__ == "__main__":
    main()
