"""corral's main job on real input, measured: a picture rendered on every core while one worker is killed half-way.

Times a sample of the blocks on one core first, then lets `corral run` render all of them, kills a worker with SIGKILL
when half is done, and ends with a line for each worker and the speed-up over one core. Called by ./dev run.
"""

import argparse
import glob
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time

import picture

HERE = os.path.dirname(os.path.abspath(__file__))


def say(text=""):
    print(text, flush=True)


def on_one_core(function):
    """Runs it bound to a single core, as a worker will be."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        return function()
    finally:
        os.sched_setaffinity(0, before)


def seconds_for(width, blocks):
    """CPU time, so that what else the machine does is not taken for the work."""
    start = time.process_time()
    for block in blocks:
        picture.render_block(width, block)
    return time.process_time() - start


def fitting_width(seconds, cores):
    """How wide a picture these cores render in about that time, judged by a small one."""
    probe = 480
    small = seconds_for(probe, range(0, picture.block_count(probe), 4)) * 4
    width = probe * math.sqrt(seconds * cores / small)
    return int(min(max(width, 960), 24000)) // 240 * 240


def one_core_estimate(width, seconds):
    """Seconds that one core needs for all blocks, from some spread evenly: (estimate, how many blocks, their seconds)."""
    count = picture.block_count(width)
    typical = seconds_for(width, range(count // 8, count, count // 4)) / 4
    stride = max(1, int(count * typical / seconds))
    sample = range(stride // 2, count, stride)
    took = seconds_for(width, sample)
    return took * count / len(sample), len(sample), took


def read_notes(work):
    notes = []
    for path in glob.glob(os.path.join(work, "note-*.json")):
        with open(path, "rb") as file:
            notes.append(json.load(file))
    return sorted(notes, key=lambda note: (note["worker"], note["incarnation"]))


def parent_of(pid):
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[1])
    except OSError:
        return None


def kill_one(work, corral_pid):
    """SIGKILL for the last worker that is there now. True when one was hit."""
    for note in reversed(read_notes(work)):
        if parent_of(note["pid"]) == corral_pid:  # A pid that is not corral's own child any more is nobody to kill.
            say(f"demo: half of the picture is done; kill -9 {note['pid']}, which is render/{note['worker']}")
            os.kill(note["pid"], signal.SIGKILL)
            return True
    return False


def watch(corral, work, count):
    """Until corral ends; kills one worker half-way. Returns whether one was killed."""
    killed = False
    while corral.poll() is None:
        if not killed and len(glob.glob(os.path.join(work, "block-?????"))) * 2 >= count:
            killed = kill_one(work, corral.pid)
        time.sleep(0.05)
    return killed


def report(work, wall, one_core, sampled, sample_took, cores):
    notes = read_notes(work)
    say()
    say("worker       cores      CPU time   blocks   restarts")
    total = 0.0
    for worker in sorted({note["worker"] for note in notes}):
        lives = [note for note in notes if note["worker"] == worker]
        cpu = sum(life["cpu_seconds"] for life in lives)
        total += cpu
        where = ",".join(map(str, lives[-1]["cores"]))
        blocks = sum(life["blocks"] for life in lives)
        say(f"render/{worker:<5} {where:<9} {cpu:>8.1f} s {blocks:>8} {lives[-1]['incarnation'] - 1:>10}")
    say()
    say(f"one core   {one_core:6.1f} s  of work: {sampled} blocks spread over the picture took {sample_took:.1f} s of one core's time")
    say(f"corral     {wall:6.1f} s  by the clock on {cores} cores, from its start to its end, the killed worker's lost block included")
    say(f"speed-up   {one_core / wall:6.2f} ×  of {cores} possible; cores kept busy {100 * total / wall / cores:.0f} % of the time")
    load = os.getloadavg()[0]
    if load > cores * 1.2:
        say(f"           (the load average is {load:.1f} on {cores} cores: this machine has other work to do, so it is less than it could be)")
    return notes


def render(options, width, work):
    """Runs corral to its end: (its exit status, seconds, whether a worker was killed)."""
    environment = dict(os.environ, MANDELBROT_HOME=HERE, MANDELBROT_WORK=work, MANDELBROT_WIDTH=str(width))
    environment["MANDELBROT_OUTPUT"] = os.path.abspath(options.output)
    command = [os.path.abspath(options.corral), "run", os.path.join(HERE, "corral.json")]
    say(f"demo: {' '.join(os.path.relpath(word) if word.startswith('/') else word for word in command)}")
    start = time.monotonic()
    corral = subprocess.Popen(command, env=environment)
    try:
        killed = watch(corral, work, picture.block_count(width))
    except KeyboardInterrupt:
        corral.wait()  # Ctrl-C reached it too: it stops its workers and ends.
        raise
    return corral.returncode, time.monotonic() - start, killed


def parse_options():
    parser = argparse.ArgumentParser(prog="./dev run", description=__doc__.splitlines()[0])
    parser.add_argument("--corral", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--work", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--output", default="corral-demo.png", help="where the picture goes (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=25, help="how long it may take, about (default 25)")
    parser.add_argument("--width", type=int, help="pixels, instead of --seconds")
    return parser.parse_args()


def main():
    options = parse_options()
    work = os.path.abspath(options.work)
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    if os.path.exists(options.output):
        os.remove(options.output)
    cores = len(os.sched_getaffinity(0))
    width = options.width or on_one_core(lambda: fitting_width(options.seconds, cores))
    count = picture.block_count(width)
    say(f"demo: a picture of {width} × {picture.height_of(width)} in {count} blocks; timing a sample of them on one core first")
    one_core, sampled, sample_took = on_one_core(lambda: one_core_estimate(width, 4))

    status, wall, killed = render(options, width, work)
    if status != 0:
        sys.exit(f"demo: corral ended with status {status}; what it said is above, finished blocks are in {work}")
    notes = report(work, wall, one_core, sampled, sample_took, cores)
    if not os.path.exists(options.output):
        sys.exit(f"demo: corral ended well but {options.output} is not there; finished blocks are in {work}")
    if not killed or all(note["incarnation"] == 1 for note in notes):
        sys.exit("demo: no worker was killed and came back, so this run proves little; try a larger --seconds")
    say(f"picture    {options.output}, {os.path.getsize(options.output) / 1e6:.1f} MB")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
