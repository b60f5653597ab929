"""corral.Executor: a concurrent.futures.Executor whose workers may be killed."""

from __future__ import annotations

import base64
import itertools
import os
import shutil
import sys
import tempfile
import threading
import time
import weakref
from concurrent.futures import Executor as BaseExecutor
from concurrent.futures import Future
from functools import partial
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple

from . import _pickles, _pool
from ._executor_options import map_options
from ._executor_worker import VARIABLE
from ._pool import Item, Pool
from ._protocol import ANY_LENGTH as LONGEST

_MOST_IN_ENVIRONMENT = 32 * 1024  # Bytes: beyond that, what workers are told first goes through a file.
_exiting = False
_main_file = getattr(sys.modules.get("__main__"), "__file__", None)  # Gone once the main thread is at its end.


class CallFuture(Future):  # type: ignore[type-arg]
    """The future of a call. cancel() may have to ask a worker whether it has begun, which takes milliseconds."""

    _pool: "Optional[Pool]" = None
    _item: "Optional[Item]" = None

    def cancel(self) -> bool:
        pool, item = self._pool, self._item
        if pool is None or item is None or pool.cancel(item):
            return super().cancel()
        return self.cancelled()

    def set_result(self, result: Any) -> None:
        super().set_result(result)
        self._pool = self._item = None  # Not before: until it is done only the pool knows whether it can be cancelled.

    def set_exception(self, exception: Optional[BaseException]) -> None:
        super().set_exception(exception)
        self._pool = self._item = None

    def set_running_or_notify_cancel(self) -> bool:
        running = super().set_running_or_notify_cancel()
        if not running:
            self._pool = self._item = None
        return running


class Executor(BaseExecutor):
    """Runs calls in worker processes, one for each core, that corral supervises.

    A worker that dies takes nothing along but the call that it was at, and that one is tried again on a fresh worker,
    alone, `retries` times; then its future has WorkerDied, and the executor goes on.

    max_workers: how many; one for each core that this process may use if not given.
    initializer, initargs: called in each worker before its first call. If it raises, the executor is broken.
    max_tasks_per_child: a worker that has done so many calls is replaced.
    retries: how often a call is tried again after it has taken a worker down. 0 to 1000.
    task_timeout: seconds that a call may take. Beyond it its worker is killed, and its future has TaskTimeout.
    cores: "separate", as it is if not given: each worker has a core of its own, and libraries that have threads are told so
        (OMP_NUM_THREADS and its like). "shared": workers run where the kernel likes and know nothing of cores; for calls
        that have threads or an executor of their own. Or a list of CPUs, such as "0-3,8".

    The program `corral` is looked for in CORRAL_BIN, then in PATH, when the first call is submitted.
    """

    def __init__(
        self,
        max_workers: Optional[int] = None,
        initializer: Optional[Callable[..., object]] = None,
        initargs: Tuple[Any, ...] = (),
        *,
        max_tasks_per_child: Optional[int] = None,
        retries: int = 2,
        task_timeout: Optional[float] = None,
        cores: Optional[str] = None,
    ) -> None:
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        self._workers, self._options = map_options(max_workers, max_tasks_per_child, retries, task_timeout, cores)
        self._initializer = None if initializer is None else _pickles.dumps((initializer, initargs))
        self._lock = threading.Lock()
        self._pool: Optional[Pool] = None
        self._shut_down = False
        self._owner = os.getpid()

    # --- the interface of concurrent.futures --------------------------------------------------------------------------

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        pool = self._running()
        item, future = _make(pool, fn, args, kwargs)
        if item is not None:
            pool.submit([item])
        return future

    def map(
        self, fn: Callable[..., Any], *iterables: Iterable[Any], timeout: Optional[float] = None, chunksize: int = 1
    ) -> Iterator[Any]:
        """As Executor.map; `chunksize` calls at a time go to a worker together, and are retried together."""
        if chunksize < 1:
            raise ValueError("chunksize must be >= 1.")
        end = None if timeout is None else time.monotonic() + timeout
        calls: Iterable[Tuple[Any, ...]] = zip(*iterables)
        if chunksize == 1:
            return _results(self._submit_all(fn, calls), end)
        chunks = _pickles.in_chunks(calls, chunksize)
        return itertools.chain.from_iterable(_results(self._submit_all(partial(_pickles.run_chunk, fn), chunks), end))

    def _submit_all(self, fn: Callable[..., Any], calls: Iterable[Tuple[Any, ...]]) -> "List[Future[Any]]":
        pool = self._running()
        futures: "List[Future[Any]]" = []
        for args in calls:
            item, future = _make(pool, fn, args, {})
            futures.append(future)
            if item is not None:
                pool.offer(item)
        pool.submit([])
        return futures

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        if self._owner != os.getpid():
            return  # And the lock may have been taken when this process was forked off.
        with self._lock:
            self._shut_down = True
            pool = self._pool
        if pool is None:
            return
        if cancel_futures:
            pool.cancel_all()
        pool.close()
        if wait:
            pool.join()

    def __exit__(self, kind: Any, error: Any, trace: Any) -> Optional[bool]:
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            self._leave()  # Nobody waits for what is in work.
        try:
            self.shutdown(wait=True)
        except BaseException:
            self._leave()  # Ctrl-C while it waited.
            raise
        return False

    # ------------------------------------------------------------------------------------------------------------------

    def _leave(self) -> None:
        """Stops the workers."""
        if self._owner != os.getpid():
            return
        with self._lock:
            self._shut_down = True
            pool = self._pool
        if pool is not None:
            pool.cancel_all()
            pool.abort()
            pool.close()

    def _running(self) -> Pool:
        if self._owner != os.getpid():
            raise RuntimeError(_pool._FORKED)
        with self._lock:
            if self._shut_down:
                raise RuntimeError(_pool._ENDED)
            if _exiting:
                raise RuntimeError("cannot schedule new futures after interpreter shutdown")
            if self._pool is None:
                self._pool = self._start()
                weakref.finalize(self, Pool.close, self._pool).atexit = False
            return self._pool

    def _start(self) -> Pool:
        from multiprocessing import process, spawn

        if getattr(process.current_process(), "_inheriting", False):
            raise RuntimeError(
                "a worker imports the main module, and that makes calls of an executor again: what a program does when "
                "it is run belongs behind `if __name__ == '__main__':`"
            )
        preparation = spawn.get_preparation_data("corral worker")
        preparation.pop("authkey", None)  # Not to be pickled, and of no use here.
        if _main_file and not {"init_main_from_name", "init_main_from_path"} & preparation.keys():
            preparation["init_main_from_path"] = os.path.join(preparation["orig_dir"], _main_file)
        if os.path.basename(preparation.get("init_main_from_path", "")) == "<stdin>":
            del preparation["init_main_from_path"]  # It cannot be imported again; functions of other modules can be called.
        setup = _pickles.dumps({"preparation": preparation, "initializer": self._initializer})
        environment = dict(os.environ)
        environment.pop("CORRAL_TASK_FD", None)
        leftover = None
        if len(setup) <= _MOST_IN_ENVIRONMENT:
            environment[VARIABLE] = base64.b64encode(setup).decode()
        else:
            fd, leftover = tempfile.mkstemp(prefix="corral-")
            with open(fd, "wb") as file:
                file.write(setup)
            environment[VARIABLE] = "file:" + leftover
        command = [_find_corral(), *self._options, "--quiet", "--", *_worker_command()]
        return Pool(command, environment, leftover, self._workers)


