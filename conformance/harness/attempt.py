"""An attempt at a safe update in front of a server that meets with faults, and what must be true of it at its end."""

import contextlib
import itertools
import signal

from .faults import KILL_AFTER, Faults
from .program import Program, finish

# Calls of an update of `Scaled` with headroom that change something, in their order: the seed's seven steps.
CHANGES = [
    # 1. What the update is in conflict with.
    "DeleteScalingPolicy",
    "DeleteScalingPolicy",
    "DeregisterScalableTarget",
    # 2. `batch` stays registered, and would be scaled in at once.
    "RegisterScalableTarget",
    "UpdateEndpointWeightsAndCapacities",
    # 6.
    "UpdateEndpoint",
    # 7. `web` again with all that it had.
    "RegisterScalableTarget",
    "TagResource",
    "PutScalingPolicy",
    "PutScalingPolicy",
    "PutScheduledAction",
    "PutScheduledAction",
    "PutMetricAlarm",
    # The headroom is given back, and `batch` scales again.
    "UpdateEndpointWeightsAndCapacities",
    "RegisterScalableTarget",
]

_numbers = itertools.count(1)


def said(ended, code=0):
    """What a command said, if it ended as it should."""
    assert ended.returncode == code, f"{ended.returncode}: {ended.stdout}\n{ended.stderr}"
    assert "panicked" not in ended.stderr
    return ended.stdout + ended.stderr


def one_line(ended):
    """The line of a command that did nothing. A hint may follow it."""
    said(ended, 1)
    assert ended.stdout == ""
    (line,) = [line for line in ended.stderr.splitlines() if not line.startswith("hint: ")]
    return line


class Attempt:
    """The program in front of a server that meets with faults, and an endpoint, which is watched meanwhile."""

    def __init__(self, server, place, endpoint, watched=True, echo=True, **options):
        self.endpoint = endpoint
        self.faults = Faults(server.port)
        self.program = Program(server, place / f"state-{next(_numbers)}", self.faults.url, **options)
        self._watching = endpoint.watched(echo) if watched else contextlib.nullcontext()

    def __enter__(self):
        self.faults.__enter__()
        self.before = self.endpoint.everything()
        self._watching.__enter__()
        return self

    def __exit__(self, *raised):
        self.faults.__exit__(*raised)
        return self._watching.__exit__(*raised)

    def run(self, *arguments):
        """The command, ended, by whatever ended it."""
        running = self.program.begin(*arguments)
        self.faults.kills(running)
        return finish(running)

    def killed(self, *arguments):
        ended = self.run(*arguments)
        assert ended.returncode == -signal.SIGKILL, said(ended)

    def applied(self):
        self.endpoint.is_as_before(self.before, self.endpoint.new)

    def undone(self):
        self.endpoint.is_as_before(self.before, self.endpoint.old)

    def update(self, *more):
        """What is typed for the whole update."""
        return (
            "endpoint",
            "update",
            self.endpoint.name,
            "--endpoint-config",
            self.endpoint.new,
            "--headroom",
            "50%",
            *more,
        )

    def begun(self):
        """The whole update, as far as it comes."""
        return self.run(*self.update())

    def more(self, flag):
        """`--resume` or `--undo`, while nothing goes wrong."""
        return self.program.update(self.endpoint.name, flag)

    def left_halfway(self):
        """Kills it when it has taken everything away."""
        self.faults.at(3, KILL_AFTER)
        self.killed(*self.update())
        self.faults.be_good()
