"""Which room includes what: the rules of docs/architecture.md.

The graph of rooms is that of CMakeLists.txt (corral_module and its USES), so there is one list; what must hold of that
list itself, and who may see which library, is here.
"""

import re
import sys

from house import ROOT, project_files, report

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
MODULE = re.compile(r"^corral_module\(([^)]*)\)", re.MULTILINE)
STANDARD = re.compile(r"^[a-z_0-9]+$")          # <vector>: no slash, no .h
SYSTEM = re.compile(r"^[a-z_0-9/]+\.h$")        # <unistd.h>, <sys/wait.h>

# Library -> the folders whose files may include it; with ".cpp" only the .cpp files there.
LIBRARIES = {
    "boost/asio": ["supervisor/shell/*.cpp", "supervisor/shell/*.hpp", "supervisor/shell/io/*.cpp", "supervisor/shell/io/*.hpp",
                   "supervisor/shell/tasks/*.cpp", "supervisor/shell/tasks/*.hpp", "supervisor/shell/api/*.cpp",
                   "supervisor/shell/api/*.hpp", "supervisor/cli/*.cpp"],
    "boost/beast": ["supervisor/shell/api/*.cpp", "supervisor/shell/api/*.hpp", "supervisor/cli/*.cpp"],
    "boost/json": ["supervisor/cli/top/*.cpp"],
    "boost/process": ["supervisor/shell/process/*.cpp", "supervisor/shell/process/*.hpp"],
    "boost/optional.hpp": ["supervisor/shell/process/*.cpp"],
    "boost/type_traits.hpp": ["supervisor/shell/process/*.cpp"],
    "boost/system": ["supervisor/shell/*.cpp", "supervisor/shell/*.hpp", "supervisor/shell/io/*.cpp",
                     "supervisor/shell/io/*.hpp", "supervisor/shell/process/*.cpp"],
    "nlohmann": ["supervisor/config/*.cpp", "supervisor/control/*.cpp", "supervisor/control/*members.hpp", "supervisor/cli/*.cpp",
                 "supervisor/cli/top/*.cpp"],
    "CLI": ["supervisor/cli/*.cpp"],
    "sqlite3.h": ["supervisor/shell/state/*.cpp"],
    "zlib.h": ["supervisor/shell/logs/*.cpp"],
    "xxhash.h": ["supervisor/shell/state/*.cpp"],
    "fmt": ["supervisor/shell/state/*.cpp", "supervisor/config/*.cpp", "supervisor/config/*.hpp", "supervisor/control/*.cpp", "supervisor/cli/*.cpp", "supervisor/shell/*.cpp",
            "supervisor/shell/process/*.cpp", "supervisor/shell/io/*.cpp", "supervisor/shell/disk/*.cpp",
            "supervisor/shell/events/*.cpp", "supervisor/shell/logs/*.cpp", "supervisor/shell/tasks/*.cpp", "supervisor/shell/api/*.cpp",
            "supervisor/cli/top/*.cpp", "supervisor/*.cpp"],
}

# What of the standard library core must not see: it would no longer be pure.
NOT_IN_CORE = {"thread", "mutex", "shared_mutex", "condition_variable", "future", "atomic", "random", "iostream", "fstream",
               "filesystem", "ctime", "syncstream", "coroutine", "stop_token", "semaphore", "barrier", "latch"}
NOT_IN_CORE_TEXT = {
    r"\bgetenv\s*\(": "the environment", r"::now\s*\(": "a clock", r"\brandom_device\b": "a source of chance",
    r"\bsteady_clock\b|\bsystem_clock\b": "a clock", r"\btime\s*\(\s*(nullptr|NULL|0)\s*\)": "a clock",
    r"\bstd::(cout|cerr|clog)\b|\bprintf\s*\(": "output",
}
# Programs of other people, as it were: they see of corral what is installed.
EXAMPLES = "worker/examples"
# What is installed stands alone: the standard library, no header of a room, no system header.
INSTALLED = {"worker/cpp/worker.hpp"}
POSIX_IN_CORE = set()  # System headers that core may include: none. <csignal> and <cerrno> name numbers, and are enough.


def rooms(cmake):
    """{folder: (name, set of folders it may include)}, by transitive USES."""
    folder_of, uses = {}, {}
    for call in MODULE.findall(cmake):
        words = call.split()
        name, folder, rest = words[0], words[1], words[2:]
        if "USES" in rest:
            rest = rest[rest.index("USES") + 1:]
            uses[name] = rest[:rest.index("PRIVATE")] if "PRIVATE" in rest else rest
        else:
            uses[name] = []
        folder_of[name] = folder

    def closure(name, seen):
        for used in uses[name]:
            if used not in seen:
                seen.add(used)
                closure(used, seen)
        return seen

    return {folder_of[name]: (name, {folder_of[used] for used in closure(name, set())}) for name in uses}


