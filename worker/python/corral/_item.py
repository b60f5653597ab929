"""A call on its way, and how its future is told what has become of it."""

from __future__ import annotations

import json
import os
import threading
from concurrent.futures import Future
from typing import Any, Optional

from . import _pickles
from . import _protocol as protocol
from ._death import death_of


class Item:
    """A submitted call: its future, and its pickle until it is known to be in work."""

    __slots__ = ("future", "payload", "number", "decided")

    def __init__(self, future: "Future[Any]", payload: Optional[bytes]) -> None:
        self.future = future
        self.payload = payload
        self.number = -1  # Until it is sent.
        self.decided: Optional[threading.Event] = None  # Somebody wants to cancel it, and waits for corral's word.


def tell_cancelled(future: "Future[Any]") -> None:
    Future.cancel(future)
    future.set_running_or_notify_cancel()


def tell_answer(future: "Future[Any]", kind: int, payload: Any) -> None:
    """RESULT, ERROR or QUARANTINED."""
    if kind == protocol.QUARANTINED:
        future.set_exception(death_of(json.loads(bytes(payload))))
        return
    try:
        value = _pickles.loads(payload)
    except BaseException as error:
        future.set_exception(error)
        return
    if kind == protocol.RESULT:
        future.set_result(value)
    else:
        future.set_exception(value)


def remove(path: Optional[str]) -> None:
    """The file from which workers were told of their setup, if one was needed."""
    try:
        if path is not None:
            os.unlink(path)
    except OSError:
        pass
