"""Runs against a server of its own and prints the table; `--accept` writes it to docs/conformance.md."""

import argparse
import sys

from harness.server import Server

from . import table
from .run import run


def main():
    parser = argparse.ArgumentParser(prog="python -m model_run", description=__doc__)
    parser.add_argument("--accept", action="store_true", help="write docs/conformance.md")
    parser.add_argument("--failures", type=int, default=50, help="failures to print (50)")
    arguments = parser.parse_args()
    server = Server()
    try:
        outcome = run(server.start())
    finally:
        server.close()
    page = table.render(outcome)
    print(page)
    for failure in outcome.failures[: arguments.failures]:
        print(failure)
    if arguments.accept:
        table.PAGE.write_text(page)
    return 1 if outcome.failures else 0


if __name__ == "__main__":
    sys.exit(main())
