"""A model server that answers in parts, for the clients of response streams.

What it does is the request's body: `say a b c` answers the words, each in a part of its own; `break a b` says them and
breaks off; `wait` says `first`, and the rest only when another request says `go`: nothing may hold the first part back.
"""

import http.server
import os
import threading

# A client that is given the first part late finds `late` in the answer.
GO_WITHIN_SECONDS = 20
CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    go = threading.Event()

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self):
        asked, *words = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode().split()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header(CUSTOM_ATTRIBUTES, self.headers.get(CUSTOM_ATTRIBUTES, "none"))
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if asked == "wait":
            self.go.clear()
            self.say("first")
            self.say("second" if self.go.wait(GO_WITHIN_SECONDS) else "late")
        elif asked == "go":
            self.go.set()
        for word in words:
            self.say(word)
        if asked == "break":
            self.close_connection = True
        else:
            self.wfile.write(b"0\r\n\r\n")

    def say(self, word):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(word), word.encode()))
        self.wfile.flush()

    def log_message(self, *_):
        pass


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True


if __name__ == "__main__":
    print("the speaker listens", flush=True)
    Listener(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler).serve_forever()
