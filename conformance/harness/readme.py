"""The README's lines, and those of other pages, taken out of them as they are printed."""

import re
import subprocess
import sys

from .server import ROOT


def snippets(language, page="README.md", section=None):
    """A page's blocks of this language in their order; of one section, if it is named by its heading."""
    text = (ROOT / page).read_text()
    if section:
        (text,) = re.findall(rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", text, re.S | re.M)
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.S | re.M)


def run_python(server, blocks=1, **options):
    """Runs the first Python lines from the root of the repository, as a reader would after `eval "$(tidegate env)"`."""
    command = [sys.executable, "-c", "".join(snippets("python")[:blocks])]
    return subprocess.run(command, cwd=ROOT, env=server.client_environment(), timeout=120, check=False, **options)
