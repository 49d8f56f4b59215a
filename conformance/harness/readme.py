"""The README's lines, taken out of it as they are printed."""

import re
import subprocess
import sys

from .server import ROOT


def snippet(language):
    """The README's only block of this language."""
    text = (ROOT / "README.md").read_text()
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", text, re.S | re.M)
    return found


def run_python(server, **options):
    """Runs the Python lines from the root of the repository, as a reader would, after `eval "$(tidegate env)"`."""
    command = [sys.executable, "-c", snippet("python")]
    return subprocess.run(command, cwd=ROOT, env=server.client_environment(), timeout=120, check=False, **options)
