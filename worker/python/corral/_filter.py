"""Without a supervisor: one line of JSON in on standard input, one line out on standard output.

Every line has its line: a task that fails leaves {"error": ...} there and its traceback on standard error. What the
handler and its child processes print goes to standard error too, and none of them can read the tasks away.
"""

from __future__ import annotations

import fcntl
import os
import sys
from typing import Any, Callable

from . import _logs
from ._errors import end_child, message_of, traceback_of, type_name
from ._json import dumps, json_work


def run(handler: Callable[[Any], Any]) -> None:
    source, target = _take_streams()
    if os.isatty(source.fileno()):
        sys.stderr.write("corral: no supervisor; reading tasks from the terminal: one JSON value a line, Ctrl-D ends\n")
    work = json_work(handler)
    count = failed = 0
    in_work = False
    owner = os.getpid()
    try:
        for line in iter(source.readline, b""):
            count += 1
            try:
                in_work = True
                answer = work(line.rstrip(b"\r\n"))
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:
                if os.getpid() != owner:
                    end_child(error)
                failed += 1
                sys.stderr.write(f"corral: line {count} failed:\n{traceback_of(error)}")
                answer = dumps({"error": {"type": type_name(error), "message": message_of(error)}})
            if os.getpid() != owner:
                end_child(None)
            in_work = False
            _logs.flush()
            _write(target, answer + b"\n")
    except KeyboardInterrupt:
        if in_work:
            raise  # The traceback shows where the handler was.
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(141)  # What `| head` does to any filter.
    if failed:
        sys.exit(f"corral: {failed} of {count} tasks failed")


def _take_streams() -> Any:
    """Standard input and output for ourselves; the terminal (or nothing) and standard error for everybody else."""
    if sys.__stdin__ is None or sys.__stdout__ is None:  # Closed when Python started, and anything by now.
        sys.exit("corral: neither CORRAL_TASK_FD nor standard input and output")
    # From 10 on: where standard error is closed, its number is free, and not for this.
    source = os.fdopen(fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, 10), "rb")
    target = os.fdopen(fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, 10), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    try:
        os.dup2(2, 1)
    except OSError:
        os.dup2(nothing, 1)
    os.close(nothing)
    _logs.flush()  # What was printed before: no result either.
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")
    sys.stdout = sys.stderr
    try:
        sys.stdin = open("/dev/tty")  # breakpoint() in the handler has somebody to talk to.
    except OSError:
        pass
    return source, target


def _write(target: Any, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[target.write(left) :]
