"""`make bench`: Tidegate beside nginx and moto, all in one run. Prints one table, writes target/bench/results.json.

What is compared, and what the comparison is not, is in docs/benchmarks.md.
"""

import argparse
import concurrent.futures
import contextlib
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "conformance"), str(pathlib.Path(__file__).parent)]

import boto3  # noqa: E402

import load  # noqa: E402
import rivals  # noqa: E402
from harness import processes, signed  # noqa: E402
from harness.hosting import Hosting, variant  # noqa: E402
from harness.server import REGION, Server, clean_environment  # noqa: E402

BODY = b'{"instances":[[' + b",".join(b"%.4f" % (n / 7) for n in range(24)) + b"]]}"
STORED = 1000


def model_server_address(server):
    """Where the one model server of this server listens: its Unix socket, or its port."""
    for pid in processes.of(server.data_dir):
        try:
            environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        told = dict(one.split("=", 1) for one in environment if "=" in one)
        if "TIDEGATE_BIND_TO_SOCKET" in told:
            return f"unix:{told['TIDEGATE_BIND_TO_SOCKET']}"
        if "SAGEMAKER_BIND_TO_PORT" in told:
            return f"127.0.0.1:{told['SAGEMAKER_BIND_TO_PORT']}"
    raise LookupError("no model server found")


@contextlib.contextmanager
def running(**options):
    server = Server(**options)
    try:
        yield server.start()
    finally:
        server.close()


def invocations(options):
    """(a) A signed InvokeEndpoint through Tidegate, beside nginx without any check, to the same model server."""
    with running() as server:
        hosting = Hosting(server)
        endpoint = hosting.echo_endpoint()
        path = f"/endpoints/{endpoint}/invocations"

        def headers():
            return signed.headers_for(server, "POST", path, BODY, {"Content-Type": "application/json"})

        # As many workers as the data plane has threads: one for each core.
        with rivals.nginx(model_server_address(server), os.cpu_count()) as (url, pids):
            targets = [
                load.Target("tidegate", server.url, path, BODY, headers, lambda: [server.pid]),
                load.Target("nginx", url, path, BODY, headers, pids),
            ]
            return {
                f"{connections} connection{'s' * (connections > 1)}": load.side_by_side(
                    targets, options.runs, options.seconds, connections
                )
                for connections in (1, 16, 64)
            }


def descriptions(options):
    """(b) A signed DescribeEndpointConfig, beside moto's server."""
    target = {"X-Amz-Target": "SageMaker.DescribeEndpointConfig", "Content-Type": "application/x-amz-json-1.1"}
    with running() as server, rivals.moto() as (url, pids):
        ours = Hosting(server)
        config = ours.config(variant(ours.model()))
        theirs = boto3.client(
            "sagemaker", endpoint_url=url, region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b"
        )
        role = "arn:aws:iam::123456789012:role/host"
        theirs.create_model(ModelName="m", PrimaryContainer={"Image": "i"}, ExecutionRoleArn=role)
        theirs.create_endpoint_config(EndpointConfigName=config, ProductionVariants=[variant("m")])
        body = json.dumps({"EndpointConfigName": config}).encode()

        def headers():
            return signed.headers_for(server, "POST", "/", body, target)

        targets = [
            load.Target("tidegate", server.url, "/", body, headers, lambda: [server.pid]),
            load.Target("moto", url, "/", body, headers, pids),
        ]
        return load.side_by_side(targets, options.runs, options.seconds, 8)


def store_configs(hosting):
    model = hosting.model()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: hosting.config(variant(model), name=f"stored-{n}"), range(STORED)))


def start_seconds(server):
    """From the start of the process to the first good /readyz."""
    with open(server.root / "start.log", "wb") as log:
        began = time.perf_counter()
        process = subprocess.Popen(server.command(), stdout=subprocess.PIPE, stderr=log, env=clean_environment())
        port = int(re.search(rb":(\d+)\s*$", process.stdout.readline()).group(1))
        while urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).status != 200:
            time.sleep(0.001)
        took = time.perf_counter() - began
        process.terminate()
        process.wait(30)
    return took


def starts_and_memory(options):
    """(c) Time from start to ready, and (d) resident memory of the idle server, with nothing and with much stored."""
    found = {}
    for stored in (0, STORED):
        with running() as server:
            if stored:
                store_configs(Hosting(server))
            server.stop()
            took = [start_seconds(server) for _ in range(options.runs)]
            server.start()
            # Long enough for whatever starts late to have started.
            time.sleep(3)
            found[f"{stored} endpoint configs"] = {
                "start_ms": statistics.median(took) * 1000,
                "runs_ms": [one * 1000 for one in took],
                "resident_mb": load.memory_bytes(server.pid) / 1e6,
            }
    with running() as server:
        hosting = Hosting(server)
        hosting.echo_endpoint(count=1)
        time.sleep(3)
        own = {pid: load.memory_bytes(pid) / 1e6 for pid in processes.of(server.data_dir)}
        found["one echo endpoint"] = {
            "resident_mb": own.pop(server.pid),
            "instance_resident_mb": sorted(own.values()),
        }
    return found


