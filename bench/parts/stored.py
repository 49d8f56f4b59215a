"""What ten thousand stored endpoints cost a server: its start, its memory, a page of ListEndpoints."""

import concurrent.futures
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
    found = {}
    for count in (0, FEW, MANY):
        with ours.running(config=f"[limits]\ninstances = {MANY}\n") as server:
            if count:
                store(server, count)
            server.stop()
            took = [started(server) for _ in range(options.runs)]
            server.start()
            found[count] = {
                "start_ms": statistics.median(took) * 1000,
                "starts_ms": sorted(one * 1000 for one in took),
                "resident_mb": at_rest_mb(server),
            }
            if count:
                page = calls(server, "ListEndpoints", lambda: [{"MaxResults": 100}])
                load.flat_out(page, load.WARM_UP_SECONDS, CONNECTIONS)
                found[count]["page"] = [
                    load.flat_out(page, options.seconds, CONNECTIONS)["cpu_us"] for _ in range(options.runs)
                ]
    with ours.running() as server:
        ours.echo(server)
        found["instance"] = {"resident_mb": at_rest_mb(server)}
    return found


def rows(found):
    # Figures that were read back have text for keys.
    seen = {str(key): value for key, value in found.items()}
    empty, few, many = seen["0"], seen[str(FEW)], seen[str(MANY)]

    def start(what, one, bound):
        return report.below(
            f"start to ready, {what}", one["start_ms"], bound, "ms", low=one["starts_ms"][0], high=one["starts_ms"][-1]
        )

    yield start("existing data directory", empty, 30)
    yield start(f"{MANY:,} endpoints stored", many, 1000)
    each = (many["resident_mb"] - few["resident_mb"]) * 1e3 / (MANY - FEW)
    yield report.below(f"memory of each of {MANY:,} stored endpoints", each, 10, "KB")
    ours_page, theirs_page = statistics.median(many["page"]), statistics.median(few["page"])
    each_run = sorted(one / other for one, other in zip(many["page"], few["page"], strict=True))
    yield report.at_most(
        f"a page of ListEndpoints, {MANY:,} endpoints, CPU",
        f"itself, {FEW} endpoints",
        (ours_page / theirs_page, each_run[0], each_run[-1]),
        1.1,
        ours=f"{ours_page:,.0f} µs",
        theirs=f"{theirs_page:,.0f} µs",
    )
    yield report.below("memory of the idle server", empty["resident_mb"], 25, "MB")
    yield report.Row("memory of the server, one endpoint", "–", seen["instance"]["resident_mb"], unit="MB")
