"""What is measured: the bare loop, corral in its two forms, and the peers.

A subject turns "N workers of this mode" into a start line. What it cannot do, or not without being unfair to it, is not
in its `can`.
"""

import json
import os
import shutil
import sys

ALL = {"cold", "start_100", "start_1000", "kill_one", "restarts", "stop", "memory", "idle", "kill_all"}
SPIN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "spin.py")  # a worker that is nothing but work


class Subject:
    """name: as in the table. can: metrics. single: only one worker. rounds: at most so many of them."""

    def __init__(self, name, can, rounds=None):
        self.name, self.can, self.rounds = name, can, rounds

    def command(self, setting, workers, mode, slots):
        raise NotImplementedError

    def environment(self, setting):
        return dict(os.environ)


class Setting:
    """Where tools and work folders are."""

    def __init__(self, folder, worker, bare, corral):
        self.folder, self.worker, self.bare, self.corral = folder, worker, bare, corral

    def fresh_folder(self, name):
        path = os.path.join(self.folder, "work", name)
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        return path


class Bare(Subject):
    def command(self, setting, workers, mode, slots):
        return [setting.bare, str(workers), setting.worker, mode, slots.path]

    def spinning(self, setting, cores):
        return [setting.bare, str(cores), SPIN]


class Wrapper(Subject):
    """An init of one command."""

    def __init__(self, name, words, rounds=None):
        super().__init__(name, {"cold", "sigterm"}, rounds)
        self.words = words

    def command(self, setting, workers, mode, slots):
        assert workers == 1
        return [*self.words, setting.worker, f"{mode}:0:{slots.path}"]


class CorralRun(Subject):
    """`corral run` with throttling off: restarted at once, always, without a limit."""

    restart = {"when": "always", "delay": "0", "jitter": 0, "healthy_after": "0", "limit": None}

    def config(self, setting, workers, mode, slots):
        program = {
            "command": [setting.worker, f"{mode}:{{index}}:{slots.path}"],
            "workers": workers,
            "cores": "shared",
            "restart": self.restart,
        }
        path = os.path.join(setting.fresh_folder(f"corral-{workers}-{mode}"), "corral.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"programs": {"bench": program}}, file, indent=2)
        return path

    def command(self, setting, workers, mode, slots):
        return [setting.corral, "run", self.config(setting, workers, mode, slots)]

    def spinning(self, setting, cores):
        path = os.path.join(setting.fresh_folder("corral-spinning"), "corral.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"programs": {"spin": {"command": [SPIN], "workers": "auto", "cores": "separate"}}}, file)
        return [setting.corral, "run", path]


class CorralAsConfigured(CorralRun):
    """The same with the restart policy that a user gets without a word."""

    restart = "always"


class ServiceFolders(Subject):
    """runit, s6 and daemontools: a folder with a `run` script for each worker."""

    def __init__(self, name, supervise, scan, can):
        super().__init__(name, can)
        self.supervise, self.scan = supervise, scan

    def command(self, setting, workers, mode, slots):
        folder = setting.fresh_folder(f"{self.name}-{workers}-{mode}")
        for index in range(workers):
            service = os.path.join(folder, f"w{index:05}")
            os.mkdir(service)
            script = os.path.join(service, "run")
            with open(script, "w", encoding="utf-8") as file:
                file.write(f"#!{setting.worker} {mode}:{index}:{slots.path}\n")
            os.chmod(script, 0o755)
        if workers == 1:
            return [*self.supervise, os.path.join(folder, "w00000")]
        return [*self.scan, folder]


class Supervisord(Subject):
    def __init__(self, folder):
        super().__init__("supervisor", ALL - {"start_1000", "idle"}, rounds=3)
        self.folder = folder

    def environment(self, setting):
        return dict(os.environ, PYTHONPATH=os.path.join(self.folder, "usr/lib/python3/dist-packages"))

    def command(self, setting, workers, mode, slots):
        folder = setting.fresh_folder(f"supervisor-{workers}-{mode}")
        path = os.path.join(folder, "supervisord.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(
                f"[supervisord]\nnodaemon=true\nlogfile={folder}/log\npidfile={folder}/pid\nminfds=10000\nuser=root\n"
                f"[program:w]\ncommand={setting.worker} {mode}:%(process_num)d:{slots.path}\nnumprocs={workers}\n"
                "process_name=w%(process_num)d\nautorestart=true\nstartsecs=0\nstartretries=1000000\n"
                "stdout_logfile=NONE\nstderr_logfile=NONE\n"
            )
        return [sys.executable, os.path.join(self.folder, "usr/bin/supervisord"), "-c", path]


class Pm2(Subject):
    def __init__(self, script, node):
        super().__init__("pm2", {"cold", "start_100", "kill_one", "restarts", "memory"}, rounds=3)
        self.script, self.node = script, node

    def environment(self, setting):
        return dict(os.environ, PM2_HOME=os.path.join(setting.folder, "work", "pm2-home"), PM2_DISCRETE_MODE="true")

    def command(self, setting, workers, mode, slots):
        setting.fresh_folder("pm2-home")
        folder = setting.fresh_folder(f"pm2-{workers}-{mode}")
        path = os.path.join(folder, "apps.json")
        apps = [
            {"name": f"w{index}", "script": setting.worker, "args": f"{mode}:{index}:{slots.path}", "interpreter": "none",
             "exec_mode": "fork", "autorestart": True, "max_restarts": 10**9, "min_uptime": 0, "restart_delay": 0,
             "out_file": "/dev/null", "error_file": "/dev/null"}
            for index in range(workers)
        ]  # fmt: skip
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"apps": apps}, file)
        return [self.node, self.script, "start", path, "--no-daemon"]