def check_graph(graph):
    """What must hold whatever CMakeLists.txt says."""
    for folder, (_, used) in graph.items():
        if folder == "common/base" and used:
            yield f"CMakeLists.txt: common/base uses {sorted(used)}; it uses nothing"
        if folder == "supervisor/core" and used - {"common/base"}:
            yield f"CMakeLists.txt: core uses {sorted(used)}; it may use common/base alone"
        for other in used:
            if folder.startswith("common/") and not other.startswith("common/"):
                yield f"CMakeLists.txt: {folder} uses {other}; common never uses supervisor or worker"
            if {folder.split("/")[0], other.split("/")[0]} == {"supervisor", "worker"}:
                yield f"CMakeLists.txt: {folder} uses {other}; supervisor and worker never use each other"


def matches(path, patterns):
    folder, _, name = path.rpartition("/")
    return any(pattern.rpartition("/")[0] == folder and name.endswith(pattern.rpartition("*")[2]) for pattern in patterns)


def check_library(path, header):
    library = next((known for known in LIBRARIES if header == known or header.startswith(known + "/")), None)
    if library is None:
        return f"{path}: includes <{header}>, a library that no rule of tests/lint/includes.py names"
    if not matches(path, LIBRARIES[library]):
        return f"{path}: includes <{header}>; only {', '.join(LIBRARIES[library])} may see {library}"
    return None


def check_own(path, folder, header, graph):
    """A "header" in quotes: whole path, of a room that this one may include."""
    target = header.rpartition("/")[0]
    if header.startswith("tests/"):
        return f'{path}: includes "{header}"; nothing includes tests'
    if folder == "supervisor":  # main.cpp: composition only
        return None if target == "supervisor/cli" else f'{path}: includes "{header}"; main composes from cli alone'
    if target == folder:
        return None
    if target not in graph:
        return f'{path}: includes "{header}"; write the path from the root of the project, of a header of a room'
    if target not in graph[folder][1]:
        return f'{path}: includes "{header}"; {graph[folder][0]} may include {sorted(graph[folder][1])} alone'
    return None


def check_core(path, text):
    for header in (match[1] for match in INCLUDE.findall(text)):
        if header in NOT_IN_CORE:
            yield f"{path}: includes <{header}>; core decides and does nothing else"
    code = re.sub(r"//[^\n]*", "", text)
    for pattern, what in NOT_IN_CORE_TEXT.items():
        if re.search(pattern, code):
            yield f"{path}: uses {what} ({re.search(pattern, code).group(0)}); core decides and does nothing else"


def check_alone(path, text, allowed=()):
    """An installed header, or a program that uses one."""
    for quote, header in INCLUDE.findall(text):
        if quote == '"' or not (STANDARD.match(header) or header in allowed):
            yield f"{path}: includes {quote}{header}; {', '.join(['the standard library', *allowed])} is all it may see"


def check_file(path, text, graph):
    """Problems of one file of a room."""
    folder = path.rpartition("/")[0]
    if folder == EXAMPLES:
        yield from check_alone(path, text, ["corral/worker.hpp"])
        return
    if path in INSTALLED:
        yield from check_alone(path, text)
    if folder not in graph and folder != "supervisor":
        yield f"{path}: lies in no room that CMakeLists.txt names"
        return
    for quote, header in INCLUDE.findall(text):
        if quote == '"':
            problem = check_own(path, folder, header, graph)
        elif STANDARD.match(header):
            problem = None
        elif SYSTEM.match(header) and header.partition("/")[0] not in LIBRARIES:  # <fmt/format.h> is a library's.
            in_core = folder == "supervisor/core" and header not in POSIX_IN_CORE
            problem = f"{path}: includes <{header}>; core makes no system call" if in_core else None
        else:
            problem = check_library(path, header)
        if problem:
            yield problem
    if folder == "supervisor/core":
        yield from check_core(path, text)


def main():
    graph = rooms((ROOT / "CMakeLists.txt").read_text())
    problems = list(check_graph(graph))
    count = 0
    for path in project_files():
        if path.endswith((".cpp", ".hpp")) and path.startswith(("common/", "supervisor/", "worker/cpp/", EXAMPLES + "/")):
            if path.startswith("common/cmake/"):
                continue
            count += 1
            problems += check_file(path, (ROOT / path).read_text(), graph)
    return report(problems, f"{count} files include what their room may include")


if __name__ == "__main__":
    sys.exit(main())
