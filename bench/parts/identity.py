"""Signed GetCallerIdentity beside fakecloud's, which asks for no signature."""

import load
import ours
import report
import rivals

CONNECTIONS = 8
BODY = b"Action=GetCallerIdentity&Version=2011-06-15"
HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}


def measure(options):
    with ours.running() as server, rivals.fakecloud() as (url, pids):

        def requests():
            return [ours.request(server, "/", BODY, HEADERS, service="sts")]

        targets = [
            load.Target("tidegate", server.url, requests, lambda: [server.pid]),
            load.Target("fakecloud", url, requests, pids),
        ]
        return load.side_by_side(targets, options.runs, options.seconds, CONNECTIONS)


def rows(found):
    work = "GetCallerIdentity, signed, CPU per request"
    yield report.compared(work, "fakecloud, unsigned", found, ("tidegate", "fakecloud"), "cpu_us", most=1.0)
