"""What the handler prints: whole lines as they come, the rest at the end of a task at the latest."""

from __future__ import annotations

import io
import sys


def keep_whole() -> None:
    """Lines appear when they are complete, and a character that the log cannot show does not fail a task."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")


def flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass  # Closed, or replaced by something that has none.
