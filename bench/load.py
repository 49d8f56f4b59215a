"""Drives `wrk` and `h2load` with signed requests, and reads what the processes under them cost."""

import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pinned

LUA = pathlib.Path(__file__).with_name("signed.lua")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
# Enough for whatever a server allocates or opens at its first requests.
WARM_UP_SECONDS = 1


@dataclass(frozen=True)
class Request:
    """One request as it is sent: its headers name the host and carry the signature."""

    path: str
    headers: dict
    body: bytes = b""

    def head(self):
        lines = [f"POST {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in self.headers.items())]
        return "\r\n".join([*lines, f"Content-Length: {len(self.body)}", "", ""]).encode()


@dataclass(frozen=True)
class Target:
    """Something that answers. `requests` makes what is sent, freshly signed; `pids` are those whose time it costs."""

    name: str
    url: str
    requests: Callable[[], Sequence[Request]]
    pids: Callable[[], Sequence[int]]


def cpu_seconds(pids):
    """User and system time of the processes, all their threads included (proc(5), stat, fields 14 and 15)."""
    total = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS_PER_SECOND


def memory_bytes(pid, field="VmRSS"):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(f"{field} of {pid}")


@contextlib.contextmanager
def _written(requests):
    with tempfile.NamedTemporaryFile(prefix="tg-requests-") as file:
        for request in requests:
            whole = request.head() + request.body
            file.write(b"%d\n%b" % (len(whole), whole))
        file.flush()
        yield file.name


def _told(command, seconds):
    return subprocess.run(
        pinned.to(pinned.LOAD, command), capture_output=True, text=True, check=True, timeout=seconds + 60
    ).stdout


def flat_out(target, seconds, connections):
    """As many requests as it answers: how many a second, latencies, and processor time per request."""
    with _written(target.requests()) as requests:
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", LUA]
        pids = target.pids()
        before = cpu_seconds(pids)
        told = _told([*command, target.url, "--", requests], seconds)
        cost = cpu_seconds(pids) - before
    line = next(line for line in told.splitlines() if line.startswith("RESULT "))
    result = json.loads(line.removeprefix("RESULT "))
    assert result["failed"] == 0, f"{target.name}: {result}\n{told}"
    assert result["requests"] > 0, f"{target.name}: {told}"
    return {
        "requests_per_second": result["requests"] / result["seconds"],
        "requests_per_core": result["requests"] / cost,
        "cpu_us": cost * 1e6 / result["requests"],
        "p50_us": result["p50_us"],
        "p99_us": result["p99_us"],
        "memory_mb": sum(memory_bytes(pid, "VmHWM") for pid in pids) / 1e6,
    }


def paced(target, seconds, connections, per_second):
    """A given number of requests a second, whatever is answered: latencies, and processor time per request."""
    (request,) = target.requests()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "body").write_bytes(request.body)
        # A host of its own would be sent besides the one of the address.
        headers = [f"-H{name}: {value}" for name, value in request.headers.items() if name != "Host"]
        command = ["h2load", "--h1", "-t1", f"-c{connections}", f"-n{round(per_second * seconds)}"]
        command += [f"--rps={per_second / connections:.3f}", f"-d{folder / 'body'}", f"--log-file={folder / 'log'}"]
        pids = target.pids()
        before = cpu_seconds(pids)
        told = _told([*command, *headers, target.url + request.path], seconds)
        cost = cpu_seconds(pids) - before
        rows = [line.split("\t") for line in (folder / "log").read_text().splitlines()]
    assert rows, f"{target.name}: {told}"
    assert all(status == "200" for _, status, _ in rows), f"{target.name}: {told}"
    took = sorted(int(microseconds) for _, _, microseconds in rows)
    return {
        "requests_per_second": len(rows) / seconds,
        "cpu_us": cost * 1e6 / len(rows),
        "p50_us": took[len(took) // 2],
        "p99_us": took[len(took) * 99 // 100],
    }


def in_turns(targets, runs, measure):
    """What `measure` finds of each target, run by run: they take turns, so that a slow minute meets them all.

    Whoever went first goes last in the next round.
    """
    seen = {target.name: [] for target in targets}
    for number in range(runs):
        for target in targets if number % 2 == 0 else reversed(targets):
            seen[target.name].append(measure(target))
    return seen


def side_by_side(targets, runs, seconds, connections):
    for target in targets:
        flat_out(target, WARM_UP_SECONDS, connections)
    return in_turns(targets, runs, lambda target: flat_out(target, seconds, connections))


def ratio(seen, ours, theirs, key, plus=0.0):
    """Median, lowest and highest of the rounds' own ratios: neighbours in time are alike in all but what they are."""
    each = sorted(one[key] / (other[key] + plus) for one, other in zip(seen[ours], seen[theirs], strict=True))
    return statistics.median(each), each[0], each[-1]


def median(seen, name, key):
    return statistics.median(one[key] for one in seen[name])
