"""What an Executor is asked for, as options of `corral map`."""

from __future__ import annotations

import operator
import os
import re
from typing import List, Optional, Tuple

MOST_WORKERS = 100_000
_CORES = re.compile(r"separate|shared|[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*")


def map_options(
    max_workers: Optional[int],
    max_tasks_per_child: Optional[int],
    retries: int,
    task_timeout: Optional[float],
    cores: Optional[str],
) -> Tuple[int, List[str]]:
    """How many workers there will be about, and the options. Raises what concurrent.futures does, with its words."""
    max_workers, retries = None if max_workers is None else int(operator.index(max_workers)), int(operator.index(retries))
    if max_workers is not None and max_workers <= 0:
        raise ValueError("max_workers must be greater than 0")
    if max_workers is not None and max_workers > MOST_WORKERS:
        raise ValueError(f"max_workers must be at most {MOST_WORKERS}")
    if max_tasks_per_child is not None and not isinstance(max_tasks_per_child, int):
        raise TypeError("max_tasks_per_child must be an integer")
    if max_tasks_per_child is not None and max_tasks_per_child <= 0:
        raise ValueError("max_tasks_per_child must be greater than 0")
    if not 0 <= retries <= 1000:
        raise ValueError("retries must be 0 to 1000")
    if task_timeout is not None and task_timeout <= 0:
        raise ValueError("task_timeout must be greater than 0")
    if cores is not None and not isinstance(cores, str):
        raise TypeError("cores must be a string")
    if cores is not None and _CORES.fullmatch(cores) is None:
        raise ValueError(f"cores must be 'separate', 'shared' or a list such as '0-3,8', not {cores!r}")
    options = ["-j", "auto" if max_workers is None else str(max_workers), "--retries", str(retries)]
    if task_timeout is not None:
        options += ["--timeout", f"{max(1, round(task_timeout * 1000))}ms"]
    if max_tasks_per_child is not None:
        options += ["--max-tasks", str(int(max_tasks_per_child))]
    if cores is not None:
        options += ["--cores", cores]
    return max_workers or os.cpu_count() or 1, options
