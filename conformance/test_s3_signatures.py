"""S3's own rules of signing and sending: dates that are off, heads judged before bodies, documents that are bad."""

import datetime
import socket
import time

import pytest
from botocore.auth import S3SigV4Auth

from harness import signed

MIB = 1 << 20


@pytest.fixture
def head_at(server, monkeypatch):
    """The headers of a request that was signed so many seconds ago."""

    def make(method, path, body, seconds, headers=None):
        now, then = time.time(), datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=seconds)
        with monkeypatch.context() as past:
            past.setattr("botocore.auth.time.time", lambda: now - seconds)
            past.setattr("botocore.auth.get_current_datetime", lambda: then.replace(tzinfo=None))
            return signed.headers_for(server, method, path, body, headers, service="s3", signer=S3SigV4Auth)

    return make


@pytest.mark.parametrize(("minutes", "code"), [(14, None), (-14, None), (16, "TooSkewed"), (-16, "TooSkewed")])
def test_a_date_may_be_off_by_a_quarter_of_an_hour(server, head_at, minutes, code):
    path, body = f"/models/skewed-{minutes}", b"late or early"
    answer = signed.send(server, "PUT", path, body, head_at("PUT", path, body, minutes * 60))
    if code is None:
        assert answer.status == 200, answer
    else:
        assert (answer.status, b"<Code>RequestTimeTooSkewed</Code>" in answer.body) == (403, True), answer
        found = server.client("s3").list_objects_v2(Bucket="models", Prefix=path.rpartition("/")[2])
        assert found["KeyCount"] == 0


def talk(server, method, path, headers, body):
    """What is said to a head that asks first, and, if that is to go on, what is said to the body."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(f"{method} {path} HTTP/1.1\r\n{lines}Expect: 100-continue\r\n\r\n".encode())
        first = connection.recv(65536)
        if not first.startswith(b"HTTP/1.1 100 "):
            return first, b""
        connection.sendall(body)
        return first, connection.recv(65536)


def test_who_asks_first_is_told_to_go_on_or_why_not(server, head_at):
    path, body = "/models/asked", b"x" * MIB
    length = {"Content-Length": str(len(body))}
    first, rest = talk(server, "PUT", path, head_at("PUT", path, body, 0) | length, body)
    assert first == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert rest.startswith(b"HTTP/1.1 200 ")
    assert server.client("s3").get_object(Bucket="models", Key="asked")["Body"].read() == body
    # Too old, of another path: the answer comes at once, and no body need be sent for it.
    for headers in (head_at("PUT", path, body, 3600), head_at("PUT", "/x/y", body, 0)):
        first, _ = talk(server, "PUT", path, headers | length, body)
        assert first.startswith(b"HTTP/1.1 403 "), first
        assert b"\r\nconnection: close\r\n" in first.lower()


@pytest.mark.parametrize("query", ["delete", "uploadId=x"])
def test_a_document_of_100_mb_is_refused(server, head_at, query):
    path = f"/models/key?{query}" if "=" in query else f"/models?{query}"
    body = b"<Delete>" + b" " * (100 * MIB)
    answer = signed.send(server, "POST", path, body, head_at("POST", path, body, 0))
    assert (answer.status, b"<Code>MaxMessageLengthExceeded</Code>" in answer.body) == (400, True), answer


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/models?delete", b"<Delete><Object><Key>kept</Key></Object></Delete>"),
        ("POST", "/models/kept?uploadId=x", b"<CompleteMultipartUpload></CompleteMultipartUpload>"),
        ("PUT", "/models/kept?tagging", b"<Tagging><TagSet></TagSet></Tagging>"),
        ("PUT", "/another-bucket", b"<CreateBucketConfiguration></CreateBucketConfiguration>"),
    ],
)
def test_a_document_that_is_not_the_signed_one_changes_nothing(server, head_at, method, path, body):
    s3 = server.client("s3")
    s3.put_object(Bucket="models", Key="kept", Body=b"kept", Tagging="a=1")
    for tampered in (body.swapcase(), body[:-1], body + b"\n"):
        answer = signed.send(server, method, path, tampered, head_at(method, path, body, 0))
        assert (answer.status, b"<Code>XAmzContentSHA256Mismatch</Code>" in answer.body) == (400, True), answer
    assert s3.get_object_tagging(Bucket="models", Key="kept")["TagSet"] == [{"Key": "a", "Value": "1"}]
    assert [one["Name"] for one in s3.list_buckets()["Buckets"]] == ["models"]
