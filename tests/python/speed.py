"""What a no-op task costs a worker, beside a bare loop that does the same without any library. By hand, or as tasks_python of the bench:

    python3 tests/python/speed.py [ROUNDS [TASKS]]

64 tasks are in flight. Rounds alternate, and the best of each counts, since other programs only ever make one slower.
"""

import json
import os
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "worker", "python"))

HEADER = struct.Struct("<IIQ")
TASK, RESULT = 2, 3
HELLO = HEADER.pack(8, 1, 0) + struct.pack("<II", 1, 64 << 20)
WINDOW = 64
PAYLOAD = b'{"n": 12}'


def bare(channel):
    """The loop that one would write for this and nothing else."""
    loads, dumps, unpack, pack = json.loads, json.dumps, HEADER.unpack_from, HEADER.pack
    channel.sendall(HELLO)
    data = channel.recv(len(HELLO))[len(HELLO) :]
    while True:
        more = channel.recv(1 << 18)
        if not more:
            return
        data = data + more if data else more
        at, end, out = 0, len(data), []
        while end - at >= 16:
            length, _, number = unpack(data, at)
            if end - at - 16 < length:
                break
            result = dumps(loads(data[at + 16 : at + 16 + length])).encode()
            out.append(pack(len(result), RESULT, number))
            out.append(result)
            at += 16 + length
        data = data[at:]
        channel.sendall(b"".join(out))


def library(channel):
    os.environ["CORRAL_TASK_FD"] = str(channel.detach())
    import corral

    corral.serve(lambda item: item)


def read_frames(channel, data):
    """How many whole frames have come, and what is left."""
    data += channel.recv(1 << 18)
    at, count = 0, 0
    while len(data) - at >= 16:
        length = HEADER.unpack_from(data, at)[0]
        if len(data) - at - 16 < length:
            break
        at += 16 + length
        count += 1
    return count, data[at:]


def drive(loop, tasks):
    """(tasks a second, seconds of CPU time of the worker for one task)."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        loop(theirs)
        os._exit(0)
    theirs.close()
    count, data = read_frames(ours, b"")
    assert count == 1, "no HELLO"
    ours.sendall(HELLO)
    frame = b"".join((HEADER.pack(len(PAYLOAD), TASK, 1), PAYLOAD))
    begin = time.perf_counter()
    sent, answered = WINDOW, 0
    ours.sendall(frame * WINDOW)
    while answered < tasks:
        count, data = read_frames(ours, data)
        answered += count
        more = min(count, tasks - sent)
        ours.sendall(frame * more)
        sent += more
    seconds = time.perf_counter() - begin
    ours.close()
    _, status, usage = os.wait4(pid, 0)
    assert status == 0, status
    return tasks / seconds, (usage.ru_utime + usage.ru_stime) / tasks


def compare(rounds, tasks):
    """{name: (best rate, least CPU time)}"""
    best = {}
    for _ in range(rounds):
        for loop in (bare, library):
            rate, cost = drive(loop, tasks)
            known = best.get(loop.__name__, (0.0, 1.0))
            best[loop.__name__] = (max(rate, known[0]), min(cost, known[1]))
    return best


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    tasks = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    best = compare(rounds, tasks)
    for name, (rate, cost) in best.items():
        print(f"{name:8} {rate:9,.0f} tasks/s  {cost * 1e6:5.2f} us of CPU a task")
    (bare_rate, bare_cost), (rate, cost) = best["bare"], best["library"]
    print(f"ratio    {rate / bare_rate:9.2f}          {bare_cost / cost:5.2f}")
    print(json.dumps({"bare": bare_cost, "library": cost}))


if __name__ == "__main__":
    main()
