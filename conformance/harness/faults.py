"""A proxy that passes requests on byte for byte, and at a call of one's choice does what a network or a server may do.

It stands between a client and a server and counts the calls that change something: what is only read is passed on,
unless every call is to meet a fault. Signatures hold, since the server believes in the host that the client named.
"""

import contextlib
import dataclasses
import itertools
import json
import re
import socket
import threading
import time
from concurrent.futures import Future

from . import processes

# The client is killed with SIGKILL, before the server hears of the call or after it has acted.
KILL_BEFORE, KILL_AFTER = "kill before", "kill after"
# The server acts, and its answer is lost; or the call is answered with an error by the proxy itself.
DROP, THROTTLE, UNAVAILABLE = "drop", "throttle", "unavailable"

READS = ("Describe", "List", "Get")
HEAD_BYTES_MAX = 64 * 1024
PIECE_BYTES = 64 * 1024
# Longer than any call of a test takes; a peer that is silent for so long is gone.
SILENCE_SECONDS = 60
VICTIM_WITHIN_SECONDS = 20

REFUSALS = {
    THROTTLE: (429, "Too Many Requests", "ThrottlingException", "Rate exceeded"),
    UNAVAILABLE: (503, "Service Unavailable", "ServiceUnavailable", "The service cannot answer right now."),
}


@dataclasses.dataclass(frozen=True)
class Call:
    """One request, by what it asks for."""

    operation: str
    # Which it is among those that change something, from 1 on; 0 for one that only reads.
    number: int


def operation_of(head, body):
    """The operation's name, in whichever way the protocol has it."""
    for pattern in (rb"(?im)^x-amz-target: *[^\r\n]*\.(\w+)\r$", rb"^POST /service/\w+/operation/(\w+) "):
        if found := re.search(pattern, head):
            return found.group(1).decode()
    if found := re.search(rb"(?:^|&)Action=(\w+)", body):
        return found.group(1).decode()
    method, path = head.split(b" ", 2)[:2]
    return ("Get" if method == b"GET" else "") + path.decode()


class Lost(Exception):
    """A peer is gone."""


def _head(connection, ahead):
    """The bytes up to the empty line, and those that came with them. Nothing at all where the peer has ended."""
    held = ahead
    while b"\r\n\r\n" not in held:
        piece = connection.recv(PIECE_BYTES)
        if not piece or len(held) > HEAD_BYTES_MAX:
            if held:
                raise Lost
            return b"", b""
        held += piece
    head, rest = held.split(b"\r\n\r\n", 1)
    return head + b"\r\n\r\n", rest


def _length(head):
    found = re.search(rb"(?im)^content-length: *(\d+)\r$", head)
    return int(found.group(1)) if found else None


def _body(connection, rest, length):
    """So many bytes, and those that came with them; all to the end where the length is not said."""
    held = bytearray(rest)
    while length is None or len(held) < length:
        piece = connection.recv(PIECE_BYTES)
        if not piece:
            if length is None:
                break
            raise Lost
        held += piece
    end = len(held) if length is None else length
    return bytes(held[:end]), bytes(held[end:])


class Faults:
    """The proxy in front of the server at a port. `with` starts and ends it; its URL stays the same meanwhile."""

    def __init__(self, port):
        self._upstream = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._lock = threading.Lock()
        self._connections = set()
        self.be_good()

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        # A thread that waits in accept() is not woken by close() alone.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            left = list(self._connections)
        for connection in left:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    # -- what it does ----------------------------------------------------------------------------------------------

    def be_good(self):
        """Passes everything on. What was counted is forgotten."""
        with self._lock:
            self._fault = lambda call: None
            self._count = itertools.count(1)
            self._victim = Future()
            self.calls = []

    def at(self, number, fault):
        """This fault at the changing call of this number, and none at any other."""
        self.be_good()
        self._fault = lambda call: fault if call.number == number else None

    def at_each(self, fault, reads=False):
        """This fault at every call that changes something, the first time that it is made; also at those that read."""
        self.be_good()
        met = set()

        def first(call):
            if call.operation in met or not (reads or call.number):
                return None
            met.add(call.operation)
            return fault

        self._fault = first

    def always(self, fault, operation):
        """This fault at every call of one operation."""
        self.be_good()
        self._fault = lambda call: fault if call.operation == operation else None

    def kills(self, process):
        """Names the process that is killed. Until then a call that is to kill waits."""
        self._victim.set_result(process)

    @property
    def changes(self):
        """The operations of the changing calls so far, in their order."""
        return [call.operation for call in self.calls if call.number]

    # -- how -------------------------------------------------------------------------------------------------------

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        client.settimeout(SILENCE_SECONDS)
        with self._lock:
            self._connections.add(client)
        ahead = b""
        try:
            with client:
                while True:
                    head, rest = _head(client, ahead)
                    if not head:
                        return
                    body, ahead = _body(client, rest, _length(head) or 0)
                    if not self._pass_on(client, head, body):
                        return
        except (OSError, Lost):
            return
        finally:
            with self._lock:
                self._connections.discard(client)

    def _pass_on(self, client, head, body):
        """One call. Whether the connection may have another."""
        operation = operation_of(head, body)
        with self._lock:
            call = Call(operation, 0 if operation.startswith(READS) else next(self._count))
            self.calls.append(call)
            fault = self._fault(call)
            victim = self._victim
        if fault == KILL_BEFORE:
            self._kill(victim)
            return False
        if fault in REFUSALS:
            client.sendall(_refusal(*REFUSALS[fault], query=b"Action=" in body))
            return True
        answer, more = self._ask(head + body)
        if fault == KILL_AFTER:
            self._kill(victim)
        if fault in (KILL_AFTER, DROP):
            return False
        client.sendall(answer)
        return more

    def _ask(self, request):
        with socket.create_connection(("127.0.0.1", self._upstream), timeout=SILENCE_SECONDS) as server:
            server.sendall(request)
            head, rest = _head(server, b"")
            if not head:
                raise Lost
            length = _length(head)
            if re.search(rb"(?im)^transfer-encoding: *chunked\r$", head):
                raise AssertionError("no call of the control plane is answered in chunks")
            body, _ = _body(server, rest, length)
            return head + body, length is not None and not re.search(rb"(?im)^connection: *close\r$", head)

    def _kill(self, victim):
        process = victim.result(VICTIM_WITHIN_SECONDS)
        process.kill()
        deadline = time.monotonic() + VICTIM_WITHIN_SECONDS
        while not processes.has_ended(process.pid):
            assert time.monotonic() < deadline, "a killed client goes on"
            time.sleep(0.002)


def _refusal(status, reason, code, message, query):
    """An error as a service answers it that speaks JSON, or AWS's query protocol."""
    if query:
        error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        body, kind = f"<ErrorResponse>{error}<RequestId>r</RequestId></ErrorResponse>", "text/xml"
    else:
        body, kind = json.dumps({"__type": code, "message": message}), "application/x-amz-json-1.1"
    lines = [
        f"HTTP/1.1 {status} {reason}",
        f"Content-Type: {kind}",
        f"X-Amzn-ErrorType: {code}",
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
