"""A model server that tells which process it is, and fails for as long as a file of that name lies in SICK."""

import http.server
import os
import pathlib

SICK = pathlib.Path(os.environ["SICK"]) / str(os.getpid())


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # The head and the body of an answer go out together, at the request's end.
    wbufsize = 64 * 1024

    def log_message(self, *_):
        pass

    def do_GET(self):
        # It says of itself that it is well: only who asks it for more sees that it is not.
        self.answer(200)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(500 if SICK.exists() else 200)

    def answer(self, status):
        body = str(os.getpid()).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


port = int(os.environ["SAGEMAKER_BIND_TO_PORT"])
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
