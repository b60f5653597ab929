"""A worker of corral.Executor: tasks are pickled calls, results pickled values."""

from __future__ import annotations

import atexit
import base64
import os
import signal
import sys
import threading
import time
import traceback
from typing import Any, Dict, Optional

from . import _claim, _logs, _pickles
from . import _protocol as protocol
from ._channel import Channel
from ._serve import serve_channel

VARIABLE = "CORRAL_EXECUTOR"


class NotReady(Exception):
    """The preparation or the initializer has failed: no task can be done here. Its text is the traceback."""


def read_setup() -> Dict[str, Any]:
    text = os.environ.pop(VARIABLE)
    if text.startswith("file:"):
        with open(text[len("file:") :], "rb") as file:
            return dict(_pickles.loads(file.read()))
    return dict(_pickles.loads(base64.b64decode(text)))


def _prepare(setup: Dict[str, Any]) -> None:
    """The parent's sys.path, and its main module under another name, as multiprocessing's spawn has it."""
    from multiprocessing import process, spawn

    process.current_process()._inheriting = True  # type: ignore[attr-defined]  # Whoever starts processes at import is told.
    try:
        spawn.prepare(setup["preparation"])
    finally:
        del process.current_process()._inheriting  # type: ignore[attr-defined]
    if setup["initializer"] is not None:
        function, arguments = _pickles.loads(setup["initializer"])
        function(*arguments)


_in_call = [False]


def _interrupt(*_: Any) -> None:
    """Ctrl-C is the end of the call in work, as in a worker of the standard library, and nothing to one that waits."""
    if _in_call[0]:
        raise KeyboardInterrupt


class _Raised(Exception):
    """A call has raised what would end this worker: it is the end of the call alone."""


def _work(payload: bytes) -> bytes:
    function, arguments, keywords = _pickles.loads(payload)
    try:
        _in_call[0] = True
        result = function(*arguments, **keywords)
        _in_call[0] = False
        return _pickles.dumps(result)
    except (SystemExit, KeyboardInterrupt) as error:
        raise _Raised from error
    finally:
        _in_call[0] = False


def _encode(error: BaseException, longest: int) -> bytes:
    if isinstance(error, NotReady):
        return _pickles.BEGINNING + str(error).encode("utf-8", "backslashreplace")[: longest - 1]
    if isinstance(error, _Raised) and error.__cause__ is not None:
        error = error.__cause__
    return _pickles.dump_error(error, longest)


_PATIENCE = 1.0  # Seconds for threads that calls have left.


def _leave_threads() -> None:
    """Nobody waits for what a call has left running: the interpreter would, until this worker is killed for it."""
    until = time.monotonic() + _PATIENCE
    pools = sys.modules.get("concurrent.futures.thread")
    if pools is not None:  # Idle threads of a pool end when they are told so, as at the end of the interpreter.
        helper = threading.Thread(target=pools._python_exit, daemon=True)
        helper.start()
        helper.join(_PATIENCE)
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(max(0.0, until - time.monotonic()))
            if thread.is_alive():
                atexit._run_exitfuncs()
                _logs.flush()
                os._exit(0)


def main() -> None:
    channel: Optional[Channel] = _claim.open_channel()
    if channel is None:
        sys.exit("corral: this is a worker of corral.Executor, which starts it by itself")
    _logs.keep_whole()
    work = _work
    signal.signal(signal.SIGINT, _interrupt)  # Before the initializer, which may have another wish.
    try:
        _prepare(read_setup())
    except BaseException:
        text = traceback.format_exc()

        def work(payload: bytes) -> bytes:
            raise NotReady(text)

    try:
        channel.greet()
        serve_channel(channel, work, _encode)
    except protocol.ProtocolError as problem:
        sys.exit(f"corral: the supervisor {problem}")
    except (BrokenPipeError, ConnectionResetError):
        if channel.forked:
            raise
        sys.exit(1)  # Nobody is there who could be told.
    finally:
        channel.release()
    if not channel.forked:
        _leave_threads()
