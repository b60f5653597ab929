"""Payloads as JSON: what json.loads and json.dumps do, without what they do anew for every call.

Stricter than they are in one point: NaN and Infinity are no JSON, and are refused both ways.
"""

from __future__ import annotations

import json
from json import encoder as _encoder
from typing import Any, Callable, Dict, NoReturn


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)
_ASCII = json.JSONEncoder(allow_nan=False, separators=(",", ":"))
_PLAIN = json.JSONEncoder(allow_nan=False, separators=(",", ":"), ensure_ascii=False)


def loads(payload: Any) -> Any:
    """The value in UTF-8 bytes; a ValueError says what is wrong with them."""
    try:
        text = payload.decode()
        # A mark at the beginning of a file that was written on Windows.
        return _DECODER.decode(text[1:] if text.startswith("\ufeff") else text)
    except (ValueError, RecursionError) as error:
        # Without its cause, whose frames are those of the json package, and not of anybody's mistake.
        raise ValueError(f"the task is not JSON: {error}") from None


def dumps(value: Any) -> bytes:
    """UTF-8; what UTF-8 has no bytes for, which is half a surrogate pair, is escaped."""
    try:
        return _PLAIN.encode(value).encode()
    except UnicodeEncodeError:
        return _ASCII.encode(value).encode()


def dump_result(value: Any) -> bytes:
    try:
        return dumps(value)
    except (TypeError, ValueError, RecursionError) as error:
        kind = next(kind for kind in (TypeError, ValueError, RecursionError) if isinstance(error, kind))
        raise kind(f"the result is not JSON: {error}") from None


def json_work(handler: Callable[[Any], Any]) -> Callable[[Any], bytes]:
    """Payload in, payload out. What is usual is a few calls into C; the rest takes the way of loads() and dumps()."""
    scan = _DECODER.scan_once
    join = "".join
    markers: Dict[int, Any] = {}
    chunks = _fast_chunks(markers)

    def work(payload: Any) -> bytes:
        try:
            text = payload.decode()
            item, end = scan(text, 0)
            if end != len(text):
                item = loads(payload)
        except (ValueError, StopIteration, RecursionError):
            item = loads(payload)
        result = handler(item)
        try:
            return join(chunks(result, 0)).encode()
        except Exception:
            markers.clear()  # What a failed encoding leaves behind would look like a circle to the next one.
            return dump_result(result)

    return work


def _fast_chunks(markers: Dict[int, Any]) -> Callable[[Any, int], Any]:
    """json's own encoder in C, made once instead of for every call; where there is none, what JSONEncoder does."""
    try:
        make: Any = _encoder.c_make_encoder  # type: ignore[attr-defined]
        chunks = make(markers, _PLAIN.default, _encoder.encode_basestring, None, ":", ",", False, False, False)
        if "".join(chunks({"a": [1, None, "\u00e4"]}, 0)) == '{"a":[1,null,"\u00e4"]}':
            return chunks
    except (AttributeError, TypeError):
        pass
    return lambda value, _: _PLAIN.iterencode(value)
