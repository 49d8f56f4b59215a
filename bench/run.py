"""`make bench`: Tidegate beside those that people would otherwise use, all in one run.

Prints one table, and keeps every run's figures in target/bench/results.json. A whole run writes docs/performance.md.
What is compared, and what the comparison is not, is in docs/benchmarks.md.
"""

import argparse
import json
import os
import pathlib
import platform
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "conformance"), str(pathlib.Path(__file__).parent)]

import plot  # noqa: E402
import report  # noqa: E402
from parts import bodies, control, identity, inside, invoke, onnx, routes, stored, threads  # noqa: E402

PARTS = {
    "invoke": invoke,
    "bodies": bodies,
    "threads": threads,
    "routes": routes,
    "control": control,
    "identity": identity,
    "stored": stored,
    "onnx": onnx,
    "inside": inside,
}

PAGE = """# Performance

What `make bench` measured on {machine}: medians of {runs} runs of {seconds} s, and the range of the runs' own ratios.
[How it is measured](benchmarks.md). Absolute times are this machine's; the ratios are what counts.

{table}

## What must be flat or linear

{images}
"""


def drawn(results):
    """Draws the parts' curves beside the page, and gives what shows them there. The dashed line is what is wanted."""
    shown = []
    for name, found in results.items():
        for file, curve in getattr(PARTS[name], "curves", lambda _: ())(found):
            (ROOT / "docs" / "performance").mkdir(exist_ok=True)
            (ROOT / "docs" / "performance" / f"{file}.svg").write_text(plot.svg(curve))
            shown.append(f"![{curve.title}](performance/{file}.svg)")
    return "\n\n".join(shown)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="runs of each measurement; the median counts")
    parser.add_argument("--seconds", type=int, default=5, help="seconds of load in each run")
    parser.add_argument("--only", choices=PARTS, action="append", help="one part; may be given again")
    options = parser.parse_args()
    results, rows = {}, []
    for name, part in PARTS.items():
        if options.only is None or name in options.only:
            print(f"measuring: {name}", file=sys.stderr)
            results[name] = part.measure(options)
            rows.extend(part.rows(results[name]))
    told = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "runs": options.runs,
        "seconds": options.seconds,
    }
    place = ROOT / "target" / "bench" / "results.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(told | results, indent=2) + "\n")
    if options.only is None:
        page = PAGE.format(table=report.as_markdown(rows), images=drawn(results), **told)
        (ROOT / "docs" / "performance.md").write_text(page)
    print(report.as_text(rows))
    print(f"\nmedians of {options.runs} runs, {told['machine']}; all of it in {place.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
