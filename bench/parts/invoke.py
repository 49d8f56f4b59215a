"""InvokeEndpoint, signed, authorised and metered, beside nginx and HAProxy that forward the same bytes unasked."""

import load
import ours
import report
import rivals

# 1 KB of JSON, as an application would send features.
BODY = b'{"instances":[[' + b",".join(b"%.5f" % (n / 7) for n in range(124)) + b"]]}"
CONNECTIONS = 64


def measure(options):
    with ours.running() as server:
        endpoint = ours.echo(server)
        upstream = ours.model_server_address(server)
        with rivals.nginx(upstream) as (nginx, nginx_pids), rivals.haproxy(upstream) as (haproxy, haproxy_pids):
            targets = [
                ours.invocation(server, endpoint, BODY),
                ours.invocation(server, endpoint, BODY, nginx, "nginx", nginx_pids),
                ours.invocation(server, endpoint, BODY, haproxy, "haproxy", haproxy_pids),
            ]
            flat_out = load.side_by_side(targets, options.runs, options.seconds, CONNECTIONS)
            # The same pace for all: half of what nginx manages at most.
            pace = load.median(flat_out, "nginx", "requests_per_second") / 2
            half = load.in_turns(
                targets, options.runs, lambda target: load.paced(target, options.seconds, CONNECTIONS, pace)
            )
    return {"flat_out": flat_out, "half_load": half}


def rows(found):
    flat, half = found["flat_out"], found["half_load"]
    for rival, bound in (("nginx", 1.0), ("haproxy", 1.0)):
        yield report.at_most(
            "InvokeEndpoint, 1 KB, CPU per request",
            f"{rival}, plain",
            load.ratio(flat, "tidegate", rival, "cpu_us"),
            bound,
            ours=f"{load.median(flat, 'tidegate', 'cpu_us'):.1f} µs",
            theirs=f"{load.median(flat, rival, 'cpu_us'):.1f} µs",
        )
        yield report.at_most(
            "InvokeEndpoint, 1 KB, p99 at half load",
            f"{rival}, plain",
            load.ratio(half, "tidegate", rival, "p99_us"),
            1.0,
            ours=f"{load.median(half, 'tidegate', 'p99_us'):,.0f} µs",
            theirs=f"{load.median(half, rival, 'p99_us'):,.0f} µs",
        )
        yield report.at_least(
            "InvokeEndpoint, 1 KB, requests per second",
            f"{rival}, plain",
            load.ratio(flat, "tidegate", rival, "requests_per_second"),
            1.0,
            ours=f"{load.median(flat, 'tidegate', 'requests_per_second'):,.0f}/s",
            theirs=f"{load.median(flat, rival, 'requests_per_second'):,.0f}/s",
        )
