"""What the embedded S3 has acknowledged is there, whole, after `kill -9` in the middle of uploads."""

import hashlib
import os
import threading

import botocore.exceptions
import pytest

from harness.server import Server

ROUNDS = 4
WRITERS = 4
# Enough that every writer is in the middle of something when the server is killed.
ACKNOWLEDGED_BEFORE_THE_KILL = 12
PART = 5 << 20


@pytest.fixture
def own_server():
    made = Server()
    try:
        yield made.start()
    finally:
        made.close()


class Ledger:
    """By key: what was acknowledged last, and what was under way when the server died."""

    def __init__(self):
        self.acknowledged = {}
        self.attempted = {}
        self.count = 0
        self.enough = threading.Event()

    def begin(self, key, body):
        self.attempted[key] = hashlib.sha256(body).digest()

    def done(self, key):
        self.acknowledged[key] = self.attempted.pop(key)
        self.count += 1
        if self.count >= ACKNOWLEDGED_BEFORE_THE_KILL:
            self.enough.set()


def write(server, ledger, writer):
    """Puts and multipart uploads, one after the other, until the server is gone. Each writer has keys of its own."""
    s3 = server.client("s3")
    number = 0
    try:
        while True:
            number += 1
            body = os.urandom(1000 + number * 300_000 % 3_000_000)
            key = f"{writer}/{number % 3}"
            if number % 4:
                ledger.begin(key, body)
                s3.put_object(Bucket="models", Key=key, Body=body)
            else:
                body = os.urandom(PART) + body
                ledger.begin(key, body)
                put_in_parts(s3, {"Bucket": "models", "Key": key}, body)
            ledger.done(key)
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
        # Killed. That it was nothing else, the check after the restart says.
        return


def put_in_parts(s3, target, body):
    target = target | {"UploadId": s3.create_multipart_upload(**target)["UploadId"]}
    parts = [
        {"PartNumber": n, "ETag": s3.upload_part(**target, PartNumber=n, Body=piece)["ETag"]}
        for n, piece in enumerate((body[:PART], body[PART:]), start=1)
    ]
    s3.complete_multipart_upload(**target, MultipartUpload={"Parts": parts})


def test_acknowledged_objects_survive_kill_9_during_uploads(own_server):
    ledger = Ledger()
    for _ in range(ROUNDS):
        ledger.count = 0
        ledger.enough.clear()
        writers = [threading.Thread(target=write, args=(own_server, ledger, n)) for n in range(WRITERS)]
        for writer in writers:
            writer.start()
        assert ledger.enough.wait(60), own_server.log()
        own_server.kill()
        for writer in writers:
            writer.join(60)
            assert not writer.is_alive()
        own_server.start()
        check(own_server, ledger)
    assert len(ledger.acknowledged) > WRITERS
    nothing_is_half_made(own_server)


def check(server, ledger):
    s3 = server.client("s3")
    for key in ledger.acknowledged.keys() | ledger.attempted.keys():
        try:
            found = hashlib.sha256(s3.get_object(Bucket="models", Key=key)["Body"].read()).digest()
        except s3.exceptions.NoSuchKey:
            found = None
        # What was under way may have become durable before its answer was lost.
        allowed = {ledger.acknowledged.get(key), ledger.attempted.get(key)} - {None}
        if key not in ledger.acknowledged:
            allowed.add(None)
        assert found in allowed, key
        if found:
            ledger.acknowledged[key] = found
    ledger.attempted.clear()


def nothing_is_half_made(server):
    """Once the interrupted uploads are given up, the disk holds the bytes of the objects and no others."""
    s3 = server.client("s3")
    for upload in s3.list_multipart_uploads(Bucket="models").get("Uploads", []):
        s3.abort_multipart_upload(Bucket="models", Key=upload["Key"], UploadId=upload["UploadId"])
    objects = s3.list_objects_v2(Bucket="models").get("Contents", [])
    blobs = [path.stat().st_size for path in (server.data_dir / "s3" / "blobs").iterdir()]
    assert sum(blobs) == sum(one["Size"] for one in objects)
