"""A curve of measured points as an SVG file, without any library: what must be flat or linear is seen at a glance."""

import math
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 40, 50
STYLE = "font-family='sans-serif' font-size='12' fill='#444'"


@dataclass(frozen=True)
class Curve:
    title: str
    across: str
    up: str
    points: list  # of (x, y), x ascending and positive
    # Linear means a straight line from the first point; flat means all are as high as the first.
    ideal: str


def expected(curve):
    """What the last points would be if the first held for all."""
    x0, y0 = curve.points[0]
    return [(x, y0 * x / x0 if curve.ideal == "linear" else y0) for x, _ in curve.points]


def svg(curve):
    logs = curve.ideal == "linear"
    ideal = expected(curve)
    xs = [x for x, _ in curve.points]
    ys = [y for _, y in [*curve.points, *ideal]]
    low_y, high_y = (min(ys) / 2, max(ys) * 2) if logs else (0, max(ys) * 1.4)

    def across(x):
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log(x / xs[0]) / math.log(xs[-1] / xs[0])

    def up(y):
        part = math.log(y / low_y) / math.log(high_y / low_y) if logs else (y - low_y) / (high_y - low_y)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * part

    def line(points, look):
        path = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in points)
        return f"<polyline points='{path}' fill='none' {look}/>"

    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{HEIGHT}'>",
        f"<title>{curve.title}</title>",
        "<rect width='100%' height='100%' fill='white'/>",
        f"<text x='{LEFT}' y='24' {STYLE} font-weight='bold'>{curve.title}</text>",
        f"<text x='{WIDTH - RIGHT}' y='{HEIGHT - 10}' text-anchor='end' {STYLE}>{curve.across}</text>",
        f"<text x='10' y='{TOP - 4}' {STYLE}>{curve.up}</text>",
        f"<path d='M{LEFT},{TOP} V{HEIGHT - BOTTOM} H{WIDTH - RIGHT}' stroke='#888' fill='none'/>",
        line(ideal, "stroke='#bbb' stroke-dasharray='5 4'"),
        line(curve.points, "stroke='#0972d3' stroke-width='2'"),
    ]
    for x, y in curve.points:
        parts.append(f"<circle cx='{across(x):.1f}' cy='{up(y):.1f}' r='4' fill='#0972d3'/>")
        parts.append(f"<text x='{across(x):.1f}' y='{up(y) - 9:.1f}' text-anchor='middle' {STYLE}>{y:.3g}</text>")
        parts.append(f"<text x='{across(x):.1f}' y='{HEIGHT - BOTTOM + 18}' text-anchor='middle' {STYLE}>{x:,}</text>")
    return "\n".join([*parts, "</svg>", ""])