def corral_subjects(setting):
    return [
        Bare("bare loop", ALL | {"sigterm", "start_10000", "busy"}),
        Wrapper("corral exec", [setting.corral, "exec", "--"]),
        CorralRun("corral run", ALL - {"idle"} | {"start_10000", "busy"}),
        CorralAsConfigured("corral run", {"idle"}),
    ]


def peer_subjects(fetched):
    """(subjects that are here, a sentence for each that is not)."""
    found, absent = [], []

    def add(package, program, make):
        path = shutil.which(program)
        if path is None:
            absent.append(f"{package}: not installed")
        else:
            found.append(make(path))

    scanned = ALL - {"restarts"}  # Each of the three waits a second before it starts a worker again that died young.
    add("tini", "tini", lambda path: Wrapper("tini", [path, "--"]))
    add("dumb-init", "dumb-init", lambda path: Wrapper("dumb-init", [path, "--"]))
    add("catatonit", "catatonit", lambda path: Wrapper("catatonit", [path, "--"]))
    add("runit", "runsvdir", lambda path: ServiceFolders("runit", [shutil.which("runsv")], [path], scanned))
    add("s6", "s6-svscan",
        lambda path: ServiceFolders("s6", [shutil.which("s6-supervise")], [path, "-c", "4000"], scanned))  # fmt: skip
    add("daemontools", "svscan", lambda path: ServiceFolders("daemontools", [shutil.which("supervise")], [path], scanned))
    if os.path.exists(os.path.join(fetched, "supervisor/usr/bin/supervisord")):
        found.append(Supervisord(os.path.join(fetched, "supervisor")))
    else:
        absent.append("supervisor: not fetched")
    pm2, node = os.path.join(fetched, "node_modules/pm2/bin/pm2"), shutil.which("node")
    if os.path.exists(pm2) and node is not None:
        found.append(Pm2(pm2, node))
    else:
        absent.append("pm2: not fetched (it needs node and npm)")
    absent += [f"{name}: not in Debian 12" for name in ("dinit", "circus")]
    return found, absent
