"""corral's main job on real input, measured: a picture rendered on every core while one worker is killed half-way.

Times a sample of the blocks on one core first, then feeds all of them to workers through `corral map`, kills a worker with
SIGKILL when half is done, and ends with a line for each worker and the speed-up over one core. Called by ./dev run.
"""

import argparse
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


def read_results(work):
    """What has become of the blocks so far, in the order in which they ended."""
    try:
        with open(os.path.join(work, "results.jsonl"), "rb") as file:
            return [json.loads(line) for line in file if line.endswith(b"\n")]
    except OSError:
        return []


def parent_of(pid):
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[1])
    except OSError:
        return None


def kill_one(results, corral_pid):
    """SIGKILL for the worker that was the last to answer. True when it was hit."""
    for entry in reversed(results):
        pid = entry["result"]["pid"]
        if parent_of(pid) == corral_pid:  # A pid that is not corral's own child any more is nobody to kill.
            say(f"demo: half of the picture is done; kill -9 {pid}, which is worker {entry['worker']}")
            os.kill(pid, signal.SIGKILL)
            return True
    return False


def watch(corral, work, count):
    """Until corral ends; kills one worker half-way. Returns whether one was killed."""
    killed = False
    while corral.poll() is None:
        if not killed:
            results = read_results(work)
            killed = len(results) * 2 >= count and kill_one(results, corral.pid)
        time.sleep(0.05)
    return killed


def report(results, wall, one_core, sampled, sample_took, cores):
    say()
    say("worker   cores      CPU time   blocks   restarts")
    total = 0.0
    for worker in sorted({entry["worker"] for entry in results}):
        own = [entry["result"] for entry in results if entry["worker"] == worker]
        cpu = sum(result["cpu_seconds"] for result in own)
        total += cpu
        where = ",".join(map(str, own[-1]["cores"]))
        say(f"{worker:<8} {where:<9} {cpu:>8.1f} s {len(own):>8} {len({result['pid'] for result in own}) - 1:>10}")
    say()
    for entry in results:
        if entry["attempts"] > 1:
            say(f"block {entry['task']} was in work when its worker was killed: done in attempt {entry['attempts']}")
    say(f"one core   {one_core:6.1f} s  of work: {sampled} blocks spread over the picture took {sample_took:.1f} s of one core's time")
    say(f"corral     {wall:6.1f} s  by the clock on {cores} cores, from its start to its end, the killed worker's lost block included")
    say(f"speed-up   {one_core / wall:6.2f} ×  of {cores} possible; cores kept busy {100 * total / wall / cores:.0f} % of the time")
    load = os.getloadavg()[0]
    if load > cores * 1.2:
        say(f"           (the load average is {load:.1f} on {cores} cores: this machine has other work to do, so it is less than it could be)")


def render(options, width, work):
    """Runs corral to its end: (its exit status, seconds, whether a worker was killed)."""
    tasks = os.path.join(work, "blocks.jsonl")
    with open(tasks, "w") as file:
        file.writelines(f"{block}\n" for block in range(picture.block_count(width)))
    environment = dict(os.environ, MANDELBROT_WORK=work, MANDELBROT_WIDTH=str(width))
    command = [os.path.abspath(options.corral), "map", tasks, "-o", os.path.join(work, "results.jsonl"), "--"]
    command += ["/usr/bin/python3", os.path.join(HERE, "task.py")]
    say(f"demo: {' '.join(os.path.relpath(word) if word.startswith('/') and 'usr' not in word else word for word in command)}")
    start = time.monotonic()
    corral = subprocess.Popen(command, env=environment)
    try:
        killed = watch(corral, work, picture.block_count(width))
    except KeyboardInterrupt:
        corral.wait()  # Ctrl-C reached it too: what is in work is done, and it ends.
        raise
    return corral.returncode, time.monotonic() - start, killed


def put_together(options, width, work):
    pieces = []
    for block in range(picture.block_count(width)):
        with open(os.path.join(work, f"block-{block:05}"), "rb") as file:
            pieces.append(file.read())
    with open(options.output, "wb") as file:
        file.write(picture.assemble(width, pieces))


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
    results = read_results(work)
    put_together(options, width, work)
    report(results, wall, one_core, sampled, sample_took, cores)
    if not killed or all(entry["attempts"] == 1 for entry in results):
        sys.exit("demo: no worker was killed in the middle of a block, so this run proves little; try a larger --seconds")
    say(f"picture    {options.output}, {os.path.getsize(options.output) / 1e6:.1f} MB")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
