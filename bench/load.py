"""Drives `wrk` with one signed request, and reads what the processes under it cost."""

import json
import os
import pathlib
import statistics
import subprocess
import tempfile
from dataclasses import dataclass

LUA = pathlib.Path(__file__).with_name("signed.lua")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Target:
    """Something that answers a signed request. `pids` names the processes whose time it costs, at that moment."""

    name: str
    url: str
    path: str
    body: bytes
    headers: callable
    pids: callable


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


def run(target, seconds, connections):
    """One run: requests per second, latencies, and processor time per request."""
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        (place / "path").write_text(target.path)
        (place / "body").write_bytes(target.body)
        headers = target.headers()
        (place / "headers").write_text("".join(f"{name}: {value}\n" for name, value in headers.items()))
        command = [
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{seconds}s",
            "--timeout",
            "10s",
            "-s",
            LUA,
            target.url,
            "--",
            folder,
        ]
        pids = target.pids()
        before = cpu_seconds(pids)
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60).stdout
        cost = cpu_seconds(pids) - before
    line = next(line for line in told.splitlines() if line.startswith("RESULT "))
    result = json.loads(line.removeprefix("RESULT "))
    assert result["failed"] == 0, f"{target.name}: {result}\n{told}"
    assert result["requests"] > 0, f"{target.name}: {told}"
    return {
        "requests_per_second": result["requests"] / result["seconds"],
        "cpu_us_per_request": cost * 1e6 / result["requests"],
        "p50_us": result["p50_us"],
        "p99_us": result["p99_us"],
    }


def side_by_side(targets, runs, seconds, connections):
    """Medians for each target. The targets take turns, so that a slow minute of the machine meets them all."""
    for target in targets:
        run(target, 1, connections)
    seen = {target.name: [] for target in targets}
    for _ in range(runs):
        for target in targets:
            seen[target.name].append(run(target, seconds, connections))
    return {
        name: {key: statistics.median(one[key] for one in results) for key in results[0]} | {"runs": results}
        for name, results in seen.items()
    }
