"""Finds and ends the processes of one server, by what every one of them carries: the path of its data directory.

A supervisor names it in its command line, a model server in its environment and its working directory, and a worker
that a model server forked inherits both. So a process that outlives its server is found whoever adopted it.
"""

import contextlib
import os
import pathlib
import signal
import time


def _read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _carries(process, mark):
    if mark in _read(process / "cmdline") or mark in _read(process / "environ"):
        return True
    try:
        return mark in os.fsencode(os.readlink(process / "cwd"))
    except OSError:
        return False


def _is_running(process):
    # A zombie runs nothing and holds nothing; only its parent can remove it. But one whose threads still run holds all
    # that it had: its first thread alone has ended.
    status = dict(line.split(b":", 1) for line in _read(process / "status").splitlines())
    return bool(status) and (b"Z" not in status[b"State"].split()[0] or int(status[b"Threads"]) > 1)


def has_ended(pid):
    """Whether nothing of this process runs or holds anything. While it ends, its marks may be gone already."""
    return not _is_running(pathlib.Path(f"/proc/{pid}"))


def of(data_dir):
    """The ids of every running process that carries `data_dir`, this one left out."""
    mark = os.fsencode(str(data_dir))
    found = []
    for process in pathlib.Path("/proc").iterdir():
        other = process.name.isdigit() and int(process.name) != os.getpid()
        if other and _carries(process, mark) and _is_running(process):
            found.append(int(process.name))
    return sorted(found)


def children(data_dir, parent):
    """A server's processes that this one of them started."""
    line = f"PPid:\t{parent}".encode()
    return {pid for pid in of(data_dir) if line in _read(pathlib.Path(f"/proc/{pid}/status")).splitlines()}


def describe(pids):
    """One line a process, for the message of a failing test."""
    shown = []
    for pid in pids:
        command = _read(pathlib.Path(f"/proc/{pid}/cmdline")).replace(b"\0", b" ").decode(errors="replace")
        shown.append(f"{pid}: {command.strip()}")
    return "\n".join(shown)


def wait_until_gone(data_dir, seconds, keep=()):
    """Waits until no process of `data_dir` is left but those in `keep`; gives back those that are."""
    deadline = time.monotonic() + seconds
    while True:
        left = [pid for pid in of(data_dir) if pid not in keep]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.05)


def kill(pids):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
