"""What the executor and its workers say to each other: calls, results and exceptions, pickled."""

from __future__ import annotations

import itertools
import pickle
import traceback
from typing import Any, Callable, Iterable, Iterator, List, Tuple

PROTOCOL = 5
BEGINNING = b"\0"  # In front of an ERROR that says that no task can be done at all; a pickle never begins with it.

loads = pickle.loads


def dumps(value: Any) -> bytes:
    return pickle.dumps(value, PROTOCOL)


class RemoteTraceback(Exception):
    """The cause of an exception that was raised in a worker: shows where."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


def _rebuild(error: BaseException, text: str) -> BaseException:
    error.__cause__ = RemoteTraceback(text)
    return error


class _Carried:
    """An exception with its traceback as text, since tracebacks themselves do not travel."""

    def __init__(self, error: BaseException, text: str) -> None:
        self._error = error
        self._text = text

    def __reduce__(self) -> Tuple[Callable[..., BaseException], Tuple[BaseException, str]]:
        return _rebuild, (self._error, self._text)


def _text_of(error: BaseException) -> str:
    return '\n"""\n' + "".join(traceback.format_exception(type(error), error, error.__traceback__)) + '"""'


def dump_error(error: BaseException, longest: int) -> bytes:
    """Of one that cannot be pickled, or not be made from its pickle again, the reason why goes instead."""
    text = _text_of(error)
    error.__traceback__ = None  # It holds the arguments of the call.
    try:
        payload = dumps(_Carried(error, text))
        loads(payload)
    except Exception as problem:
        instead = pickle.PicklingError(f"{type(error).__qualname__} was raised, which does not survive pickling: {problem}")
        payload = dumps(_Carried(instead, text))
    if len(payload) <= longest:
        return payload
    return dumps(pickle.PicklingError(f"{type(error).__qualname__} was raised; it has {len(payload)} bytes, corral takes {longest}"))


def run_chunk(function: Callable[..., Any], chunk: Iterable[Tuple[Any, ...]]) -> List[Any]:
    return [function(*arguments) for arguments in chunk]


def in_chunks(calls: Iterable[Tuple[Any, ...]], size: int) -> Iterator[Tuple[List[Tuple[Any, ...]]]]:
    calls = iter(calls)
    while chunk := list(itertools.islice(calls, size)):
        yield (chunk,)
