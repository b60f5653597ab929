"""An exception as the ERROR of a task: its type, its message, and where it came from in the worker's own code."""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import Dict, List, NoReturn, Optional

from . import _logs

_OWN = os.path.dirname(os.path.abspath(__file__)) + os.sep
_MOST = 64 * 1024  # Characters of a message or a traceback: enough for every reader.


def type_name(error: BaseException) -> str:
    """As a traceback has it: with its module, unless that is obvious."""
    kind = type(error)
    module = getattr(kind, "__module__", None)
    return kind.__qualname__ if module in ("builtins", "__main__", None) else f"{module}.{kind.__qualname__}"


def message_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return f"<{type(error).__qualname__} whose text cannot be had>"


def traceback_of(error: BaseException) -> str:
    """As Python prints it, without frames of this package."""
    try:
        whole = traceback.TracebackException(type(error), error, error.__traceback__)
        _drop_own_frames(whole)
        return "".join(whole.format())
    except Exception:  # Exceptions may do anything when they are looked at; they must not take the worker along.
        return f"{type_name(error)}: {message_of(error)}\n"


def describe(error: BaseException) -> Dict[str, str]:
    message, trace = message_of(error), traceback_of(error)
    if len(message) > _MOST:
        message = message[:_MOST] + "..."
    if len(trace) > _MOST:
        trace = trace[: _MOST // 2] + "\n...\n" + trace[-_MOST // 2 :]
    return {"type": type_name(error), "message": message, "traceback": trace}


def encode_error(error: BaseException, longest: int) -> bytes:
    """The payload of ERROR, in ASCII (an exception's text may have what UTF-8 has not), cut until it fits."""
    story = describe(error)
    while True:
        payload = json.dumps(story).encode()
        if len(payload) <= longest or not any(story.values()):
            return payload
        story = {key: text[: len(text) // 2] for key, text in story.items()}


def _drop_own_frames(whole: traceback.TracebackException) -> None:
    """Of the exception, its causes and the members of a group: a tree here, whatever they were before."""
    _drop_outer_asyncio(whole.stack)
    waiting: List[Optional[traceback.TracebackException]] = [whole]
    while waiting:
        one = waiting.pop()
        if one is None:
            continue
        one.stack[:] = [frame for frame in one.stack if not frame.filename.startswith(_OWN)]
        waiting += [one.__cause__, one.__context__, *(getattr(one, "exceptions", None) or ())]


def _drop_outer_asyncio(stack: traceback.StackSummary) -> None:
    """An async handler is run by a loop; how that does it helps nobody."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None or not asyncio.__file__:
        return
    loop = os.path.dirname(asyncio.__file__) + os.sep
    while stack and stack[0].filename.startswith((_OWN, loop)):
        del stack[0]


def end_child(error: Optional[BaseException]) -> NoReturn:
    """A process that the handler forked off has come back from it. It must not go on as if it were the worker."""
    if error is not None:
        sys.stderr.write(traceback_of(error))
    sys.stderr.write("corral: a process that was forked in the handler returned from it; it ends here (use os._exit)\n")
    _logs.flush()
    os._exit(1)
