#!/usr/bin/env python3
"""Plants one mistake at a time in the core and requires that the simulator, or for some the unit tests, finds it.

A checker that finds no planted mistake would find no real one either. Each mutant of mutant_list.py is one rule of the
core, broken: the changed file is compiled into a copy of the tree, linked with the other objects, and simulated. A
mutant that survives, and one whose snippet is no longer in the source exactly once, fails this test.

  mutants.py --compiler g++ --build build/release/mutants --units FILES [--only WORD] [--seeds N] [--jobs N]
"""

import argparse
import concurrent.futures
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import time

from mutant_list import COMMAND_MUTANTS, MUTANTS, TOLD_MUTANTS

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROOMS = ["common/base", "supervisor/core", "supervisor/core/tasks", "tests/simulation", "tests/simulation/tasks"]
FLAGS = ["-std=c++23", "-w", "-D_GNU_SOURCE", "-fno-pie"]  # As the objects of the unit tests.
MOST_CPU_SECONDS = 20  # Of the processor, not of the clock: a busy machine is no reason to call a mutant dead.


def objects_in(files):
    """CMake counts a precompiled header among the objects of a target."""
    return [file for file in files.split(";") if file.endswith((".o", ".a"))]


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/mutants")
    parser.add_argument("--units", type=objects_in, help="the objects of the core's unit tests")
    parser.add_argument("--only", default="", help="mutants whose rule, or file, contains this")
    parser.add_argument("--seeds", type=int, default=20000)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    return parser.parse_args()


def copy_tree(tree):
    """The rooms as they are now; files that did not change keep their time, so that their objects stay good."""
    wanted = set()
    for room in ROOMS:
        for source in sorted((ROOT / room).glob("*.[ch]pp")):
            target = tree / source.relative_to(ROOT)
            wanted.add(target)
            if not target.exists() or target.read_bytes() != source.read_bytes():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
    for stale in set(tree.glob("**/*.[ch]pp")) - wanted:
        stale.unlink()
    return sorted(path for path in wanted if path.suffix == ".cpp")


def needed(sources, tree):
    """Placement and topology are not simulated: nothing of the simulator uses them, so they are not compiled."""
    simulated = []
    for source in sources:
        name = source.relative_to(tree).as_posix()
        if not name.startswith(("supervisor/core/placement", "supervisor/core/topology")):
            simulated.append(source)
    return simulated


def object_of(source, tree, build):
    return build / "objects" / (source.relative_to(tree).as_posix().replace("/", "_") + ".o")


def compile_one(compiler, source, target, include, level, *more):
    done = subprocess.run([compiler, *FLAGS, level, *more, f"-I{include}", "-c", str(source), "-o", str(target)],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"mutants: cannot compile {source}:\n{done.stderr}")


def build_objects(compiler, sources, tree, build, jobs):
    """Objects of the tree as it is, compiled again when it, or any header, is newer."""
    (build / "objects").mkdir(parents=True, exist_ok=True)
    newest_header = max(header.stat().st_mtime for header in tree.glob("**/*.hpp"))

    def refresh(source):
        target = object_of(source, tree, build)
        if not target.exists() or target.stat().st_mtime < max(newest_header, source.stat().st_mtime):
            compile_one(compiler, source, target, tree, "-O1")

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        list(pool.map(refresh, sources))


def precompile(compiler, tree, build):
    """The headers, once: they are most of what a mutant's compilation would read."""
    header = build / "headers.hpp"
    wanted = "".join(f"#include <{name}>\n" for name in ("algorithm", "cerrno", "cmath", "csignal", "map", "string"))
    ours = ("common/base/check.hpp", "supervisor/core/supervisor.hpp", "supervisor/core/tasks/task_action.hpp")
    header.write_text(wanted + "".join(f'#include "{name}"\n' for name in ours))
    compile_one(compiler, header, build / "headers.hpp.gch", tree, "-O0", "-x", "c++-header")
    return header


