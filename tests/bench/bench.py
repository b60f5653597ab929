"""corral against a bare C loop and every peer that is here, in one run. Called by ./dev bench.

Writes FOLDER/report.md and prints the same. Exit status 0 when the figures were taken, whether or not goals were met
(a busy machine is no failure); --strict makes a missed goal status 1.
"""

import argparse
import os
import platform
import shutil
import sys
import tempfile
import time

import control_metrics
import log_metrics
import metrics
import processes
import report
import subjects
import task_metrics

METRICS = {**metrics.METRICS, **task_metrics.METRICS, **log_metrics.METRICS, **control_metrics.METRICS}
HERE = os.path.dirname(os.path.abspath(__file__))


def say(text=""):
    print(text, flush=True)


def parse_options():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="corral and the bare loop alone, fewer rounds, under 3 minutes")
    parser.add_argument("--no-peers", action="store_true", help="corral and the bare loop alone, all rounds")
    parser.add_argument("--only", action="append", metavar="METRIC", help="only this metric; may be repeated")
    parser.add_argument("--subject", action="append", metavar="NAME", help="only this one beside the bare loop; may be repeated")
    parser.add_argument("--list", action="store_true", help="name the metrics and end")
    parser.add_argument("--strict", action="store_true", help="exit with status 1 when a goal was missed")
    parser.add_argument("--corral", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--folder", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--tools", default="build/release/tests/bench", help=argparse.SUPPRESS)
    options = parser.parse_args()
    for name in options.only or []:
        if name not in METRICS:
            parser.error(f"there is no metric '{name}'; there are: {', '.join(METRICS)}")
    return options


def chosen_subjects(options, setting):
    everyone, absent = subjects.corral_subjects(setting), []
    if options.subject or not (options.quick or options.no_peers):
        found, absent = subjects.peer_subjects(os.path.join(setting.folder, "peers"))
        everyone += found
    if options.subject:
        everyone = [one for one in everyone if one.name == report.BASE or one.name in options.subject]
    return everyone, absent


def head(options, absent):
    load = os.getloadavg()[0]
    lines = [
        "# Speed",
        "",
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} CPUs, Linux {platform.release()}, {'quick' if options.quick else 'full'}"
        f" run; load average at its start {load:.2f}. Every figure is a median unless it says otherwise; subjects took"
        " turns within each round. Compare ratios, not figures of different runs.",
        "",
    ]
    if absent:
        lines += [f"Not here: {'; '.join(absent)}.", ""]
    return "\n".join(lines)


def measure(options, setting, scratch):
    everyone, absent = chosen_subjects(options, setting)
    text, figures = head(options, absent), []
    say(text)
    bench = metrics.Bench(setting, everyone, options.quick, scratch, say)
    for name in options.only or METRICS:
        begin = time.monotonic()
        for figure in METRICS[name](bench):
            figures.append(figure)
            text += report.table(figure) + "\n"
            say(report.table(figure))
        say(f"({name}: {time.monotonic() - begin:.0f} s)\n")
    met, goals = report.summary(figures)
    return text + f"{met} of {goals} goals met.\n", met, goals


def main():
    options = parse_options()
    if options.list:
        say("\n".join(METRICS))
        return 0
    folder = os.path.abspath(options.folder)
    shutil.rmtree(os.path.join(folder, "work"), ignore_errors=True)
    os.makedirs(os.path.join(folder, "log"), exist_ok=True)
    tools = os.path.abspath(options.tools)
    setting = subjects.Setting(
        folder, os.path.join(tools, "bench_worker"), os.path.join(tools, "bench_bare"), os.path.abspath(options.corral)
    )
    for path in (setting.worker, setting.bare, setting.corral):
        if not os.access(path, os.X_OK):
            sys.exit(f"bench: {path} is not there; ./dev bench builds it")
    processes.become_subreaper()
    processes.allow_descriptors(65536)
    # Records of workers belong in memory: a disk would be written to behind every measurement.
    shared = "/dev/shm" if os.access("/dev/shm", os.W_OK) else folder
    with tempfile.TemporaryDirectory(prefix="corral-bench-", dir=shared) as scratch:
        try:
            text, met, goals = measure(options, setting, scratch)
        finally:
            processes.kill_everything()
    path = os.path.join(folder, "report.md")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    say(f"{met} of {goals} goals met; the whole report is in {os.path.relpath(path)}")
    return 1 if options.strict and met < goals else 0


if __name__ == "__main__":
    sys.exit(main())
