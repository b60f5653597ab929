"""The unwinder finds the frames of the static binary in a table: the first exception costs microseconds, not eight milliseconds.

unwinding.py CORRAL
"""

import subprocess
import sys

from house import report

HAND_OVER = "__register_frame_info"


def problems_of(segments, symbols):
    if "GNU_EH_FRAME" not in segments:
        yield "the binary has no table of frames (PT_GNU_EH_FRAME): is it linked with --eh-frame-hdr?"
    if f"__wrap_{HAND_OVER}" not in symbols:  # What nobody calls is not linked.
        yield f"the start-up code hands its frames to {HAND_OVER}, which sorts them all at the first exception"


def main():
    segments = subprocess.run(["readelf", "-lW", sys.argv[1]], capture_output=True, text=True, check=True).stdout
    symbols = subprocess.run(["nm", "--format=posix", sys.argv[1]], capture_output=True, text=True, check=True).stdout
    names = {line.partition(" ")[0] for line in symbols.splitlines()}
    return report(list(problems_of(segments, names)), "frames are found in the linker's table")


if __name__ == "__main__":
    sys.exit(main())
