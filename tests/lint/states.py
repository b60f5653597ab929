"""docs/states.md is what the code says."""

import difflib
import pathlib
import subprocess
import sys

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/states.md"


def main():
    printer = sys.argv[1]
    says = subprocess.run([printer], capture_output=True, text=True, check=True).stdout
    written = PAGE.read_text() if PAGE.exists() else ""
    if says == written:
        return 0
    sys.stdout.writelines(difflib.unified_diff(written.splitlines(True), says.splitlines(True), "docs/states.md", "the code"))
    print(f"\nlint: docs/states.md is not what the code says; write it again: {printer} > docs/states.md")
    return 1


if __name__ == "__main__":
    sys.exit(main())
