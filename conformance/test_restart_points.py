"""Promise T2 at moments that nobody chose: the server is killed in the middle of uploads, creations and updates.

Clients work side by side and note what was acknowledged; a seed says when the kill comes. After the next start what was
acknowledged is there, what was not is there whole or not at all, and nothing is in between.
"""

import contextlib
import hashlib
import os
import random
import signal
import socket
import subprocess
import threading
import time

import pytest
from botocore.auth import S3SigV4Auth
from botocore.exceptions import BotoCoreError, ClientError

from harness import processes, signed
from harness.hosting import Hosting, error_of, eventually, variant
from harness.server import Server

SEED = 4280
MIB = 1 << 20
# The longest that a round runs before its kill.
ROUND_SECONDS_MAX = 0.4
# A first start takes about this long.
FIRST_START_SECONDS = 0.1
# Endpoints that a round creates before it begins to delete them.
ENDPOINTS = 3


@pytest.fixture
def server():
    made = Server()
    try:
        yield made.start()
    finally:
        made.close()


class Work:
    """Clients that each repeat a step until the server does not answer any more."""

    def __init__(self, steps):
        self._threads = [threading.Thread(target=self._repeat, args=(step,), daemon=True) for step in steps]
        self.faults = []

    def _repeat(self, step):
        for number in range(100_000):
            try:
                step(number)
            except ClientError as refused:
                self.faults.append(repr(refused))
                return
            except (BotoCoreError, OSError):
                # It was killed under this call, which may have happened or not.
                return

    def until_killed(self, server, seconds):
        for thread in self._threads:
            thread.start()
        time.sleep(seconds)
        server.kill()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()
        assert self.faults == []
        left = server.orphans()
        assert left == [], f"left running:\n{processes.describe(left)}"
        server.start()


# -- uploads -------------------------------------------------------------------------------------------------------


