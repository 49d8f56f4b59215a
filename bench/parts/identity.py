"""Signed GetCallerIdentity beside fakecloud's, which asks for no signature. Without fakecloud, nothing is measured."""

import shutil

import load
import ours
import report
import rivals

CONNECTIONS = 8
BODY = b"Action=GetCallerIdentity&Version=2011-06-15"
HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}


def measure(options):
    if shutil.which("fakecloud") is None:
        return {}
    with ours.running() as server, rivals.fakecloud() as (url, pids):

        def requests():
            return [ours.request(server, "/", BODY, HEADERS, service="sts")]

        targets = [
            load.Target("tidegate", server.url, requests, lambda: [server.pid]),
            load.Target("fakecloud", url, requests, pids),
        ]
        seen = load.side_by_side(targets, options.runs, options.seconds, CONNECTIONS)
        return {"seen": seen, "fakecloud_mb": load.memory_bytes(pids()[0]) / 1e6}


def rows(found):
    if not found:
        return
    seen = found["seen"]
    yield report.at_most(
        "GetCallerIdentity, signed, CPU per request",
        "fakecloud, unsigned",
        load.ratio(seen, "tidegate", "fakecloud", "cpu_us"),
        1.0,
        ours=f"{load.median(seen, 'tidegate', 'cpu_us'):.1f} µs",
        theirs=f"{load.median(seen, 'fakecloud', 'cpu_us'):.1f} µs",
    )
