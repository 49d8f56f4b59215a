"""Uploads that are signed or summed up piece by piece: S3's `STREAMING-*` bodies, whole and damaged."""

import base64
import datetime
import hashlib
import hmac
import zlib

import pytest

from harness import signed
from harness.server import REGION

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_AND_SUMMED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
SUMMED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
PIECES = [b"a" * 65536, b"b" * 8192, b"the end"]
WHOLE = b"".join(PIECES)
EMPTY = hashlib.sha256(b"").hexdigest()


def sha(data):
    return hashlib.sha256(data).hexdigest()


class Upload:
    """One PUT whose head is signed for a streamed body."""

    def __init__(self, server, key, kind, **more):
        self.server, self.path = server, f"/models/{key}"
        self.date = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
        self.scope = f"{self.date[:8]}/{REGION}/s3/aws4_request"
        headers = {
            "content-encoding": "aws-chunked",
            "host": server.url.removeprefix("http://"),
            "x-amz-content-sha256": kind,
            "x-amz-date": self.date,
            "x-amz-decoded-content-length": str(len(WHOLE)),
        } | more
        names = ";".join(sorted(headers))
        lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
        canonical = "\n".join(["PUT", self.path, "", lines, names, kind])
        self.signature = self.sign("\n".join(["AWS4-HMAC-SHA256", self.date, self.scope, sha(canonical.encode())]))
        credential = f"Credential={server.key()[0]}/{self.scope}"
        told = f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={names}, Signature={self.signature}"
        self.headers = headers | {"Authorization": told}

    def sign(self, text):
        key = b"AWS4" + self.server.key()[1].encode()
        for part in (self.date[:8], REGION, "s3", "aws4_request"):
            key = hmac.new(key, part.encode(), "sha256").digest()
        return hmac.new(key, text.encode(), "sha256").hexdigest()

    def signed_body(self):
        return self.pieces()[0] + b"\r\n"

    def signed_and_summed_body(self):
        body, previous = self.pieces()
        line = b"x-amz-checksum-crc32:" + crc(WHOLE)
        text = ["AWS4-HMAC-SHA256-TRAILER", self.date, self.scope, previous, sha(line + b"\n")]
        signature = self.sign("\n".join(text)).encode()
        return body + line + b"\r\nx-amz-trailer-signature:" + signature + b"\r\n\r\n"

    def pieces(self):
        """The signed pieces, of the last its first line only; and that one's signature."""
        previous, body = self.signature, b""
        for piece in [*PIECES, b""]:
            text = ["AWS4-HMAC-SHA256-PAYLOAD", self.date, self.scope, previous, EMPTY, sha(piece)]
            previous = self.sign("\n".join(text))
            body += b"%x;chunk-signature=%s\r\n" % (len(piece), previous.encode())
            body += piece + b"\r\n" if piece else b""
        return body, previous

    def send(self, body):
        return signed.send(self.server, "PUT", self.path, body, self.headers | {"Content-Length": str(len(body))})


def summed_body():
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in PIECES)
    return pieces + b"0\r\nx-amz-checksum-crc32:" + crc(WHOLE) + b"\r\n\r\n"


def crc(data):
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big"))


def keys(server):
    return [one["Key"] for one in server.client("s3").list_objects_v2(Bucket="models").get("Contents", [])]


def stored(server, key):
    return server.client("s3").get_object(Bucket="models", Key=key)["Body"].read()


def test_pieces_that_are_signed_make_the_object(server):
    upload = Upload(server, "signed", SIGNED)
    assert upload.send(upload.signed_body()).status == 200
    assert stored(server, "signed") == WHOLE


def test_pieces_that_are_summed_up_make_the_object(server):
    upload = Upload(server, "summed", SUMMED, **{"x-amz-trailer": "x-amz-checksum-crc32"})
    assert upload.send(summed_body()).status == 200
    assert stored(server, "summed") == WHOLE


def test_pieces_that_are_signed_and_summed_up_make_the_object(server):
    upload = Upload(server, "both", SIGNED_AND_SUMMED, **{"x-amz-trailer": "x-amz-checksum-crc32"})
    assert upload.send(upload.signed_and_summed_body()).status == 200
    assert stored(server, "both") == WHOLE


def is_refused(server, upload, body, code):
    answer = upload.send(body)
    assert answer.status in (400, 403), answer.body
    assert b"<Code>%s</Code>" % code.encode() in answer.body
    assert upload.path.rpartition("/")[2] not in keys(server)


# What each damage is answered with; "the last piece" is cut although every byte of the object has come.
@pytest.mark.parametrize(
    ("key", "damage", "code"),
    [
        ("signed-byte", lambda body: body.replace(b"the end", b"the enD"), "SignatureDoesNotMatch"),
        (
            "signed-signature",
            lambda body: body.replace(b"chunk-signature=", b"chunk-signature=0", 1),
            "InvalidRequest",
        ),
        ("signed-last", lambda body: body[: body.rindex(b"0;chunk-signature")], "IncompleteBody"),
        ("signed-half", lambda body: body[: len(body) // 2], "IncompleteBody"),
    ],
    ids=["a byte", "a signature", "the last piece", "half"],
)
def test_a_signed_upload_that_is_damaged_leaves_nothing(server, key, damage, code):
    upload = Upload(server, key, SIGNED)
    is_refused(server, upload, damage(upload.signed_body()), code)


@pytest.mark.parametrize(
    ("key", "damage", "code"),
    [
        ("both-byte", lambda body: body.replace(b"the end", b"the enD"), "SignatureDoesNotMatch"),
        ("both-sum", lambda body: body.replace(crc(WHOLE), b"AAAAAA=="), "SignatureDoesNotMatch"),
        ("both-trailer", lambda body: body[: body.rindex(b"x-amz-checksum")] + b"\r\n", "MalformedTrailerError"),
        ("both-unsigned", lambda body: body[: body.rindex(b"x-amz-trailer-signature")] + b"\r\n", "InvalidRequest"),
        ("both-last", lambda body: body[: body.rindex(b"0;chunk-signature")], "IncompleteBody"),
    ],
    ids=["a byte", "the sum", "no trailer", "no signature of the trailer", "the last piece"],
)
def test_a_signed_and_summed_upload_that_is_damaged_leaves_nothing(server, key, damage, code):
    upload = Upload(server, key, SIGNED_AND_SUMMED, **{"x-amz-trailer": "x-amz-checksum-crc32"})
    is_refused(server, upload, damage(upload.signed_and_summed_body()), code)


@pytest.mark.parametrize(
    ("key", "damage", "code"),
    [
        ("summed-byte", lambda body: body.replace(b"the end", b"the enD"), "BadDigest"),
        ("summed-sum", lambda body: body.replace(crc(WHOLE), b"AAAAAA=="), "BadDigest"),
        ("summed-trailer", lambda body: body[: body.rindex(b"x-amz-checksum")] + b"\r\n", "MalformedTrailerError"),
        ("summed-last", lambda body: body[: body.rindex(b"0\r\nx-amz-checksum")], "IncompleteBody"),
    ],
    ids=["a byte", "the sum", "no trailer", "the last piece"],
)
def test_a_summed_upload_that_is_damaged_leaves_nothing(server, key, damage, code):
    upload = Upload(server, key, SUMMED, **{"x-amz-trailer": "x-amz-checksum-crc32"})
    is_refused(server, upload, damage(summed_body()), code)
