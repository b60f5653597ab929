"""The channel that corral handed to this process.

It is claimed when the package is imported, before the worker is likely to have started processes of its own: they are
to inherit neither the descriptor nor its number.
"""

from __future__ import annotations

import os
import stat
from typing import Optional

from ._channel import Channel
from ._protocol import MARK_SIZE, NO_TASK

VARIABLE = "CORRAL_TASK_FD"
MARK = "CORRAL_MARK_FD"


class NoChannel(Exception):
    """There is a number, and no channel behind it."""


def _claim() -> Optional[str]:
    text = os.environ.pop(VARIABLE, None)
    if text is not None and text.isascii() and text.isdigit():
        try:
            os.set_inheritable(int(text), False)
        except (OSError, OverflowError):
            pass  # open_channel() says it, to whoever wants to be served.
    return text


def _claim_mark() -> Optional[memoryview]:
    """Where this worker says which task it is at. What the variable names may be another's by now: then there is none."""
    text = os.environ.pop(MARK, "")
    if not text.isascii() or not text.isdigit():
        return None
    try:
        status = os.fstat(int(text))
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 0 or status.st_size != MARK_SIZE:
            return None
        import mmap

        memory = mmap.mmap(int(text), MARK_SIZE)
        os.close(int(text))
        return memoryview(memory).cast("Q")
    except (ImportError, OSError, OverflowError, ValueError):
        return None


_claimed = _claim()
_mark = _claim_mark()
_opened = False


def open_channel() -> Optional[Channel]:
    """None without a supervisor. The channel is there once, and for this process alone."""
    global _opened
    if _claimed is None:
        return None
    if _opened:
        raise RuntimeError("corral.serve() has served already, this process or the one that it was forked off")
    try:
        channel = Channel(int(_claimed), [NO_TASK] if _mark is None else _mark)
    except (OSError, ValueError, OverflowError) as error:
        raise NoChannel(f"{VARIABLE} is '{_claimed}', which is not an open socket: {error}") from None
    _opened = True
    return channel
