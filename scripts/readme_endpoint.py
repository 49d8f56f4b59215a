"""Runs the README's Python lines, exactly as printed, against a server that lives as long as they do."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "conformance"))

from harness import readme  # noqa: E402  (found through the path above)
from harness.server import Server  # noqa: E402


def main():
    server = Server()
    try:
        server.start()
        print(f"a server of its own at {server.url}; the lines:\n")
        print(readme.snippets("python")[0])
        sys.stdout.flush()
        return readme.run_python(server).returncode
    finally:
        server.close()


if __name__ == "__main__":
    sys.exit(main())
