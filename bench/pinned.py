"""Which core does what: whoever is measured has one to itself, and the load and the model server share the other."""

import os
import pathlib

_CORES = sorted(os.sched_getaffinity(0))
SERVER = _CORES[0]
LOAD = _CORES[1] if len(_CORES) > 1 else _CORES[0]


def to(cores, command):
    """The command, kept to a core, or to a list of them."""
    listed = ",".join(map(str, cores)) if isinstance(cores, (list, tuple)) else str(cores)
    return ["taskset", "--cpu-list", listed, *map(str, command)]


def move(pids, core):
    """Keeps processes that are running, with all their threads, to a core."""
    for pid in pids:
        for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {core})