def metrics(_options):
    """(e) What counting costs a request: a gateway without metrics and one with them take turns in one process."""
    build = ["cargo", "build", "--quiet", "--release", "--locked", "-p", "gateway", "--example", "proxy"]
    subprocess.run(build, cwd=ROOT, check=True)
    command = [ROOT / "target" / "release" / "examples" / "proxy", "--json"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout)


def sweep(_options):
    """(f) What one evaluation of all alarms costs the loop that scales, with many targets and ten times as many."""
    build = ["cargo", "build", "--quiet", "--release", "--locked", "-p", "control", "--example", "sweep"]
    subprocess.run(build, cwd=ROOT, check=True)
    command = [ROOT / "target" / "release" / "examples" / "sweep", "--quiet-only"]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600).stdout
    rows = re.findall(r"^ *(\d+) targets, alarms, quiet *: *([\d.]+) ms", told, re.M)
    return {int(targets): float(milliseconds) for targets, milliseconds in rows}


def table(results):
    """The rows that people read: what, ours, theirs, ratio."""
    rows = [("", "tidegate", "beside", "ratio")]

    def compare(what, ours, theirs, unit, rival):
        rows.append((what, f"{ours:,.0f} {unit}", f"{rival} {theirs:,.0f} {unit}", f"{ours / theirs:.2f}"))

    for connections, sides in results.get("invoke", {}).items():
        ours, theirs = sides["tidegate"], sides["nginx"]
        for key, unit in [
            ("cpu_us_per_request", "µs"),
            ("p50_us", "µs"),
            ("p99_us", "µs"),
            ("requests_per_second", "/s"),
        ]:
            compare(f"InvokeEndpoint, {connections}, {key}", ours[key], theirs[key], unit, "nginx")
    if "metrics" in results:
        seen = results["metrics"]
        with_metrics, without = (f"{seen[key]:,.0f} ns" for key in ("cpu_ns_with", "cpu_ns_without"))
        # The median of neighbouring turns' ratios, which a slow minute of the machine moves less than either median.
        rows.append(("metrics, cpu_ns_per_request", with_metrics, f"without {without}", f"{seen['ratio']:.3f}"))
    if "sweep" in results:
        (few, short), (many, long) = sorted(results["sweep"].items())
        rows.append((f"sweep, {few:,} targets", f"{short:,.1f} ms", "", ""))
        growth = f"{long / short:.1f} for {many // few}"
        rows.append((f"sweep, {many:,} targets", f"{long:,.1f} ms", "", growth))
    if "describe" in results:
        ours, theirs = results["describe"]["tidegate"], results["describe"]["moto"]
        for key, unit in [("requests_per_second", "/s"), ("cpu_us_per_request", "µs"), ("p99_us", "µs")]:
            compare(f"DescribeEndpointConfig, 8 connections, {key}", ours[key], theirs[key], unit, "moto")
    for what, seen in results.get("start", {}).items():
        if "start_ms" in seen:
            rows.append((f"start to /readyz, {what}", f"{seen['start_ms']:.0f} ms", "", ""))
        rows.append((f"resident memory, {what}", f"{seen['resident_mb']:.1f} MB", "", ""))
        for one in seen.get("instance_resident_mb", []):
            rows.append(("  of its supervisor or model server", f"{one:.1f} MB", "", ""))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = []
    for first, *others in rows:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *cells]).rstrip())
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="runs of each measurement; the median counts")
    parser.add_argument("--seconds", type=int, default=5, help="seconds of load in each run")
    parser.add_argument("--only", choices=["invoke", "metrics", "sweep", "describe", "start"], help="one part alone")
    options = parser.parse_args()
    parts = {
        "invoke": invocations,
        "metrics": metrics,
        "sweep": sweep,
        "describe": descriptions,
        "start": starts_and_memory,
    }
    results = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "runs": options.runs,
        "seconds": options.seconds,
    }
    for name, part in parts.items():
        if options.only in (None, name):
            print(f"measuring: {name}", file=sys.stderr)
            results[name] = part(options)
    place = ROOT / "target" / "bench" / "results.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(results, indent=2) + "\n")
    print(table(results))
    print(f"\nmedians of {options.runs} runs, {results['machine']}; all of it in {place.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
