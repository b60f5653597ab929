"""Processes of a run: started by their exec line, observed through /proc, and none left behind.

The bench is the subreaper of all of it, so that what a supervisor leaves is found here and nowhere else.
"""

import ctypes
import os
import resource
import select
import signal
import time

PR_SET_CHILD_SUBREAPER = 36
TICKS = os.sysconf("SC_CLK_TCK")


def become_subreaper():
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def allow_descriptors(wanted):
    """A supervisor that reads its workers' output needs two for each: 10,000 workers are more than a shell allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(wanted, hard)))
    except (PermissionError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


def spawn(command, environment, log):
    """Starts it in a session of its own with its output in the file `log`. Returns its pid."""
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawn(command[0], command, environment, file_actions=actions, setsid=True)


def stat_of(pid):
    """(state, parent, user+system seconds, the same of its waited-for children), or None where there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    own, children = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
    return fields[0], int(fields[1]), own / TICKS, children / TICKS


def alive(pid):
    found = stat_of(pid)
    return found is not None and found[0] not in (b"Z", b"X")


def descendants(root):
    """Every process below `root`, without it."""
    below = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (found := stat_of(name)) is not None:
            below.setdefault(found[1], []).append(int(name))
    found, queue = [], [root]
    while queue:
        children = below.get(queue.pop(), [])
        found += children
        queue += children
    return found


def workers_of(pid):
    """Every process below a supervisor but those that only watch over it."""

    def watches(process):
        try:
            with open(f"/proc/{process}/cmdline", "rb") as file:
                return file.read().startswith(b"corral: guardian")
        except OSError:
            return False

    return [process for process in descendants(pid) if not watches(process)]


def wait_gone(pid, ceiling):
    """Waits until our child `pid` has ended and reaps it. False when the ceiling was reached first."""
    fd = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        if not poll.poll(ceiling * 1000):
            return False
    finally:
        os.close(fd)
    os.waitpid(pid, 0)
    return True


def reap_orphans():
    """Takes the status of whoever has ended below us. False when we have no child at all."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
    except ChildProcessError:
        return False
    return True


def kill_everything():
    """SIGKILL for all that is below us, until nothing is."""
    limit = time.monotonic() + 30
    while reap_orphans():
        for pid in descendants(os.getpid()):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if time.monotonic() > limit:
            raise RuntimeError("processes of the last measurement cannot be killed; see ps")
        time.sleep(0.001)


def pss_bytes(pids):
    """Proportional memory of these processes together."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            total += next(int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:"))
    return total


def context_switches(pids):
    """How often the threads of these processes have given up or lost a CPU so far."""
    total = 0
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/status", encoding="utf-8", errors="replace") as file:
                total += sum(int(line.split()[1]) for line in file if "ctxt_switches:" in line)
    return total


def cpu_seconds(pid):
    """User and system time of a process and of its children that have been waited for, in clock ticks' resolution."""
    found = stat_of(pid)
    if found is None:
        raise ProcessLookupError(f"process {pid} has ended")
    return found[2] + found[3]