def _find_corral() -> str:
    named = os.environ.get("CORRAL_BIN")
    found = shutil.which(named or "corral")
    if found is None:
        where = f"CORRAL_BIN is '{named}', which is no program" if named else "there is no `corral` in PATH, and no CORRAL_BIN"
        raise FileNotFoundError(f"{where}: corral.Executor needs the supervisor; build it with ./dev build")
    return found


def _worker_command() -> List[str]:
    from subprocess import _args_from_interpreter_flags  # type: ignore[attr-defined]  # What multiprocessing uses, too.

    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    program = f"import sys; sys.path.insert(0, {package!r}); from corral._executor_worker import main; main()"
    return [sys.executable, *_args_from_interpreter_flags(), "-c", program]


def _make(
    pool: Pool, fn: Callable[..., Any], args: Tuple[Any, ...], kwargs: Dict[str, Any]
) -> "Tuple[Optional[Item], Future[Any]]":
    future = CallFuture()
    try:
        payload = _pickles.dumps((fn, args, kwargs))
    except Exception as error:
        future.set_exception(error)
        return None, future
    if len(payload) > LONGEST:
        future.set_exception(ValueError(f"the call has {len(payload)} bytes when pickled; corral takes at most {LONGEST}"))
        return None, future
    item = Item(future, payload)
    future._pool, future._item = pool, item
    return item, future


def _results(futures: "List[Future[Any]]", end: Optional[float]) -> Iterator[Any]:
    """One after another; whoever stops asking cancels the rest. No result is held for longer than it is wanted."""

    def results() -> Iterator[Any]:
        try:
            futures.reverse()
            while futures:
                yield _take(futures.pop(), None if end is None else end - time.monotonic())
        finally:
            for future in futures:
                future.cancel()

    return results()


def _take(future: "Future[Any]", timeout: Optional[float]) -> Any:
    try:
        try:
            return future.result(timeout)
        finally:
            future.cancel()
    finally:
        del future


# --- the end of the interpreter, and processes that are forked off ----------------------------------------------------


def _at_exit() -> None:
    """As the standard library's executors: what was submitted is still done. Not after Ctrl-C."""
    global _exiting
    _exiting = True
    interrupted = isinstance(getattr(sys, "last_value", None), KeyboardInterrupt)
    for pool in list(_pool.pools):
        if interrupted:
            pool.cancel_all()
            pool.abort()
        pool.close()
    for pool in list(_pool.pools):
        pool.join()


def _in_child() -> None:
    for pool in list(_pool.pools):
        pool.in_child()
    _pool.pools.clear()


threading._register_atexit(_at_exit)  # type: ignore[attr-defined]  # Before threads are joined: as concurrent.futures does.
os.register_at_fork(after_in_child=_in_child)
