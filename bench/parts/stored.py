"""What ten thousand stored endpoints cost a server: its start, its memory, a page of ListEndpoints."""

import concurrent.futures
import contextlib
import re
import statistics
import subprocess
import time
import urllib.request

import load
import ours
import report
from harness.hosting import Hosting, eventually, variant
from harness.server import clean_environment
from parts.control import calls

FEW, MANY = 100, 10_000
# What starts late has started by then.
AT_REST_SECONDS = 3
CONNECTIONS = 8


def started(server):
    """Seconds from the start of the process to the first good /readyz. It is ended again."""
    with open(server.root / "start.log", "wb") as log:
        began = time.perf_counter()
        process = subprocess.Popen(server.command(), stdout=subprocess.PIPE, stderr=log, env=clean_environment())
        port = int(re.search(rb":(\d+)\s*$", process.stdout.readline()).group(1))
        while urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).status != 200:
            time.sleep(0.001)
        took = time.perf_counter() - began
        process.terminate()
        process.wait(30)
        process.stdout.close()
    return took


def at_rest_mb(server):
    time.sleep(AT_REST_SECONDS)
    return load.memory_bytes(server.pid) / 1e6


def store(server, count):
    """So many endpoints that have no instance, since the model that they are to host is nowhere."""
    hosting = Hosting(server)
    buckets = server.client("s3")
    buckets.create_bucket(Bucket="models")
    config = hosting.config(variant(hosting.model(data="s3://models/nothing.tar.gz")))
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: hosting.begin(config, f"stored-{number:05}"), range(count)))

    def all_failed():
        pages = hosting.sagemaker.get_paginator("list_endpoints").paginate(StatusEquals="Creating")
        return not any(page["Endpoints"] for page in pages)

    eventually(all_failed, seconds=600, every=1)


def measure(options):
    found = {"starts": {}, "resident_mb": {}}
    with contextlib.ExitStack() as stack:
        pages = []
        for count in (0, FEW, MANY):
            server = stack.enter_context(ours.running(config=f"[limits]\ninstances = {MANY}\n"))
            if count:
                store(server, count)
            server.stop()
            found["starts"][str(count)] = sorted(started(server) * 1000 for _ in range(options.runs))
            server.start()
            found["resident_mb"][str(count)] = at_rest_mb(server)
            if count:
                pages.append(calls(server, "ListEndpoints", lambda: [{"MaxResults": 100}], name=str(count)))
        found["pages"] = load.side_by_side(pages, options.runs, options.seconds, CONNECTIONS)
    with ours.running() as server:
        ours.echo(server)
        found["resident_mb"]["echo"] = at_rest_mb(server)
    return found


def rows(found):
    few, many = str(FEW), str(MANY)
    for what, count, bound in (("existing data directory", "0", 30), (f"{MANY:,} endpoints stored", many, 1000)):
        took = found["starts"][count]
        yield report.below(f"start to ready, {what}", statistics.median(took), bound, "ms", between=(took[0], took[-1]))
    memory = found["resident_mb"]
    each_kb = (memory[many] - memory[few]) * 1e3 / (MANY - FEW)
    yield report.below(f"memory of each of {MANY:,} stored endpoints", each_kb, 10, "KB")
    work = f"a page of ListEndpoints, {MANY:,} endpoints, CPU"
    yield report.compared(work, f"itself, {FEW} endpoints", found["pages"], (many, few), "cpu_us", most=1.1)
    yield report.below("memory of the idle server", memory["0"], 25, "MB")
    yield report.Row("memory of the server, one endpoint", "–", f"{report.number(memory['echo'])} MB")
