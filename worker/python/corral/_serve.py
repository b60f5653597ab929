"""What a worker script calls: @corral.task, corral.serve(), corral.progress() and corral.cancelled()."""

from __future__ import annotations

import asyncio
import inspect
import os
import sys
import time
from typing import Any, Callable, List, Optional, TypeVar, Union

from . import _claim, _filter, _logs
from . import _protocol as protocol
from ._channel import HOLD, LONG, Channel
from ._errors import encode_error, end_child
from ._json import dumps, json_work

Handler = Callable[[Any], Any]
Work = Callable[[Any], Union[bytes, bytearray]]
Encoder = Callable[[BaseException, int], bytes]
F = TypeVar("F", bound=Callable[[Any], Any])

_PROGRESS_PAUSE = 0.1  # Seconds between two PROGRESS frames that are really sent.

_marked: List[Handler] = []
_channel: Optional[Channel] = None
_filtering = False
_progress_at = -_PROGRESS_PAUSE


def task(handler: F) -> F:
    """Marks the function that corral.serve() calls for every task: the JSON value in, what becomes JSON out.

    The function itself is unchanged: call it in a test as it is. An `async def` is run to its end before the next task
    begins, all of them by one event loop.
    """
    _check(handler, "@corral.task")
    if handler not in _marked:
        _marked.append(handler)
    return handler


def serve(handler: Optional[Handler] = None) -> None:
    """Works on tasks until there are none: under corral those of its channel, else each line of standard input.

    The handler is the function that is marked with @corral.task, or the one that is given. Returns when corral has no
    more tasks. Without corral it ends the process with status 1 if any line failed, and returns otherwise.
    """
    global _channel, _filtering
    chosen = _choose(handler)
    try:
        channel = _claim.open_channel()
    except _claim.NoChannel as problem:
        sys.exit(f"corral: {problem}")
    loop = asyncio.new_event_loop() if _is_async(chosen) else None
    if loop is not None:
        asyncio.set_event_loop(loop)
        run = loop.run_until_complete
        coroutine = chosen
        chosen = lambda item: run(coroutine(item))  # noqa: E731
    try:
        if channel is None:
            _filtering = True
            _filter.run(chosen)
        else:
            _channel = channel
            _serve_supervisor(channel, json_work(chosen))
    finally:
        _channel, _filtering = None, False
        # A forked process that exits in the handler has a copy of the loop, whose descriptors are the worker's too.
        if loop is not None and not (channel is not None and channel.forked):
            _close_loop(loop)


def progress(payload: Any = None) -> None:
    """Says that the task in work is alive: its timeout begins anew. `payload`, if any, is JSON for whoever watches.

    May be called as often as one likes: ten a second are sent, the others dropped. Outside of a task it does nothing.
    """
    global _progress_at
    now = time.monotonic()
    if now - _progress_at < _PROGRESS_PAUSE:
        return
    channel = _channel
    current = None if channel is None or channel.forked else channel.current
    if current is None and not _filtering:
        return
    _progress_at = now
    data = b"" if payload is None else dumps(payload)
    if channel is None or current is None:
        if data:
            sys.stderr.write(f"corral: progress {data.decode()}\n")
        return
    if len(data) > channel.longest:
        raise ValueError(f"a progress payload of {len(data)} bytes; corral takes at most {channel.longest}")
    channel.progress(current[0], data)


def cancelled() -> bool:
    """Whether the task in work has been cancelled, so that its result is of no use any more. Return then, or raise.

    Cheap, but it is a system call: ask a thousand times a second, not a million.
    """
    channel = _channel
    if channel is None or channel.forked or channel.current is None:
        return False
    if channel.cancelled is not channel.current:
        channel.look()
    return channel.cancelled is channel.current


# --- which function ---------------------------------------------------------------------------------------------------


def _name(handler: Any) -> str:
    name = getattr(handler, "__qualname__", None) or repr(handler)
    code = getattr(handler, "__code__", None)
    return f"{name} ({os.path.basename(code.co_filename)}:{code.co_firstlineno})" if code else name


