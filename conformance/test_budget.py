"""Bodies that are held are bounded over all connections: beyond it a 503, and before long all is well again."""

import contextlib
import socket

from harness import signed
from harness.hosting import eventually

# The largest body that the control plane reads, and how many of these are held at once: inference shares the budget.
BODY_BYTES = 4 * 1024 * 1024
HELD = 128

TARGET = {"X-Amz-Target": "SageMaker.ListModels", "Content-Type": "application/x-amz-json-1.1"}


def begun(server, stack, body):
    """A connection that has told of its body and sent only the first byte."""
    headers = signed.headers_for(server, "POST", "/", body, TARGET) | {"Content-Length": str(len(body))}
    head = "POST / HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=20))
    connection.sendall(head.encode() + b"\r\n" + body[:1])
    return connection


def answer_now(server):
    return signed.send(server, "POST", "/", b"{}", signed.headers_for(server, "POST", "/", b"{}", TARGET))


def test_bodies_beyond_the_budget_are_turned_away_until_there_is_room(server):
    body = b'{"NameContains": "' + b"x" * (BODY_BYTES - 20) + b'"}'
    with contextlib.ExitStack() as stack:
        for _ in range(HELD):
            begun(server, stack, body)

        def turned_away():
            answer = answer_now(server)
            if answer.status != 503:
                # It may have come before the last of the large ones, and held the bytes that this one then lacked.
                begun(server, stack, body)
            return answer.status == 503 and answer

        refused = eventually(turned_away, 10)
        assert b"ServiceUnavailable" in refused.body
    eventually(lambda: answer_now(server).status == 200, 10)
