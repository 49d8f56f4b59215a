"""A model server that streams words, for as long and as well as its request asks."""

import http.server
import os
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self):
        wish = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if wish == "refuse":
            self.send_response(400)
            self.send_header("Content-Length", "9")
            self.end_headers()
            self.wfile.write(b"no thanks")
            return
        self.send_response(200)
        self.send_header("Content-Type", self.headers.get("Accept", "text/plain"))
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for number in range(10**9 if wish == "for ever" else 5):
                self.chunk(b"word%d " % number)
                time.sleep(0.05)
                if wish == "break" and number == 2:
                    self.connection.shutdown(2)
                    self.close_connection = True
                    return
            self.chunk(b"")
        except OSError:
            print(f"the client of {wish!r} is gone", flush=True)
            self.close_connection = True

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()


port = int(os.environ["SAGEMAKER_BIND_TO_PORT"])
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
