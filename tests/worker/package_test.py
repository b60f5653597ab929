"""corral::worker from outside: installed into a folder, found by CMake, linked as C++20, also into a shared library."""

import argparse
import pathlib
import shutil
import subprocess
import sys

PROJECT = """\
cmake_minimum_required(VERSION 3.20)
project(outside LANGUAGES CXX)
find_package(corral 0.1 REQUIRED)
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_EXTENSIONS OFF)
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
add_executable(strict strict.cpp)
target_link_libraries(strict PRIVATE corral::worker)
add_library(module SHARED strict.cpp)
target_link_libraries(module PRIVATE corral::worker -Wl,--no-undefined)
add_subdirectory(examples)
"""
STRICT = """\
#include <corral/worker.hpp>

int main() {
  return corral::worker::serve([](corral::worker::Task& task) {
    if (task.payload().empty()) throw corral::worker::Failure("Empty", "nothing there");
    return corral::worker::json_string(task.payload());
  });
}
"""


def run(*command, **more):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=250, **more)
    if done.returncode != 0 and "input" not in more:
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def check(what, is_so):
    if not is_so:
        sys.exit(f"not so: {what}")


def main():
    parser = argparse.ArgumentParser()
    for name in ("cmake", "build", "compiler", "examples"):
        parser.add_argument(f"--{name}", required=True)
    arguments = parser.parse_args()
    folder = pathlib.Path(arguments.build) / "worker-package"
    shutil.rmtree(folder, ignore_errors=True)
    installed, source, built = folder / "installed", folder / "source", folder / "built"
    run(arguments.cmake, "--install", arguments.build, "--component", "worker", "--prefix", installed)
    files = sorted(path.relative_to(installed).as_posix() for path in installed.rglob("*") if path.is_file())
    check(f"{files} are one archive, one header and the package",
          [path for path in files if "/cmake/corral/" not in path and not path.endswith("/libcorral_worker.a")]
          == ["include/corral/worker.hpp"])
    check("the package names no path of the build", not any(
        arguments.build in path.read_text() for path in installed.rglob("*.cmake")))

    source.mkdir()
    (source / "CMakeLists.txt").write_text(PROJECT)
    (source / "strict.cpp").write_text(STRICT)
    shutil.copytree(arguments.examples, source / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    run(arguments.cmake, "-S", source, "-B", built, f"-DCMAKE_PREFIX_PATH={installed}",
        f"-DCMAKE_CXX_COMPILER={arguments.compiler}")
    run(arguments.cmake, "--build", built, "--parallel", "2")

    done = run(built / "strict", input='say "yes"\n\nno\n')
    check(f"{done} filtered", done.stdout == '"say \\"yes\\""\n"no"\n' and done.stderr == "task 1: Empty: nothing there\n")
    check(f"{done} says that a task has failed", done.returncode == 1)
    done = run(built / "examples" / "primes", input='100\n"1000 2000"\n[0,10000000]\n')
    check(f"{done} counted primes", done.stdout == "25\n135\n664579\n" and done.returncode == 0)


if __name__ == "__main__":
    main()
