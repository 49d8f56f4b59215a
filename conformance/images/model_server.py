"""A model server as people write them for SageMaker: it knows the container contract and nothing of Tidegate.

A master process binds the port and forks two workers that share it, as gunicorn does; a worker answers `/ping` and
`/invocations`. What it answers tells the caller what it was given: environment, headers, artefacts, its process ids.
"""

import http.server
import json
import os
import pathlib
import signal
import socketserver
import sys

WORKERS = 2


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(200 if self.path == "/ping" else 404, b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = self.headers.get("X-Amzn-SageMaker-Custom-Attributes", "")
        if asked.startswith("status="):
            self.answer(int(asked.removeprefix("status=")), body, "text/plain")
        elif asked == "die":
            os._exit(9)
        else:
            self.answer(200, json.dumps(self.given(body)).encode(), "application/json", asked)

    def given(self, body):
        folder = pathlib.Path(os.environ.get("SM_MODEL_DIR", "/opt/ml/model"))
        return {
            "path": self.path,
            "body": body.decode(errors="replace"),
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "environment": dict(os.environ),
            "artefacts": {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()},
            "worker": os.getpid(),
            "master": os.getppid(),
        }

    def answer(self, status, body, content_type="text/plain", attributes=""):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if attributes:
            self.send_header("X-Amzn-SageMaker-Custom-Attributes", attributes)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Listener(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main():
    port = int(os.environ.get("SAGEMAKER_BIND_TO_PORT", 8080))
    listener = Listener(("127.0.0.1", port), Handler)
    workers = []
    for _ in range(WORKERS):
        worker = os.fork()
        if worker == 0:
            listener.serve_forever()
        workers.append(worker)

    def stop(*_):
        for worker in workers:
            os.kill(worker, signal.SIGTERM)
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    print(f"serving on {port} with workers {workers}", flush=True)
    while True:
        os.wait()


if __name__ == "__main__":
    main()
