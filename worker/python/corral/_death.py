"""What has become of a call that no worker has answered."""

from __future__ import annotations

from concurrent.futures import TimeoutError as FutureTimeout
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Dict, Optional


class WorkerDied(BrokenProcessPool):
    """A call has taken down every worker that tried it. The executor itself goes on.

    attempts: how often it was tried. signal, exit_status: how its last worker ended, where that was it; else None.
    core_dump, out_of_memory: whether the kernel says so. max_rss_bytes: the most memory that its last worker had.
    """

    def __init__(self, message: str, story: Optional[Dict[str, Any]] = None) -> None:
        super().__init__(message)
        self.story = story or {}
        self.attempts: int = self.story.get("attempts", 0)
        self.signal: Optional[int] = self.story.get("signal")
        self.exit_status: Optional[int] = self.story.get("exit_status")
        self.core_dump: bool = self.story.get("core_dump", False)
        self.out_of_memory: bool = self.story.get("out_of_memory", False)
        self.max_rss_bytes: int = self.story.get("max_rss_bytes", 0)

    def __reduce__(self) -> Any:
        return type(self), (*self.args, self.story)


class TaskTimeout(WorkerDied, FutureTimeout):
    """A call took longer than the executor's task_timeout; its worker was replaced."""


def death_of(story: Dict[str, Any]) -> WorkerDied:
    attempts = story.get("attempts", 0)
    message = f"{story.get('message', 'no worker has answered')}; tried {attempts} time{'' if attempts == 1 else 's'}"
    return (TaskTimeout if story.get("type") == "Timeout" else WorkerDied)(message, story)


def end_of(status: int) -> str:
    """Why nobody is there any more; as subprocess has it, a negative status is a signal."""
    if status == 125:
        return (
            "no worker could begin: each ended before it had said HELLO (corral ended with status 125); "
            "what they have written to stderr says why"
        )
    how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
    return f"corral {how}, and with it the workers"
