"""What needs no process beside it: programs that measure one part of Tidegate in turns with itself."""

import json
import re
import subprocess

import plot
import report
from harness.server import ROOT, binary

# The last two say whether it is linear.
TARGETS = (1_000, 3_000, 10_000, 30_000, 100_000)


def example(package, name, *arguments):
    """Builds and runs one example of a crate; gives what it prints."""
    build = ["cargo", "build", "--quiet", "--release", "--locked", "-p", package, "--example", name]
    subprocess.run(build, cwd=ROOT, check=True)
    command = [ROOT / "target" / "release" / "examples" / name, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=600).stdout


def measure(_options):
    told = example("control", "sweep", "--quiet-only", *map(str, TARGETS))
    sweeps = re.findall(r"^ *(\d+) targets, alarms, quiet *: *([\d.]+) ms", told, re.M)
    return {
        "metrics": json.loads(example("gateway", "proxy", "--json")),
        "sweep": [[int(targets), float(milliseconds)] for targets, milliseconds in sweeps],
        "binary_mb": binary().stat().st_size / 1e6,
    }


def rows(found):
    metrics = found["metrics"]
    yield report.ratio(
        "InvokeEndpoint with metrics, CPU per request",
        "itself without",
        metrics["ratio"],
        1.03,
        ours=f"{metrics['cpu_ns_with'] / 1e3:.2f} µs",
        theirs=f"{metrics['cpu_ns_without'] / 1e3:.2f} µs",
    )
    *_, (few, short), (many, long) = sorted(found["sweep"])
    yield report.below(f"one sweep of {many:,} scaled variants, one core", long, 1000, "ms")
    each = (long / many) / (short / few)
    yield report.ratio(f"one sweep of {many:,} scaled variants, each", f"each of {few:,}", each, 1.1)
    yield report.below("size of the binary", found["binary_mb"], 40, "MB")


def curves(found):
    """By file name."""
    points = sorted((targets, milliseconds) for targets, milliseconds in found["sweep"])
    yield "sweep", plot.Curve("One sweep of all scaled variants, one core", "scaled variants", "ms", points, "linear")