def modes(mutant=None):
    """What has to be simulated: the one that the mutant is in; all, without one."""
    if mutant is None:
        return [[], ["--tasks"], ["--commands"]]
    if mutant in COMMAND_MUTANTS:
        return [["--commands"]]
    return [["--tasks"]] if mutant.file.startswith("supervisor/core/tasks/") else [[]]


def simulate(binary, seeds, mode):
    limit = lambda: resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_SECONDS, MOST_CPU_SECONDS))
    return subprocess.run([str(binary), "--seeds", str(seeds), *mode], capture_output=True, text=True, preexec_fn=limit)


def of_the_core(objects):
    return [one for one in objects if not one.name.startswith("tests_simulation")]


def run_units(binary):
    """Without those that try every sequence: they look for what the simulator looks for."""
    return subprocess.run([str(binary), "-tce=every sequence*"], capture_output=True, text=True, timeout=60)


def link(compiler, objects, binary):
    done = subprocess.run([compiler, "-no-pie", *map(str, objects), "-o", str(binary)], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"mutants: cannot link {binary}:\n{done.stderr}")


def kill(number, mutant, options, sources, tree):
    """What became of one mutant: (verdict, detail)."""
    source = tree / mutant.file
    text = source.read_text()
    if text.count(mutant.original) != 1:
        return "stale", f"its snippet is in {mutant.file} {text.count(mutant.original)} times: {mutant.original!r}"
    folder = options.build / f"mutant-{number}"
    folder.mkdir(parents=True, exist_ok=True)
    mutated = folder / source.name
    mutated.write_text(text.replace(mutant.original, mutant.replacement))
    # At -O0: compiling, not running, is what takes the time, and most mutants die young.
    compile_one(options.compiler, mutated, folder / "mutated.o", tree, "-O0", "-include", str(options.build / "headers.hpp"))
    others = [object_of(other, tree, options.build) for other in sources if other != source]
    if mutant in TOLD_MUTANTS:
        link(options.compiler, [folder / "mutated.o", *of_the_core(others), *options.units], folder / "units")
        done = run_units(folder / "units")
    else:
        link(options.compiler, [folder / "mutated.o", *others], folder / "simulate")
        done = simulate(folder / "simulate", options.seeds, *modes(mutant))
    shutil.rmtree(folder)
    if done.returncode == -signal.SIGXCPU or done.returncode == -signal.SIGKILL:
        return "killed", "it never came to an end"
    if done.returncode == 0:
        return "survived", ""
    words = (done.stdout + done.stderr).strip().splitlines()
    return "killed", words[0] if words else f"status {done.returncode}"


def main():
    options = arguments()
    begun = time.monotonic()
    options.build = options.build.resolve()
    tree = options.build / "tree"
    sources = needed(copy_tree(tree), tree)
    build_objects(options.compiler, sources, tree, options.build, options.jobs)
    precompile(options.compiler, tree, options.build)
    link(options.compiler, [object_of(source, tree, options.build) for source in sources], options.build / "simulate")
    for mode in modes():
        clean = simulate(options.build / "simulate", options.seeds, mode)
        if clean.returncode != 0:
            raise SystemExit(f"mutants: the core fails without a mutant too:\n{clean.stdout}{clean.stderr}")
    chosen = [mutant for mutant in MUTANTS if options.only in mutant.rule or options.only in mutant.file or (options.only == "commands" and mutant in COMMAND_MUTANTS)]
    if not options.units:
        print(f"{sum(mutant in TOLD_MUTANTS for mutant in chosen)} are left out: they are for the unit tests, and there is no --units")
        chosen = [mutant for mutant in chosen if mutant not in TOLD_MUTANTS]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(lambda pair: kill(pair[0], pair[1], options, sources, tree), enumerate(chosen)))
    for mutant, (verdict, detail) in zip(chosen, results):
        print(f"{verdict:9} {mutant.rule:52} {detail}")
    bad = [verdict for verdict, _ in results if verdict != "killed"]
    print(f"{len(results) - len(bad)} of {len(results)} mutants killed in {time.monotonic() - begun:.0f} s")
    sys.exit(1 if bad or not results else 0)


if __name__ == "__main__":
    main()
