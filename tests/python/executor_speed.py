"""corral.Executor beside ProcessPoolExecutor and multiprocessing.Pool: calls of a function that does nothing.

    executor_speed.py [--calls N] [--rounds N] [--workers N]      # CORRAL_BIN names the supervisor

All of them in one run, by turns; medians, and ratios of medians. The last line is JSON.
"""

import argparse
import json
import multiprocessing
import pathlib
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "worker" / "python"))
import corral  # noqa: E402

CHUNK = 64


def nothing(value):
    return value


def rate(run, calls):
    begin = time.perf_counter()
    assert sum(1 for _ in run(calls)) == calls
    return calls / (time.perf_counter() - begin)


def measure(calls, rounds, workers):
    rates = {}

    def note(name, run, count):
        rates.setdefault(name, []).append(rate(run, count))

    for _ in range(rounds):
        with corral.Executor(workers) as executor:
            list(executor.map(nothing, range(200)))
            note("corral", lambda n: executor.map(nothing, range(n)), calls)
            note("corral submit", lambda n: [f.result() for f in [executor.submit(nothing, i) for i in range(n)]], calls)
            note("corral chunks", lambda n: executor.map(nothing, range(n), chunksize=CHUNK), 10 * calls)
        with ProcessPoolExecutor(workers) as executor:
            list(executor.map(nothing, range(200)))
            note("ProcessPoolExecutor", lambda n: executor.map(nothing, range(n)), calls // 4)
        with multiprocessing.Pool(workers) as pool:
            pool.map(nothing, range(200))
            note("Pool chunks", lambda n: pool.map(nothing, range(n), chunksize=CHUNK), 10 * calls)
    return {name: statistics.median(values) for name, values in rates.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    rates = measure(options.calls, options.rounds, options.workers)
    for name, value in rates.items():
        print(f"{name:20} {value:12,.0f} calls/s")
    ratios = {
        "chunksize 1": rates["corral"] / rates["ProcessPoolExecutor"],
        "submit": rates["corral submit"] / rates["ProcessPoolExecutor"],
        "chunksize 64": rates["corral chunks"] / rates["Pool chunks"],
    }
    print(json.dumps({"rates": rates, "ratios": ratios}))


if __name__ == "__main__":
    main()
