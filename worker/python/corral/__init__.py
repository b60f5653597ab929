"""Workers for corral: write a function, and `corral map` runs it on every core.

    import corral

    @corral.task
    def work(item):
        return item["n"] ** 2

    if __name__ == "__main__":
        corral.serve()

`corral map tasks.jsonl -- python3 worker.py` feeds it; without corral the same script filters standard input to
standard output, one line of JSON for each. And from within a program:

    with corral.Executor() as executor:
        squares = list(executor.map(square, range(1000)))

a concurrent.futures.Executor whose workers may be killed. Only the standard library is needed.
"""

from typing import TYPE_CHECKING, Any

from ._serve import cancelled, progress, serve, task

if TYPE_CHECKING:
    from ._death import TaskTimeout, WorkerDied
    from ._executor import Executor

__version__ = "0.1.0"
__all__ = ["Executor", "TaskTimeout", "WorkerDied", "cancelled", "progress", "serve", "task"]


def __getattr__(name: str) -> Any:
    """The executor is loaded when it is asked for: workers start in half the time without."""
    if name == "Executor":
        try:
            from ._executor import Executor
        except RuntimeError as error:  # A thread has outlived the main one, and is the first to need concurrent.futures.
            if "after shutdown" not in str(error):
                raise
            raise RuntimeError("cannot schedule new futures after interpreter shutdown") from error

        return Executor
    if name in ("TaskTimeout", "WorkerDied"):
        from . import _death

        return getattr(_death, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list:  # type: ignore[type-arg]
    return sorted([*globals(), *__all__])
