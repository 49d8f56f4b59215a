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
    for rival in ("nginx", "haproxy"):
        for what, seen, key, most in (
            ("CPU per request", found["flat_out"], "cpu_us", 1.0),
            ("p99 at half load", found["half_load"], "p99_us", 1.0),
            ("p50 at half load", found["half_load"], "p50_us", None),
            ("requests per second", found["flat_out"], "requests_per_second", None),
        ):
            work = f"InvokeEndpoint, 1 KB, {what}"
            yield report.compared(work, f"{rival}, plain", seen, ("tidegate", rival), key, most=most)
