"""A worker that keeps a core busy: it counts the primes of a range, in plain Python.

A task is {"from": 0, "to": 1000000}; its result is {"primes": 78498, "last": 999983}. This makes a hundred of them:

    python3 primes.py --tasks 100 > tasks.jsonl

    corral map tasks.jsonl -- python3 primes.py          # on every core
    head -n 1 tasks.jsonl | python3 primes.py            # one, without corral
"""

import json
import math
import sys

import corral

STEP = 1 << 16  # Numbers that are sieved at a time: what the cache of a core holds.


def primes_up_to(most):
    """All of them, by the sieve of Eratosthenes."""
    sieve = bytearray([1]) * (most + 1)
    sieve[:2] = bytes(len(sieve[:2]))
    for number in range(2, math.isqrt(most) + 1):
        if sieve[number]:
            sieve[number * number :: number] = bytes(len(range(number * number, most + 1, number)))
    return [number for number in range(most + 1) if sieve[number]]


def sieve_range(begin, end, small):
    """1 for every prime of [begin, end). `small` are the primes up to the root of `end`."""
    sieve = bytearray([1]) * (end - begin)
    for prime in small:
        first = max(prime * prime, (begin + prime - 1) // prime * prime)
        if first < end:
            sieve[first - begin :: prime] = bytes(len(range(first, end, prime)))
    return sieve


@corral.task
def count(task):
    begin, end = max(2, task["from"]), task["to"]
    if begin >= end:
        return {"primes": 0, "last": None}
    small = primes_up_to(math.isqrt(end))
    primes, last = 0, None
    for at in range(begin, end, STEP):
        if corral.cancelled():
            raise RuntimeError("cancelled")
        sieve = sieve_range(at, min(at + STEP, end), small)
        primes += sieve.count(1)
        if 1 in sieve:
            last = at + sieve.rindex(1)
        corral.progress({"at": at})
    return {"primes": primes, "last": last}


def main():
    if sys.argv[1:2] == ["--tasks"]:
        for number in range(int(sys.argv[2])):
            print(json.dumps({"from": number * 1_000_000, "to": (number + 1) * 1_000_000}))
    else:
        corral.serve()


if __name__ == "__main__":
    main()
