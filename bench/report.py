"""What was measured, as rows of one table: for the screen, and for docs/performance.md."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure. `goal` says what is wanted of `value`; `low` and `high` are its range over the runs."""

    work: str
    against: str
    value: float
    goal: str = ""
    met: bool | None = None
    low: float | None = None
    high: float | None = None
    unit: str = "x"
    ours: str = ""
    theirs: str = ""

    def cells(self):
        span = f" ({number(self.low)} to {number(self.high)})" if self.low is not None else ""
        verdict = {True: "yes", False: "no", None: ""}[self.met]
        figure = f"{number(self.value)}{'' if self.unit == 'x' else ' '}{self.unit}{span}"
        return self.work, self.against, self.ours, self.theirs, figure, self.goal, verdict


HEADINGS = ("work", "against", "tidegate", "the other", "figure (range)", "goal", "met")


def number(value):
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def at_most(work, against, found, bound, **more):
    """A ratio with its range that is to be at most so much."""
    value, low, high = found
    return Row(work, against, value, f"≤ {bound:g}x", value <= bound, low, high, **more)


def at_least(work, against, found, bound, **more):
    value, low, high = found
    return Row(work, against, value, f"≥ {bound:g}x", value >= bound, low, high, **more)


def below(work, value, bound, unit, against="–", **more):
    """A figure that is to stay below a bound of its own."""
    return Row(work, against, value, f"< {bound:g} {unit}", value < bound, unit=unit, **more)


def as_text(rows):
    table = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in table
    )


def as_markdown(rows):
    lines = [HEADINGS, ("---",) * len(HEADINGS), *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
