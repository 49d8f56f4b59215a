"""More requests than instances take, instances that keep failing, and refusals that reach clients which send late."""

import asyncio
import pathlib
import socket
import sys
import tempfile
import time

import pytest

from harness import processes
from harness.hosting import eventually, variant
from harness.signed import headers_for

SERVER = pathlib.Path(__file__).parent / "images" / "sick_server.py"

# Requests that one instance may have at once, and failures in a row after which it is left out.
INSIDE_MAX = 1024
FAILURES_MAX = 5


@pytest.fixture(scope="module")
def sick():
    with tempfile.TemporaryDirectory(prefix="tg-sick-") as folder:
        yield pathlib.Path(folder)


@pytest.fixture(scope="module")
def server_config(sick):
    return f"""
[[image]]
match = "*/sick:*"
command = ["{sys.executable}", "{SERVER}"]
environment = {{ SICK = "{sick}" }}
readable = ["{sick}"]
"""


class Invocation:
    """One request to an endpoint, signed once, that any number of connections may send."""

    def __init__(self, server, endpoint, body=b"tide"):
        self._port, self._body = server.port, body
        path = f"/endpoints/{endpoint}/invocations"
        headers = headers_for(server, "POST", path, body) | {"Content-Length": str(len(body)), "Connection": "close"}
        lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        self._bytes = "\r\n".join(lines).encode() + body

    async def _ask(self):
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(self._bytes)
        answer = await reader.read()
        writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        status, *headers = head.decode().split("\r\n")
        assert body == self._body or b"ServiceUnavailable" in head, answer
        return int(status.split()[1]), [header.lower() for header in headers]

    def at_once(self, count):
        """The answers to so many of it at the same time: status and headers."""

        async def ask_all():
            return await asyncio.gather(*(self._ask() for _ in range(count)))

        return asyncio.run(ask_all())


def test_a_burst_that_meets_a_cold_start_waits_and_loses_nothing(hosting, server):
    with hosting.removed_after(hosting.echo_endpoint(TIDEGATE_ECHO_STARTUP_MS=2000)) as name:
        invocation = Invocation(server, name)
        assert invocation.at_once(1)[0][0] == 200
        # The only instance is gone, and another is on its way.
        processes.kill(pid for pid in processes.of(server.data_dir) if pid != server.pid)
        began = time.monotonic()
        answers = invocation.at_once(500)
        assert [status for status, _ in answers] == [200] * 500
        assert time.monotonic() - began > 2, "it has met the start"


def test_what_an_instance_has_no_place_for_is_refused_at_once_and_may_come_again(hosting, server):
    beyond = 40
    with hosting.removed_after(hosting.echo_endpoint(TIDEGATE_ECHO_DELAY_MS=4000)) as name:
        answers = Invocation(server, name).at_once(INSIDE_MAX + beyond)
        refused = [headers for status, headers in answers if status == 503]
        # Fewer only if this machine takes longer to send them than the instance to answer the first.
        assert 1 <= len(refused) <= beyond
        assert all("retry-after: 1" in headers for headers in refused)
        assert sum(status == 200 for status, _ in answers) == len(answers) - len(refused)


def test_an_instance_that_keeps_failing_is_left_out_until_it_answers_again(hosting, runtime, sick):
    model = hosting.model(image="registry.example/sick:1")
    with hosting.removed_after(hosting.endpoint(hosting.config(variant(model, count=2)))) as name:
        seen = set()

        def both():
            seen.add(hosting.invoke(name).decode())
            return len(seen) == 2

        eventually(both)
        ill = sorted(seen)[0]
        (sick / ill).touch()
        began, failed = time.monotonic(), 0
        for _ in range(300):
            try:
                answered = hosting.invoke(name).decode()
            except runtime.exceptions.ModelError:
                failed += 1
            else:
                assert answered != ill
        # One more chance after a second, one two seconds later, and so on.
        assert FAILURES_MAX <= failed <= FAILURES_MAX + int(time.monotonic() - began)
        (sick / ill).unlink()
        # Not longer than it was out at most, and now without any failure.
        eventually(lambda: hosting.invoke(name).decode() == ill, seconds=60)
        assert {hosting.invoke(name).decode() for _ in range(60)} == seen


def test_requests_that_fail_everywhere_take_no_endpoint_away(hosting, runtime):
    with hosting.removed_after(hosting.echo_endpoint(count=2, TIDEGATE_ECHO_FAILURE_RATE=1)) as name:
        for _ in range(40):
            with pytest.raises(runtime.exceptions.ModelError):
                hosting.invoke(name)


@pytest.mark.parametrize(
    "head",
    [
        "POST / HTTP/1.1\r\nX-Amz-Target: SageMaker.ListModels",
        "PUT /bucket/key HTTP/1.1",
        "POST /endpoints/e/invocations HTTP/1.1",
    ],
    ids=["control", "s3", "runtime"],
)
def test_a_refusal_reaches_a_client_that_sends_its_body_later(server, head):
    body = b"x" * 64 * 1024
    lines = [head, "Host: tidegate", f"Content-Length: {len(body)}"]
    credential = "Credential=AKIANOBODYSKEY123456/20300101/us-east-1/{}/aws4_request"
    service = "s3" if head.startswith("PUT") else "sagemaker"
    lines += [
        f"Authorization: AWS4-HMAC-SHA256 {credential.format(service)}, SignedHeaders=host, Signature={'0' * 64}",
        "X-Amz-Date: 20300101T000000Z",
        "",
        "",
    ]
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        client.sendall("\r\n".join(lines).encode())
        # The answer is there, and the connection closed from the other side, before the body is sent.
        client.recv(1, socket.MSG_PEEK)
        for begin in range(0, len(body), 8192):
            time.sleep(0.01)
            client.sendall(body[begin : begin + 8192])
        answer = b""
        while part := client.recv(65536):
            answer += part
    assert answer.startswith(b"HTTP/1.1 4"), answer
