"""Tidegate as it is measured: a server on a core of its own, its model servers with the load on the other."""

import contextlib
import pathlib

import load
import pinned
from harness import processes, signed
from harness.hosting import Hosting
from harness.server import Server


class Pinned(Server):
    """A server whose threads, and so whose number of threads, are those of the cores it is given."""

    def __init__(self, cores=pinned.SERVER, **options):
        super().__init__(**options)
        self._cores = cores

    def command(self, *more):
        return pinned.to(self._cores, super().command(*more))

    def move_instances(self):
        """Takes its model servers out of its way: they inherited its cores."""
        pinned.move([pid for pid in processes.of(self.data_dir) if pid != self.pid], pinned.LOAD)


@contextlib.contextmanager
def running(**options):
    server = Pinned(**options)
    try:
        yield server.start()
    finally:
        server.close()


def echo(server, **environment):
    """The name of an endpoint with one model server that says what it is told, out of the server's way."""
    endpoint = Hosting(server).echo_endpoint(**environment)
    server.move_instances()
    return endpoint


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


def request(server, path, body, headers, service="sagemaker"):
    """One request, signed now."""
    return load.Request(path, signed.headers_for(server, "POST", path, body, headers, service=service), body)


def invocation(
    server, endpoint, body, url=None, name="tidegate", pids=None, streamed=False, content_type="application/json"
):
    """InvokeEndpoint of this server, or the very same bytes for whoever is at `url`."""
    path = f"/endpoints/{endpoint}/invocations{'-response-stream' if streamed else ''}"

    def requests():
        return [request(server, path, body, {"Content-Type": content_type})]

    return load.Target(name, url or server.url, requests, pids or (lambda: [server.pid]))
