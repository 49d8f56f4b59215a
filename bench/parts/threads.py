"""What a request costs with two data-plane threads, beside one: a server on two cores, and one on one."""

import contextlib

import load
import ours
import pinned
import report
from parts.invoke import BODY, CONNECTIONS


def measure(options):
    with contextlib.ExitStack() as stack:
        targets = []
        for name, cores in (("one", pinned.SERVER), ("two", [pinned.SERVER, pinned.LOAD])):
            server = stack.enter_context(ours.running(cores=cores))
            targets.append(
                ours.invocation(server, ours.echo(server), BODY, name=name, pids=lambda pid=server.pid: [pid])
            )
        return load.side_by_side(targets, options.runs, options.seconds, CONNECTIONS)


def rows(found):
    work = "InvokeEndpoint, 1 KB, two threads, CPU per request"
    yield report.compared(work, "one thread", found, ("two", "one"), "cpu_us", most=1.1)
