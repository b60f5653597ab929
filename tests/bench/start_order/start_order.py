#!/usr/bin/python3
"""Which functions a start and a restart go through, for the linker to lay side by side: `./dev order`.

The pages of a program that nobody else runs are mapped when they are first touched, sixteen at a time, and each time costs
microseconds. What a start goes through lay all over seven megabytes; laid side by side it is in some ten such pieces.

    start_order.py --build build/release --output common/cmake/start_order.ld      runs corral one instruction at a time
    start_order.py --check build/release/corral common/cmake/start_order.ld        is what the list names still in the program?
"""

import argparse
import bisect
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time

FALSE = "/bin/false"
RESTARTED = {"command": [FALSE], "restart": {"when": "always", "delay": "0", "limit": {"restarts": 4, "within": "60s"}}}
HEAD = """/* Made by ./dev order (tests/bench/start_order): what a start and a restart of corral go through, in the order of the first visits.
   What is named here and does not exist is passed over; what exists and is not named lies behind, as ever. */
SECTIONS
{
  .text.start :
  {
"""
TAIL = """  }
}
INSERT BEFORE .text;
"""
STILL_THERE = 0.75  # Of our own functions; the rest has been renamed, or is inlined now.


def linked_with_map(build, folder):
    """Links corral once more, the same, and says where each piece of its text has come to lie: (binary, [(address, size, name, file)])."""
    commands = subprocess.run(["ninja", "-C", build, "-t", "commands", "corral"], check=True, capture_output=True, text=True).stdout
    words = shlex.split(commands.strip().splitlines()[-1].removeprefix(": && ").removesuffix(" && :"))
    binary, mapped = os.path.join(folder, "corral"), os.path.join(folder, "map")
    words[words.index("-o") + 1] = binary
    subprocess.run([*words, f"-Wl,-Map={mapped}"], cwd=build, check=True, stderr=subprocess.DEVNULL)
    with open(mapped, encoding="utf-8") as file:
        text = file.read()
    begin = min(text.find(f"\n{name} ") for name in (".text.start", ".text") if f"\n{name} " in text)
    text = text[begin : text.index("\n.fini ")].replace("\n                0x", " 0x")  # A long name has a line of its own.
    pieces = re.findall(r"^ (\.text\S*)\s+0x([0-9a-f]{16})\s+0x([0-9a-f]+) (\S+)", text, re.MULTILINE)
    return binary, sorted((int(address, 16), int(size, 16), name, origin) for name, address, size, origin in pieces if int(size, 16))


def child_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return int(file.read().split()[0])


def visits(tool, binary, folder):
    """The addresses that starts, a signal that is passed on, an end and some restarts go through, one after the other."""
    ready = os.path.join(folder, "ready")
    waits = ["/bin/sh", "-c", f"echo > {ready}; exec sleep 600"]

    def config(name, program):
        path = os.path.join(folder, name + ".json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"programs": {"a": program}}, file)
        return path

    jobs = [
        (["exec", "--", *waits], signal.SIGTERM, 143),
        (["run", config("once", {"command": [FALSE], "restart": "never"})], None, 1),
        (["run", config("again", RESTARTED)], None, 1),
        (["run", config("stopped", {"command": waits})], signal.SIGTERM, 0),
    ]
    for words, number, status in jobs:
        print(f"start_order: corral {words[0]}, one instruction at a time", file=sys.stderr)
        seen = os.path.join(folder, "seen")
        with subprocess.Popen([tool, seen, binary, *words], stderr=subprocess.DEVNULL) as traced:
            if number is not None:
                while not os.path.exists(ready) and traced.poll() is None:
                    time.sleep(0.1)
                time.sleep(1)
                os.kill(child_of(traced.pid), number)
                os.remove(ready)
        if traced.returncode != status:
            raise SystemExit(f"start_order: corral {shlex.join(words)} ended with status {traced.returncode}, not {status}; nothing is written")
        with open(seen, encoding="ascii") as file:
            yield from (int(line, 16) for line in file)


def pattern(name, origin):
    """How a linker script names a piece: ours and C++'s by the function, C's by the file that it comes from."""
    archive = re.fullmatch(r".*?([^/]+?)(?:-[\d.]+)?\.a\((.+)\)", origin)
    if name.startswith(".text._Z") or (archive and not origin.startswith("/") and name != ".text"):
        return f"*({name})"
    return f"*{archive[1]}*.a:{archive[2]}({name})" if archive else f"*{os.path.basename(origin)}({name})"


def ordered(pieces, addresses):
    begins = [piece[0] for piece in pieces]
    found = {}
    for address in addresses:
        number = bisect.bisect_right(begins, address) - 1
        if number >= 0 and address < begins[number] + pieces[number][1]:
            found.setdefault(number, None)
    return list(dict.fromkeys(pattern(*pieces[number][2:]) for number in found))


def make(arguments):
    with tempfile.TemporaryDirectory() as folder:
        tool = os.path.join(folder, "visits")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "visits.c")
        subprocess.run(["cc", "-O2", "-o", tool, source], check=True)
        binary, pieces = linked_with_map(arguments.build, folder)
        lines = ordered(pieces, visits(tool, binary, folder))
    with open(arguments.output, "w", encoding="utf-8") as file:
        file.write(HEAD + "".join(f"    {line}\n" for line in lines) + TAIL)
    print(f"start_order: {len(lines)} pieces in {arguments.output}", file=sys.stderr)


def check(binary, script):
    """What it names of ours lies together at the beginning; a list that has become old is said."""
    with open(script, encoding="utf-8") as file:
        named = set(re.findall(r"\*\(\.text\.(_ZN?K?6corral\S*)\)", file.read()))
    sections = subprocess.run(["readelf", "-SW", binary], check=True, capture_output=True, text=True).stdout
    begin, size = (int(text, 16) for text in re.search(r" \.text\.start +PROGBITS +(\S+) \S+ (\S+)", sections).groups())
    symbols = subprocess.run(["nm", "--defined-only", binary], check=True, capture_output=True, text=True).stdout
    there = {name for address, _, name in (line.split(" ", 2) for line in symbols.splitlines()) if begin <= int(address, 16) < begin + size}
    share = len(named & there) / len(named)
    print(f"{len(named & there)} of {len(named)} functions of ours that a start goes through lie together, in {size:,} bytes")
    if share < STILL_THERE:
        raise SystemExit("start_order: the list has become old, and a start slower by it; make it anew with ./dev order")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", help="the folder of a release build")
    parser.add_argument("--output", help="the linker script that is written")
    parser.add_argument("--check", nargs=2, metavar=("CORRAL", "SCRIPT"))
    arguments = parser.parse_args()
    if arguments.check:
        check(*arguments.check)
    else:
        make(arguments)


if __name__ == "__main__":
    main()
