"""`tidegate` itself as a user types it: a process of its own, with a state directory that is nobody else's."""

import subprocess

from .server import binary

# An update of an endpoint takes seconds; a run that stands still has its own bound of some minutes.
LIMIT_SECONDS = 120

# What `--plan` ends with.
ACCEPTED, REFUSED = 0, 10


class Program:
    """The command, on one server and with one journal. The URL may be another that leads there: journals go by it."""

    def __init__(self, server, state, url=None, caller=None, **environment):
        base = caller.environment() if caller else server.client_environment()
        self._environment = base | {"AWS_ENDPOINT_URL": url or server.url, "XDG_STATE_HOME": str(state)} | environment
        self.journal = state / "tidegate" / "journal"

    def begin(self, *arguments):
        """The command under way."""
        return subprocess.Popen(
            [binary(), *map(str, arguments)],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments):
        """The command, ended."""
        return finish(self.begin(*arguments))

    def update(self, name, *arguments):
        """`tidegate endpoint update`, ended."""
        return self.run("endpoint", "update", name, *arguments)


def finish(running):
    """Waits for a command, and never leaves it behind."""
    try:
        out, err = running.communicate(timeout=LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        running.kill()
        out, err = running.communicate()
        raise AssertionError(f"{running.args} did not end within {LIMIT_SECONDS} s:\n{out}\n{err}") from None
    return subprocess.CompletedProcess(running.args, running.returncode, out, err)