def body_for(key, number, size):
    """Bytes that say which write they are of, to their end."""
    unit = hashlib.sha256(f"{key}/{number}".encode()).digest()
    return unit * (size // len(unit))


class Key:
    """One key that one client writes again and again, and what may be there after a kill."""

    def __init__(self, name, size):
        self.name, self.size = name, size
        self.acknowledged = None
        self.sent = None

    def may_hold(self):
        return {self.body(number) for number in (self.acknowledged, self.sent)}

    def body(self, number):
        return None if number is None or number % 4 == 3 else body_for(self.name, number, self.size)

    def step(self, s3, first):
        """One write; every fourth removes the object."""

        def write(number):
            number += first
            self.sent = number
            body = self.body(number)
            if body is None:
                s3.delete_object(Bucket="models", Key=self.name)
            elif self.size > 5 * MIB:
                self.in_parts(s3, body)
            else:
                s3.put_object(Bucket="models", Key=self.name, Body=body)
            self.acknowledged = number

        return write

    def in_parts(self, s3, body):
        target = {"Bucket": "models", "Key": self.name}
        upload = s3.create_multipart_upload(**target)["UploadId"]
        parts = []
        for number, start in enumerate(range(0, len(body), 5 * MIB), 1):
            made = s3.upload_part(**target, UploadId=upload, PartNumber=number, Body=body[start : start + 5 * MIB])
            parts.append({"PartNumber": number, "ETag": made["ETag"]})
        s3.complete_multipart_upload(**target, UploadId=upload, MultipartUpload={"Parts": parts})


def held(s3, key):
    try:
        return s3.get_object(Bucket="models", Key=key)["Body"].read()
    except s3.exceptions.NoSuchKey:
        return None


def blobs(server):
    return [path for path in (server.data_dir / "s3" / "blobs").rglob("*") if path.is_file()]


def test_an_object_is_there_whole_or_not_at_all(server):
    chance = random.Random(SEED)
    keys = [Key("small", 100 * 32), Key("middle", MIB), Key("other", MIB), Key("parts", 6 * MIB)]
    for round_ in range(8):
        s3 = server.client("s3")
        work = Work([key.step(s3, round_ * 1_000_000) for key in keys])
        work.until_killed(server, chance.uniform(0.02, ROUND_SECONDS_MAX))
        s3 = server.client("s3")
        for key in keys:
            found = held(s3, key.name)
            assert found in key.may_hold(), f"round {round_}: {key.name} holds {len(found or b'')} other bytes"
            # Whatever it is now is what a next round begins with.
            key.acknowledged = key.sent = key.sent if found == key.body(key.sent) else key.acknowledged
    assert any(key.acknowledged for key in keys)
    for key in keys:
        s3.delete_object(Bucket="models", Key=key.name)
    for upload in s3.list_multipart_uploads(Bucket="models").get("Uploads", []):
        s3.abort_multipart_upload(Bucket="models", Key=upload["Key"], UploadId=upload["UploadId"])
    assert s3.list_objects_v2(Bucket="models")["KeyCount"] == 0
    # Nothing is named any more, so nothing may take room.
    eventually(lambda: blobs(server) == [], 10)


def test_an_upload_that_its_client_breaks_off_was_never_there(server):
    s3, body = server.client("s3"), os.urandom(2 * MIB)
    s3.put_object(Bucket="models", Key="kept", Body=b"old")
    before = sorted(blobs(server))
    chance = random.Random(SEED + 3)
    for key in ("kept", "fresh") * 4:
        path = f"/models/{key}"
        headers = signed.headers_for(server, "PUT", path, body, service="s3", signer=S3SigV4Auth)
        lines = [f"PUT {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode()
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
            connection.sendall(head + body[: chance.randrange(len(body))])
    eventually(lambda: sorted(blobs(server)) == before, 10)
    assert held(s3, "kept") == b"old"
    assert held(s3, "fresh") is None


# -- creations and updates -----------------------------------------------------------------------------------------


class Records:
    """Models and endpoint configs that one client makes, and those that it was told are made."""

    def __init__(self):
        self.made, self.tried = [], 0

    def step(self, hosting, round_):
        def make(number):
            name = f"record-{round_}-{number}"
            self.tried += 1
            hosting.model(name=name)
            self.made.append(name)

        return make


def update_step(hosting, name, configs, wanted):
    """Updates from one config to the other, as fast as they are taken."""

    def update(number):
        config = configs[number % 2]
        wanted.append(config)
        try:
            hosting.update(name, config)
        except ClientError as refused:
            # Its last update is not done yet.
            wanted.pop()
            if "in-progress" not in str(refused):
                raise
            time.sleep(0.01)

    return update


class Created:
    """Endpoints that one client creates and deletes, and what it was told."""

    def __init__(self, hosting, config, round_):
        self._hosting, self._config, self._prefix = hosting, config, f"made-{round_}-"
        self.created, self.deleting, self.deleted = set(), set(), set()

    def step(self, number):
        if number < ENDPOINTS:
            name = f"{self._prefix}{number}"
            self._hosting.begin(self._config, name=name)
            self.created.add(name)
            return
        time.sleep(0.01)
        # Also what tells that the server has been killed.
        self._hosting.describe("steady")
        for name in sorted(self.created - self.deleted)[:1]:
            if self._hosting.describe(name)["EndpointStatus"] == "InService":
                self.deleting.add(name)
                self._hosting.sagemaker.delete_endpoint(EndpointName=name)
                self.deleted.add(name)

    def check(self, hosting):
        """Every endpoint settles as it was told; removes what is left."""

        def left():
            listed = hosting.sagemaker.list_endpoints(NameContains=self._prefix, MaxResults=100)["Endpoints"]
            return {one["EndpointName"]: one["EndpointStatus"] for one in listed}

        eventually(lambda: set(left().values()) <= {"InService", "Failed"}, 30)
        settled = left()
        assert set(settled.values()) <= {"InService"}
        assert self.created - self.deleting <= set(settled)
        assert not self.deleted & set(settled)
        for name in settled:
            hosting.sagemaker.delete_endpoint(EndpointName=name)
        eventually(lambda: left() == {}, 30)


def instance_folders(server):
    with contextlib.suppress(FileNotFoundError):
        return [entry.name for entry in (server.data_dir / "instances").iterdir() if entry.is_dir()]
    return []


def test_creations_and_updates_are_done_or_not_begun(server):
    chance = random.Random(SEED + 1)
    hosting = Hosting(server)
    first, second = (hosting.config(variant(hosting.model(MARK=n))) for n in range(2))
    hosting.endpoint(first, name="steady")
    records, may_be = Records(), [first]
    for round_ in range(6):
        created = Created(hosting, first, round_)
        updates = update_step(hosting, "steady", (second, first), may_be)
        work = Work([records.step(hosting, round_), updates, created.step])
        work.until_killed(server, chance.uniform(0.02, ROUND_SECONDS_MAX))
        hosting = Hosting(server)
        # Its request waits for an instance if there is none.
        assert hosting.invoke("steady") == b"tide"
        seen = hosting.settled("steady")
        assert seen["EndpointStatus"] == "InService"
        assert "FailureReason" not in seen
        assert seen["EndpointConfigName"] in may_be[-2:]
        may_be = [seen["EndpointConfigName"]]
        created.check(hosting)
    pages = hosting.sagemaker.get_paginator("list_models").paginate(NameContains="record-")
    there = {one["ModelName"] for page in pages for one in page["Models"]}
    assert set(records.made) <= there
    assert len(there) <= records.tried
    # The one endpoint's one instance is all that runs or has a folder.
    eventually(lambda: len(instance_folders(server)) == 1, 10)
    supervised = [pid for pid in processes.of(server.data_dir) if pid != server.pid]
    assert len(supervised) == 2, processes.describe(supervised)
    hosting.delete("steady")
    eventually(lambda: instance_folders(server) == [], 10)
    assert processes.wait_until_gone(server.data_dir, 10, keep=[server.pid]) == []
    assert error_of(hosting.describe, "steady")[0] == "ValidationException"


@pytest.mark.parametrize("attempt", range(6))
def test_a_first_start_that_is_killed_can_be_made_again(attempt):
    chance = random.Random(SEED + attempt)
    server = Server()
    try:
        starting = subprocess.Popen(server.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0, FIRST_START_SECONDS))
        starting.kill()
        assert starting.wait() == -signal.SIGKILL
        hosting = Hosting(server.start())
        assert hosting.sagemaker.list_models()["Models"] == []
        assert [one["Name"] for one in server.client("s3").list_buckets()["Buckets"]] == ["models"]
        assert server.credentials_file.stat().st_mode & 0o777 == 0o600
        assert not list(server.data_dir.glob("*.new"))
    finally:
        server.close()
