"""Links of the documentation lead somewhere, commands that it names exist, and the README names the two that matter."""

import re
import sys

from house import ROOT, project_files, report

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+\s+(.+?)\s*$", re.MULTILINE)
DEV = re.compile(r"\./dev ([a-z]+)")
# A file that comments and pages point to by name: docs/decisions/0004-placement.md
MENTIONED = re.compile(r"\bdocs/[A-Za-z0-9_./-]+\.md\b")
NUMBERED = re.compile(r"^docs/decisions/(\d{4})-[a-z0-9-]+\.md$")


def anchor(heading):
    """As GitHub makes it."""
    words = re.sub(r"[`*_]", lambda found: found.group(0) if found.group(0) == "_" else "", heading.lower())
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


def anchors(text):
    return {anchor(heading) for heading in HEADING.findall(FENCE.sub("", text))}


def check_links(path, text, root):
    for match in LINK.finditer(FENCE.sub("", text)):
        link = match.group(1) or match.group(2)
        if re.match(r"[a-z]+:", link):
            continue
        target, _, fragment = link.partition("#")
        file = (root / path).parent / target if target else root / path
        if not file.exists():
            yield f"{path}: the link {link} leads nowhere"
        elif fragment and file.suffix == ".md" and fragment not in anchors(file.read_text()):
            yield f"{path}: the link {link} names a heading that is not there"


def check_commands(path, text, commands):
    for command in sorted(set(DEV.findall(text)) - commands):
        yield f"{path}: names ./dev {command}, which does not exist"


def check_decisions(paths):
    numbers = [match.group(1) for match in map(NUMBERED.match, paths) if match]
    for number in sorted({number for number in numbers if numbers.count(number) > 1}):
        yield f"docs/decisions: two decisions have the number {number}"
    for path in paths:
        if path.startswith("docs/decisions/") and not NUMBERED.match(path) and not path.endswith("README.md"):
            yield f"{path}: a decision is called NNNN-title.md"


def main():
    paths = project_files()
    commands = set(re.findall(r"^command_([a-z]+)\(\)", (ROOT / "dev").read_text(), re.MULTILINE))
    problems, count = list(check_decisions(paths)), 0
    for path in paths:
        if path.endswith(".md"):
            text = (ROOT / path).read_text()
            count += 1
            problems += [*check_links(path, text, ROOT), *check_commands(path, text, commands)]
        if path.endswith((".md", ".cpp", ".hpp", ".py", ".cmake", "CMakeLists.txt", "dev")):
            for mentioned in sorted(set(MENTIONED.findall((ROOT / path).read_text(errors="replace")))):
                if not (ROOT / mentioned).exists() and "NNNN" not in mentioned and not path.startswith("tests/lint/"):
                    problems.append(f"{path}: points to {mentioned}, which does not exist")
    readme = ROOT / "README.md"
    if readme.exists():
        text = readme.read_text()
        problems += [f"README.md: does not name {command}" for command in ("./dev run", "./dev test") if command not in text]
    return report(problems, f"{count} pages lead where they say")


if __name__ == "__main__":
    sys.exit(main())
