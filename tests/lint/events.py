"""Events have names, and one list of them: whatever the shell says by name is in supervisor/core/event_names.hpp, where hooks and
clients choose from, and in the guide, where people look."""

import re
import sys

import house

LIST = "supervisor/core/event_names.hpp"
GUIDE = "docs/guide/events.md"
# say(weight, "name", …), Said{weight, "name", …}, and the disk thread's {trouble, "name", …}.
SAID = re.compile(r'\b(?:say_?|tell|Said|Notice)\s*[({][^";]{0,80}?,\s*"([a-z]+(?:_[a-z]+)*)"')
PUSHED = re.compile(r'\{(?:true|false),\s*"([a-z]+(?:_[a-z]+)+)"')


def said(text):
    """The names that a source says something by."""
    return set(SAID.findall(text)) | set(PUSHED.findall(text))


def listed(text):
    return set(re.findall(r'"([a-z]+(?:_[a-z]+)*)"', text))


def missing(sources, names, guide):
    """Sentences: what is said without being in the list, and what is in the list without being explained."""
    for path, text in sources:
        for name in sorted(said(text) - names):
            yield f"{path}: the event '{name}' is not in {LIST}, so that nobody can ask for it"
    for name in sorted(names):
        if f"`{name}`" not in guide:
            yield f"{GUIDE}: says nothing of the event '{name}'"


def main():
    names = listed((house.ROOT / LIST).read_text())
    paths = [path for path in house.project_files() if path.startswith("supervisor/shell/") and path.endswith(".cpp")]
    sources = [(path, (house.ROOT / path).read_text()) for path in paths]
    found = set().union(*(said(text) for _, text in sources))
    assert len(found) > 10, f"the pattern finds next to nothing: {found}"
    return house.report(list(missing(sources, names, (house.ROOT / GUIDE).read_text())), f"{len(names)} events, all listed and explained")


if __name__ == "__main__":
    sys.exit(main())
