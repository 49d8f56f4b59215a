"""The two programs that Tidegate is measured beside: nginx as a plain reverse proxy, and moto's server."""

import contextlib
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

UP_WITHIN_SECONDS = 60

NGINX = """
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
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
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
def nginx(upstream, workers):
    """nginx in front of the same model server. Gives its address and its processes."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tg-nginx-", dir="/tmp"))
    # Its workers run as another user when it is started by root, and must reach the socket: they stay who they are.
    port = free_port()
    config = folder / "nginx.conf"
    user = "user root;" if pathlib.Path("/proc/self").stat().st_uid == 0 else ""
    config.write_text(user + NGINX.format(folder=folder, port=port, upstream=upstream, workers=workers))
    url = f"http://127.0.0.1:{port}"
    try:
        with (folder / "log").open("w") as log:
            with _running([shutil.which("nginx"), "-c", str(config), "-p", str(folder)], url, log) as process:
                yield url, lambda: [process.pid, *children(process.pid)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def moto():
    """moto's own server, as its documentation starts it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.NamedTemporaryFile("w", prefix="tg-moto-") as log:
        with _running([sys.executable, "-m", "moto.server", "-p", str(port)], url, log) as process:
            yield url, lambda: [process.pid]
