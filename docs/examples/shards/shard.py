"""One shard of the integral of 4 / (1 + x²) from 0 to 1, which is pi: every workers-th step, from index on."""

import os
import sys


def main():
    index, workers = map(int, sys.argv[1].split("/"))
    steps = int(os.environ["STEPS"])
    total = 0.0
    for step in range(index, steps, workers):
        x = (step + 0.5) / steps
        total += 4 / (1 + x * x)
    print(f"shard {index} of {workers} on cores {os.environ.get('CORRAL_CORES', '?')}: {total / steps!r}")


if __name__ == "__main__":
    main()
