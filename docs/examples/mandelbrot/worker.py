"""One worker of the picture: takes free blocks until none is left, then exits with status 0.

Whatever happens to it at whatever moment, nothing is lost and nothing is half there: a block is claimed with a lock
that the kernel drops when its holder dies, and appears under its name only when it is complete.
"""

import fcntl
import json
import os
import sys
import time

import picture

WORK = os.environ["MANDELBROT_WORK"]
OUTPUT = os.environ["MANDELBROT_OUTPUT"]
WIDTH = int(os.environ["MANDELBROT_WIDTH"])
WORKER = os.environ.get("CORRAL_WORKER", "0")
INCARNATION = os.environ.get("CORRAL_INCARNATION", "1")


def write_whole(path, content):
    """All of it or nothing, for whoever looks."""
    unfinished = f"{path}.{os.getpid()}"
    with open(unfinished, "wb") as file:
        file.write(content)
    os.replace(unfinished, path)


def block_path(block):
    return os.path.join(WORK, f"block-{block:05}")


def try_lock(name):
    """An open descriptor that holds the lock, or None where another process has it."""
    fd = os.open(os.path.join(WORK, name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return fd
    except BlockingIOError:
        os.close(fd)
        return None


def note(done):
    """What this incarnation has done so far, for whoever watches."""
    text = {
        "pid": os.getpid(),
        "worker": int(WORKER),
        "incarnation": int(INCARNATION),
        "cores": sorted(os.sched_getaffinity(0)),
        "blocks": done,
        "cpu_seconds": time.process_time(),
    }
    write_whole(os.path.join(WORK, f"note-{WORKER}-{INCARNATION}.json"), json.dumps(text).encode())


def assemble_if_complete():
    blocks = range(picture.block_count(WIDTH))
    if not all(os.path.exists(block_path(block)) for block in blocks):
        return  # Another worker still computes; it will be the last one.
    if (fd := try_lock("lock-picture")) is None:
        return
    pieces = []
    for block in blocks:
        with open(block_path(block), "rb") as file:
            pieces.append(file.read())
    write_whole(OUTPUT, picture.assemble(WIDTH, pieces))
    os.close(fd)


def main():
    os.makedirs(WORK, exist_ok=True)
    print(f"on cores {sorted(os.sched_getaffinity(0))}, incarnation {INCARNATION}", flush=True)
    done = 0
    note(done)
    for block in range(picture.block_count(WIDTH)):
        if os.path.exists(block_path(block)) or (fd := try_lock(f"lock-{block:05}")) is None:
            continue
        if not os.path.exists(block_path(block)):  # It may have been finished just before we locked.
            write_whole(block_path(block), picture.render_block(WIDTH, block))
            done += 1
            note(done)
        os.close(fd)
    assemble_if_complete()
    note(done)
    print(f"{done} blocks done in {time.process_time():.1f} s of CPU time", flush=True)


if __name__ == "__main__":
    sys.exit(main())
