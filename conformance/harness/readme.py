"""The README's lines, taken out of it as they are printed."""

import re
import subprocess
import sys

from .server import ROOT


def snippets(language):
    """The README's blocks of this language, in their order."""
    text = (ROOT / "README.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.S | re.M)


def run_python(server, blocks=1, **options):
    """Runs the first Python lines from the root of the repository, as a reader would after `eval "$(tidegate env)"`."""
    command = [sys.executable, "-c", "".join(snippets("python")[:blocks])]
    return subprocess.run(command, cwd=ROOT, env=server.client_environment(), timeout=120, check=False, **options)
