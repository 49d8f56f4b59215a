"""What was measured, as rows of one table: for the screen, and for docs/performance.md."""

from dataclasses import dataclass

import load

HEADINGS = ("work", "against", "tidegate", "the other", "figure (range)", "goal", "met")
UNITS = {"cpu_us": " µs", "p50_us": " µs", "p99_us": " µs", "requests_per_second": "/s", "requests_per_core": "/s"}


@dataclass(frozen=True)
class Row:
    """One figure. `goal` says what is wanted of it, and `met` whether it is so; both may be left open."""

    work: str
    against: str
    figure: str
    goal: str = ""
    met: bool | None = None
    ours: str = ""
    theirs: str = ""

    def cells(self):
        verdict = {True: "yes", False: "no", None: ""}[self.met]
        return self.work, self.against, self.ours, self.theirs, self.figure, self.goal, verdict


def number(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def span(low, high):
    return f" ({number(low)} to {number(high)})"


def compared(work, against, seen, names, key, most=None, least=None, plus=0.0):
    """The first of the two `names` in `seen`, as a ratio to the second and `plus`: with a bound, or as it is."""
    first, second = names
    value, low, high = load.ratio(seen, first, second, key, plus)
    unit = UNITS[key]
    theirs = number(load.median(seen, second, key)) + (f" + {number(plus)}" if plus else "")
    return Row(
        work,
        against,
        f"{number(value)}x{span(low, high)}",
        *_goal(value, most, least),
        ours=number(load.median(seen, first, key)) + unit,
        theirs=theirs + unit,
    )


def _goal(value, most, least):
    if most is not None:
        return f"≤ {most:g}x", value <= most
    if least is not None:
        return f"≥ {least:g}x", value >= least
    return "", None


def ratio(work, against, value, most, ours="", theirs=""):
    """A ratio that was found elsewhere."""
    return Row(work, against, f"{number(value)}x", *_goal(value, most, None), ours=ours, theirs=theirs)


def below(work, value, bound, unit, between=None):
    """A figure of our own that is to stay below a bound; `between` is its range."""
    figure = f"{number(value)} {unit}{span(*between) if between else ''}"
    return Row(work, "–", figure, f"< {bound:g} {unit}", value < bound)


def as_text(rows):
    table = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in table
    )


def as_markdown(rows):
    lines = [HEADINGS, ("---",) * len(HEADINGS), *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
