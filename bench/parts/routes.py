"""What a large route table costs a request, and what it costs that one of its endpoints is updated every second."""

import json

import plot
import report
from parts.inside import example

ENDPOINTS = {
    "10": "10 endpoints",
    "100": "100 endpoints",
    "1000": "1,000 endpoints",
    "updated": "1,000 endpoints, one updated every second",
}


def measure(_options):
    return json.loads(example("gateway", "proxy", "--routes"))


def rows(found):
    for name, what in ENDPOINTS.items():
        one = found[name]
        yield report.ratio(
            f"InvokeEndpoint, {what} x 3 variants x 4 instances, CPU per request",
            "itself with 1 endpoint",
            one["ratio"],
            1.03,
            ours=f"{one['cpu_ns'] / 1e3:.2f} µs",
            theirs=f"{one['cpu_ns_of_one'] / 1e3:.2f} µs",
        )


def curves(found):
    """By file name."""
    points = [(1, found["10"]["cpu_ns_of_one"] / 1e3)]
    points += [(count, found[str(count)]["ratio"] * points[0][1]) for count in (10, 100, 1000)]
    yield (
        "cpu-per-request",
        plot.Curve("CPU per request, by the size of the route table", "endpoints", "µs", points, "flat"),
    )
