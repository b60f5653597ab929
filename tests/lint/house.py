"""What the lints share: where the project is, and which files are its own."""

import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def project_files(root=ROOT):
    """Paths below `root` that git knows or would add; all of them where there is no git."""
    listed = subprocess.run(["git", "-C", str(root), "ls-files", "--cached", "--others", "--exclude-standard"],
                            capture_output=True, text=True)
    if listed.returncode == 0 and listed.stdout:
        names = sorted(set(listed.stdout.splitlines()))
        return [name for name in names if (root / name).is_file()]
    skipped = ("build", ".git")
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*")
                  if path.is_file() and path.relative_to(root).parts[0] not in skipped)


def report(problems, ok):
    for problem in problems:
        print(f"lint: {problem}")
    print(f"{len(problems)} problems" if problems else ok)
    return 1 if problems else 0
