"""InvokeEndpoint with large bodies, beside nginx that is tuned for them plus what their SHA-256 takes on that core."""

import hashlib
import os
import statistics
import time

import load
import ours
import pinned
import report
import rivals

# The answer is as long as the request; streamed, it comes as frames of AWS's event stream.
CASES = {
    "64 KB": (64 << 10, False),
    "1 MB": (1 << 20, False),
    "5 MB": (5 << 20, False),
    "64 KB, streamed answer": (64 << 10, True),
    "1 MB, streamed answer": (1 << 20, True),
}
CONNECTIONS = 16
HASHED_BYTES = 256 << 20


def sha256_us(size):
    """Processor time of one SHA-256 of so many bytes on the core of those that are measured."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {pinned.SERVER})
    try:
        body = os.urandom(size)
        rounds = HASHED_BYTES // size
        took = []
        for _ in range(3):
            began = time.process_time()
            for _ in range(rounds):
                hashlib.sha256(body).digest()
            took.append((time.process_time() - began) / rounds * 1e6)
        return statistics.median(took)
    finally:
        os.sched_setaffinity(0, before)


def measure(options):
    found = {}
    with ours.running() as server:
        endpoint = ours.echo(server)
        upstream = ours.model_server_address(server)
        with rivals.nginx(upstream, tuning=rivals.FOR_BODIES) as (nginx, pids):
            for name, (size, streamed) in CASES.items():
                body = b'{"data":"' + b"x" * (size - 11) + b'"}'
                targets = [
                    ours.invocation(server, endpoint, body, streamed=streamed),
                    ours.invocation(server, endpoint, body, nginx, "nginx", pids, streamed),
                ]
                seen = load.side_by_side(targets, options.runs, options.seconds, CONNECTIONS)
                found[name] = {"seen": seen, "sha256_us": sha256_us(size)}
    return found


def rows(found):
    for name, one in found.items():
        yield report.compared(
            f"InvokeEndpoint, {name}, CPU per request",
            "nginx tuned, and SHA-256",
            one["seen"],
            ("tidegate", "nginx"),
            "cpu_us",
            most=1.0,
            plus=one["sha256_us"],
        )
    peak = max(load.median(one["seen"], "tidegate", "memory_mb") for one in found.values())
    yield report.Row(f"most memory, {CONNECTIONS} connections of 5 MB", "–", f"{report.number(peak)} MB")
