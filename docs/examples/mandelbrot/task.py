"""The same picture as tasks: `corral map` gives a block at a time, and says what became of each.

    seq 0 199 | corral map - --quiet -- python3 docs/examples/mandelbrot/task.py > results.jsonl

A block appears under its name only when it is complete, so that a worker may be killed at any moment: the one that it was
at is given to another.
"""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "worker", "python"))
import corral  # noqa: E402
import picture  # noqa: E402

WORK = os.environ.get("MANDELBROT_WORK", "build/mandelbrot")
WIDTH = int(os.environ.get("MANDELBROT_WIDTH", "2400"))


def block_path(work, block):
    return os.path.join(work, f"block-{block:05}")


@corral.task
def render(block):
    begin = time.process_time()
    content = picture.render_block(WIDTH, block)
    unfinished = f"{block_path(WORK, block)}.{os.getpid()}"
    with open(unfinished, "wb") as file:
        file.write(content)
    os.replace(unfinished, block_path(WORK, block))
    return {"pid": os.getpid(), "cores": sorted(os.sched_getaffinity(0)), "cpu_seconds": time.process_time() - begin}


if __name__ == "__main__":
    os.makedirs(WORK, exist_ok=True)
    corral.serve()
