"""Sizes and words of the project's own files. (Their layout is that of ./dev format.)"""

import re
import sys

from house import ROOT, project_files, report

LONGEST = 300
# Longer, with the reason. A file that has become shorter again must leave this list.
LONGER = {
    "supervisor/shell/process/launcher.cpp": "a launch from request to outcome, told in one piece",
    "tests/unit/process/launch_test.cpp": "one test for each step of a launch",
}
SOURCES = (".cpp", ".hpp", ".c", ".h", ".py", ".sh")

# What never belongs into the project. (Written so that this file does not find itself.)
WORDS = {
    r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b(?!\s*\(#\d+\))": "a promise without an issue: write TO" "DO(#12), or do it",
    r"/wo" r"rk/": "a path of one machine",
    r"^(<{7}|>{7}) ": "a merge that was not finished",
}
TEXT = SOURCES + (".md", ".txt", ".json", ".jsonc", ".cmake", ".yml", ".yaml", ".toml")


def check_size(path, lines, longer=None):
    longer = LONGER if longer is None else longer
    if lines > LONGEST and path not in longer:
        return f"{path}: {lines} lines; a file has at most {LONGEST} (or a reason in tests/lint/text.py)"
    if lines <= LONGEST and path in longer:
        return f"{path}: {lines} lines; it needs no exception in tests/lint/text.py any more"
    return None


def check_text(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, what in WORDS.items():
            if re.search(pattern, line):
                yield f"{path}:{number}: {what}: {line.strip()[:80]}"
        if line != line.rstrip() and not path.endswith(".md"):
            yield f"{path}:{number}: blanks at the end of the line"
    if text and not text.endswith("\n"):
        yield f"{path}: does not end with a line break"
    if "\t" in text and path.endswith((".cpp", ".hpp", ".py")):
        yield f"{path}: a tabulator; indent with blanks"


def check_header(path, text):
    if not path.endswith(".hpp"):
        return
    if not text.startswith("//"):
        yield f"{path}: a header opens with its purpose, in // lines"
    if "#pragma once" not in text:
        yield f"{path}: #pragma once is missing"


def main():
    problems, count = [], 0
    for path in project_files():
        if not (path.endswith(TEXT) or path in ("dev", ".ci/run")) or "/corpus/" in path:
            continue
        text = (ROOT / path).read_text(errors="replace")
        count += 1
        if path.endswith(SOURCES) or path == "dev":
            problem = check_size(path, text.count("\n"))
            problems += [problem] if problem else []
        problems += [*check_text(path, text), *check_header(path, text)]
    return report(problems, f"{count} files are as the house wants them")


if __name__ == "__main__":
    sys.exit(main())
