"""The figures as Markdown, with ratios to the bare loop, goals and whether they are met."""

BASE = "bare loop"


def ratio_of(figure, name):
    base = figure.values.get(BASE)
    return figure.values[name] / base if base else None


def verdict(figure, name):
    """(what was to be reached, whether it was), or ("", "") where there was nothing to reach."""
    goal = figure.goals.get(name)
    if goal is None:
        return "", ""
    if name not in figure.values:
        return "", "**no figure**"
    value, ratio = figure.values[name], ratio_of(figure, name)
    if goal.kind == "ratio":
        met = ratio is not None and ratio <= goal.limit
        return f"≤ {goal.limit:g} ×", "met" if met else "**missed**"
    if goal.kind == "at most":
        return f"≤ {goal.limit:.3g} {figure.unit}", "met" if value <= goal.limit else "**missed**"
    met = value >= goal.limit
    # A machine with other work to do cannot show this one: then not even the bare loop reaches it.
    spoilt = not met and figure.values.get(BASE, goal.limit) < goal.limit
    return f"≥ {goal.limit:g} {figure.unit}", "met" if met else "machine too busy" if spoilt else "**missed**"


def number(value):
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(figure):
    lines = [f"### {figure.title}", "", f"| | {figure.unit or 'count'} | × bare loop | goal | |", "| --- | ---: | ---: | --- | --- |"]
    for name in sorted(figure.values, key=lambda name: (name != BASE, not name.startswith("corral"), figure.values[name])):
        ratio = ratio_of(figure, name)
        goal, met = verdict(figure, name)
        shown = f"{ratio:.2f}" if ratio is not None else ""
        lines.append(f"| {name} | {number(figure.values[name])} | {shown} | {goal} | {met} |")
    for name, remark in figure.remarks.items():
        _, met = verdict(figure, name)
        lines.append(f"| {name} | | | {remark} | {met} |")
    return "\n".join(lines) + "\n"


def summary(figures):
    """(goals met, goals there are)."""
    marks = [verdict(figure, name)[1] for figure in figures for name in figure.goals]
    return marks.count("met"), len(marks)
