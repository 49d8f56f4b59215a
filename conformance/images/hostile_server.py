"""A model server that breaks the container contract, in the way that the variable `HOSTILE` or a request names.

It writes its answers to the socket byte by byte, since every library would refuse to send what some of them are. It
knows nothing of Tidegate. What a request asks for comes in its custom attributes: the name of an answer below.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time

PORT = int(os.environ["SAGEMAKER_BIND_TO_PORT"])
HOW = os.environ.get("HOSTILE", "")
# Seconds without a request after which it closes a connection; a library's server does so after 5.
KEEP_ALIVE = float(os.environ.get("KEEP_ALIVE", "0")) or None
MIB = 1 << 20

asked = 0
answering = 0


def head(status="200 OK", *lines):
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()


def whole(body, status="200 OK"):
    return head(status, "Content-Type: text/plain", f"Content-Length: {len(body)}") + body


# What is written in answer to a request, before the connection is closed.
ANSWERS = {
    "nothing": b"",
    "no-http": b"\x00\xff\x16\x03\x01 what is this\r\n\r\n" * 20,
    "another-protocol": b"220 mail.example ESMTP\r\n",
    "half-a-head": b"HTTP/1.1 200 OK\r\nContent-Ty",
    "no-status": b"HTTP/1.1 \r\n\r\n",
    "status-99": head("99 Odd", "Content-Length: 0"),
    "status-1000": head("1000 Odd", "Content-Length: 0"),
    "switching": head("101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"),
    "shorter-than-said": head("200 OK", "Content-Length: 1000") + b"short",
    "negative-length": head("200 OK", "Content-Length: -1") + b"x",
    "two-lengths": head("200 OK", "Content-Length: 1", "Content-Length: 2") + b"xy",
    "huge-length": head("200 OK", f"Content-Length: {2**70}") + b"x",
    "bad-chunk": head("200 OK", "Transfer-Encoding: chunked") + b"ZZ\r\nx\r\n",
    "half-a-chunk": head("200 OK", "Transfer-Encoding: chunked") + b"ff\r\nx",
    "huge-chunk": head("200 OK", "Transfer-Encoding: chunked") + b"ffffffffffffffffff\r\nx",
    "long-head": head("200 OK", "X-Long: " + "y" * MIB, "Content-Length: 0"),
    "many-headers": head("200 OK", *(f"X-{n}: y" for n in range(5000)), "Content-Length: 0"),
    "header-of-nul": b"HTTP/1.1 200 OK\r\nContent-Type: a\x00b\r\nContent-Length: 0\r\n\r\n",
    "too-long": whole(bytes(7 * MIB)),
    "redirect": head("302 Found", "Location: http://169.254.169.254/latest/", "Content-Length: 0"),
    "not-modified": head("304 Not Modified"),
    "error-of-no-text": whole(b"\xff\xfe\x00\x80", "500 Oh"),
    "error-without-end": head("503 Busy", "Content-Length: 100000000") + b"e" * MIB,
}


def read_request(connection, held):
    """The head and the body of one request; `None` when the client has gone or nothing came for too long."""
    while b"\r\n\r\n" not in held:
        more = connection.recv(65536)
        if not more:
            return None
        held += more
    first, _, rest = bytes(held).partition(b"\r\n\r\n")
    lines = first.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    length = int(headers.get("content-length", 0))
    while len(rest) < length:
        more = connection.recv(65536)
        if not more:
            return None
        rest += more
    held[:] = rest[length:]
    return lines[0], headers, rest[:length]


def is_gone(connection):
    """Waits until the client has closed its side."""
    connection.settimeout(None)
    return connection.recv(1) == b""


def stream(connection, pause):
    """Answers for ever, until the client goes."""
    connection.sendall(head("200 OK", "Content-Type: text/plain", "Transfer-Encoding: chunked"))
    while True:
        connection.sendall(b"400\r\n" + b"s" * 1024 + b"\r\n")
        time.sleep(pause)


def leave_a_daemon(mark):
    """A process of its own session, with nothing in it that says whose it is, that hears no SIGTERM."""
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(1000)"
    command = [sys.executable, "-I", "-c", code, mark]
    child = os.fork()
    if child == 0:
        subprocess.Popen(command, cwd="/", env={}, start_new_session=True, stdin=subprocess.DEVNULL)
        os._exit(0)
    os.waitpid(child, 0)


def answer(connection, what, body):
    """Answers one request; whether the connection goes on."""
    if what in ANSWERS:
        connection.sendall(ANSWERS[what])
        return False
    if what == "stream":
        stream(connection, 0)
    elif what == "stream-slowly":
        stream(connection, 0.05)
    elif what == "hang":
        is_gone(connection)
        return False
    elif what == "continue-for-ever":
        while True:
            connection.sendall(head("100 Continue"))
    elif what == "continue-slowly":
        while True:
            connection.sendall(head("100 Continue"))
            time.sleep(0.05)
    elif what == "more-than-asked":
        connection.sendall(whole(body) + whole(b"nobody asked for this"))
    elif what == "exit":
        os._exit(3)
    elif what == "daemon":
        leave_a_daemon(body.decode())
        connection.sendall(whole(b"left"))
    elif what == "fill-the-disk":
        connection.sendall(whole(str(fill_the_disk()).encode()))
    elif what == "pid":
        connection.sendall(whole(str(os.getpid()).encode()))
    elif what == "others":
        connection.sendall(whole(str(answering - 1).encode()))
    else:
        connection.sendall(whole(body))
    return True


def fill_the_disk():
    """Bytes written to its own folder until there was no more room."""
    written = 0
    with open("filler", "wb", buffering=0) as filler:
        while True:
            try:
                written += filler.write(bytes(MIB))
            except OSError:
                return written


def serve(connection):
    global asked, answering
    held = bytearray()
    try:
        while True:
            connection.settimeout(KEEP_ALIVE)
            request = read_request(connection, held)
            connection.settimeout(30)
            if request is None:
                return
            line, headers, body = request
            if line.startswith("GET /ping"):
                if HOW == "deaf-after-a-while" and asked:
                    time.sleep(1000)
                if HOW == "garbage-ping" or (HOW == "garbage-after-a-while" and asked):
                    connection.sendall(ANSWERS["no-http"])
                    return
                connection.sendall(whole(b""))
                continue
            asked += 1
            what = headers.get("x-amzn-sagemaker-custom-attributes", "")
            if what == "answer-unread":
                # Some servers refuse by the head alone, and leave the body unread.
                connection.sendall(whole(b"too much", "413 Too Large"))
                return
            answering += 1
            try:
                if not answer(connection, what, body):
                    return
            finally:
                answering -= 1
    except OSError:
        pass
    finally:
        connection.close()


def chatter():
    """Writes to both streams as fast as they are read, with and without ends of lines."""
    line = b"what nobody wants to know " * 100
    while True:
        os.write(1, line + b"\n")
        os.write(2, line)


def main():
    if HOW == "ignores-sigterm":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if HOW == "chatters":
        threading.Thread(target=chatter, daemon=True).start()
    if HOW == "daemon-and-exit":
        leave_a_daemon(os.environ["MARK"])
        sys.exit("left a daemon")
    listener = socket.create_server(("127.0.0.1", PORT), backlog=128)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main()