def _check(handler: Any, what: str) -> None:
    if not callable(handler):
        raise TypeError(f"{what} takes a function, and got {handler!r}")
    if inspect.isgeneratorfunction(handler) or inspect.isasyncgenfunction(handler):
        raise TypeError(f"{what}: {_name(handler)} yields; a task has one result: return it (a list, if need be)")


def _choose(handler: Optional[Handler]) -> Handler:
    if handler is not None:
        _check(handler, "corral.serve()")
        return handler
    if not _marked:
        raise TypeError("corral.serve() has nothing to call: mark a function with @corral.task, or pass one to it")
    if len(_marked) > 1:
        names = ", ".join(map(_name, _marked))
        raise TypeError(f"{len(_marked)} functions are marked with @corral.task: {names}; pass one to corral.serve()")
    return _marked[0]


def _is_async(handler: Handler) -> bool:
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(getattr(handler, "__call__", None))


def _close_loop(loop: asyncio.AbstractEventLoop) -> None:
    """As asyncio.run() leaves it: what still runs in it is cancelled and has its `finally`."""
    left = asyncio.all_tasks(loop)
    for one in left:
        one.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(loop.shutdown_default_executor())
    asyncio.set_event_loop(None)
    loop.close()


# --- under corral -----------------------------------------------------------------------------------------------------


def _serve_supervisor(channel: Channel, work: Work) -> None:
    _logs.keep_whole()
    try:
        channel.greet()
        serve_channel(channel, work)
        if channel.has_part():
            raise protocol.ProtocolError("closed the task channel in the middle of a frame")
    except protocol.ProtocolError as problem:
        sys.exit(f"corral: the supervisor {problem}")
    except (BrokenPipeError, ConnectionResetError) as error:
        if channel.forked:
            raise
        sys.exit(f"corral: the supervisor has gone, and answers with it: {error}")
    finally:
        channel.release()


def serve_channel(channel: Channel, work: Work, encode: Encoder = encode_error) -> None:
    """Answers every task with what `work` makes of its payload, or with the exception that it raises, encoded.

    SystemExit and KeyboardInterrupt are no answer but the end of this worker: signal handlers raise them. Unless they come
    out of a task they are nobody's fault, and corral is told so.
    """
    tasks, answers, forked, longest = channel.tasks, channel.answers, channel.forked, channel.longest
    take, keep, pack, clock, mark = tasks.popleft, answers.append, protocol.HEADER.pack, time.monotonic, channel.mark
    small = min(LONG, longest)
    due = clock() + HOLD
    at_work = False  # When it ended.
    try:
        while True:
            while tasks:
                channel.current = number, payload = take()
                mark[0] = number
                if not channel.watched:
                    channel.watch()
                try:
                    result = work(payload)
                    kind = 3  # RESULT
                    size = len(result)
                    if size > longest:
                        raise ValueError(f"the result has {size} bytes; corral takes at most {longest}")
                except (SystemExit, KeyboardInterrupt):
                    at_work = True
                    raise
                except BaseException as error:
                    if forked:
                        end_child(error)
                    result = encode(error, longest)
                    kind = 4  # ERROR
                    size = len(result)
                if forked:
                    end_child(None)
                if size <= small:
                    keep(pack(size, kind, number) + result)
                else:
                    channel.flush(pack(size, kind, number), result)
                if clock() >= due:
                    _logs.flush()
                    channel.flush()
                    channel.look()
                    due = clock() + HOLD
            mark[0] = protocol.NO_TASK
            _logs.flush()
            channel.flush()
            # Nobody has use for the last ones while we wait.
            channel.current = channel.cancelled = payload = result = None
            if channel.draining or channel.ended:
                return
            channel.wait()
            due = clock() + HOLD
    finally:
        channel.unwatch()
        if not forked:
            try:
                # Also when a signal ends this worker: what is done is done, and what is still on its way was not begun.
                resigns = not (at_work or channel.draining or channel.ended)
                channel.flush(protocol.frame(protocol.DRAIN, 0) if resigns else b"")
            except OSError:
                pass
