"""The channel that corral handed to this process.

It is claimed when the package is imported, before the worker is likely to have started processes of its own: they are
to inherit neither the descriptor nor its number.
"""

from __future__ import annotations

import os
from typing import Optional

from ._channel import Channel

VARIABLE = "CORRAL_TASK_FD"


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


_claimed = _claim()
_opened = False


def open_channel() -> Optional[Channel]:
    """None without a supervisor. The channel is there once, and for this process alone."""
    global _opened
    if _claimed is None:
        return None
    if _opened:
        raise RuntimeError("corral.serve() has served already, this process or the one that it was forked off")
    try:
        channel = Channel(int(_claimed))
    except (OSError, ValueError, OverflowError) as error:
        raise NoChannel(f"{VARIABLE} is '{_claimed}', which is not an open socket: {error}") from None
    _opened = True
    return channel
