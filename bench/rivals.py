"""The programs that Tidegate is measured beside: nginx and HAProxy as plain proxies, moto's server, fakecloud."""

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import pinned

UP_WITHIN_SECONDS = 60

NGINX = """
{user}
daemon off;
worker_processes {workers};
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  client_max_body_size 6m;
  keepalive_requests 1000000000;
  {tuning}
  upstream model {{
    server {upstream};
    keepalive 128;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      rewrite ^ /invocations break;
      proxy_pass http://model;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
  }}
}}
"""

# For bodies: nothing waits for a whole request, and neither way goes through a file or through small buffers.
FOR_BODIES = """
  proxy_request_buffering off;
  client_body_buffer_size 1m;
  proxy_buffer_size 64k;
  proxy_buffers 16 512k;
  proxy_busy_buffers_size 1m;
  proxy_max_temp_file_size 0;
"""

HAPROXY = """
global
  nbthread {workers}
  maxconn 4096
defaults
  mode http
  option http-keep-alive
  http-reuse always
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend client
  bind 127.0.0.1:{port}
  http-request set-path /invocations
  default_backend model
backend model
  server model {upstream} pool-max-conn 128
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


def _answers(url):
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@contextlib.contextmanager
def _running(command, url, log):
    process = subprocess.Popen(pinned.to(pinned.SERVER, command), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + UP_WITHIN_SECONDS
        while not _answers(url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not come up: {pathlib.Path(log.name).read_text()[-2000:]}")
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(20)


def children(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextlib.contextmanager
def _proxy(name, configuration, command):
    """A proxy with its configuration in a folder of its own. Gives its address and its processes."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"tg-{name}-", dir="/tmp"))
    port = free_port()
    (folder / "conf").write_text(configuration(folder, port))
    url = f"http://127.0.0.1:{port}"
    try:
        with (folder / "log").open("w") as log, _running(command(folder), url, log) as process:
            yield url, lambda: [process.pid, *children(process.pid)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def nginx(upstream, tuning="", workers=1):
    """nginx in front of the model server at `upstream` (an address, or `unix:` and a path)."""
    # Its workers run as another user when it is started by root, and must reach the socket: they stay who they are.
    user = "user root;" if os.geteuid() == 0 else ""

    def configuration(folder, port):
        return NGINX.format(user=user, folder=folder, port=port, upstream=upstream, workers=workers, tuning=tuning)

    return _proxy("nginx", configuration, lambda folder: [shutil.which("nginx"), "-c", folder / "conf", "-p", folder])


def haproxy(upstream, workers=1):
    """HAProxy in front of the same."""
    upstream = upstream.replace("unix:", "unix@")

    def configuration(_folder, port):
        return HAPROXY.format(port=port, upstream=upstream, workers=workers)

    # In the foreground, one process.
    return _proxy("haproxy", configuration, lambda folder: [shutil.which("haproxy"), "-db", "-f", folder / "conf"])


@contextlib.contextmanager
def moto():
    """moto's own server, as its documentation starts it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.NamedTemporaryFile("w", prefix="tg-moto-") as log:
        with _running([sys.executable, "-m", "moto.server", "-p", str(port)], url, log) as process:
            yield url, lambda: [process.pid]


@contextlib.contextmanager
def onnx_runtime(model):
    """ONNX Runtime with the model of this file, behind uvicorn in its fastest form."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = ["env", f"BENCH_MODEL={model}", sys.executable, "-m", "uvicorn", "onnx_rival:app"]
    command += ["--app-dir", pathlib.Path(__file__).parent, "--port", str(port), "--loop", "uvloop"]
    command += ["--http", "httptools", "--no-access-log", "--log-level", "warning"]
    with tempfile.NamedTemporaryFile("w", prefix="tg-uvicorn-") as log:
        with _running(command, url, log) as process:
            yield url, lambda: [process.pid]


@contextlib.contextmanager
def fakecloud():
    """fakecloud's server; it keeps nothing on disk and logs no request."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.NamedTemporaryFile("w", prefix="tg-fakecloud-") as log:
        with _running(["fakecloud", "--addr", f"127.0.0.1:{port}", "--log-level", "warn"], url, log) as process:
            yield url, lambda: [process.pid]
