"""A disk without room: what cannot be kept is refused, what was kept goes on serving, and room is all it takes."""

import os
import pathlib
import subprocess
import sys

import pytest
from botocore.exceptions import ClientError

from harness import archives, names, processes, small_disk
from harness.hosting import Hosting, error_of, eventually, variant

DISK_MIB = 32
MIB = 1 << 20
# Databases, credentials and records of what these tests keep.
OWN_BYTES = 2 * MIB
HOSTILE = pathlib.Path(__file__).parent / "images" / "hostile_server.py"
CONFIG = f'[[image]]\nmatch = "hostile:*"\ncommand = ["{sys.executable}", "{HOSTILE}"]\n'


@pytest.fixture(scope="module")
def server():
    if why_not := small_disk.why_not():
        pytest.skip(why_not)
    made = small_disk.SmallDisk(DISK_MIB, config=CONFIG)
    try:
        yield made.start()
    finally:
        made.close()


@pytest.fixture(scope="module")
def s3(server):
    return server.client("s3")


@pytest.fixture
def kept(server):
    """An object that no failure of a test may change."""
    body = os.urandom(64 * 1024)
    server.client("s3").put_object(Bucket="models", Key="kept", Body=body)
    yield body
    # By a client of its own: the server may have been started again.
    assert body_of(server.client("s3"), "kept") == body


def body_of(s3, key):
    return s3.get_object(Bucket="models", Key=key)["Body"].read()


def is_refused_for_room(call, **members):
    code, text, status = error_of(call, **members)
    assert (code, status) == ("InsufficientStorage", 507)
    assert "disk is full" in text


def test_an_upload_that_does_not_fit_leaves_nothing(server, s3, kept):
    before, large = server.free_bytes(), bytes(2 * DISK_MIB * MIB)
    with server.short_of_room():
        is_refused_for_room(s3.put_object, Bucket="models", Key="large", Body=large)
        is_refused_for_room(s3.put_object, Bucket="models", Key="kept", Body=large)
        upload = s3.create_multipart_upload(Bucket="models", Key="parts")["UploadId"]
        part = {"Bucket": "models", "Key": "parts", "UploadId": upload, "PartNumber": 1}
        is_refused_for_room(s3.upload_part, Body=large, **part)
    assert "Parts" not in s3.list_parts(Bucket="models", Key="parts", UploadId=upload)
    s3.abort_multipart_upload(Bucket="models", Key="parts", UploadId=upload)
    assert error_of(s3.get_object, Bucket="models", Key="large")[0] == "NoSuchKey"
    assert server.free_bytes() > before - MIB


def test_an_archive_that_does_not_fit_fails_its_endpoint_alone(server, s3, kept):
    hosting, before = Hosting(server), server.free_bytes()
    good = hosting.echo_endpoint()
    s3.put_object(Bucket="models", Key="large.tar.gz", Body=archives.tar_gz({"zeros": bytes(2 * DISK_MIB * MIB)}))
    bad = hosting.begin(hosting.config(hosting.model(data="s3://models/large.tar.gz")))
    seen = hosting.settled(bad)
    assert seen["EndpointStatus"] == "Failed"
    assert "disk is full" in seen["FailureReason"]
    assert "s3://models/large.tar.gz" in seen["FailureReason"]
    eventually(lambda: server.free_bytes() > before - MIB, 10)
    assert hosting.invoke(good) == b"tide"
    hosting.delete(bad)
    hosting.delete(good)


def test_a_model_server_that_fills_the_disk_harms_no_other(server, s3, kept):
    hosting, before = Hosting(server), server.free_bytes()
    good, bad = hosting.echo_endpoint(), hosting.endpoint(hosting.config(hosting.model(image="hostile:1")))
    with server.short_of_room():
        assert int(hosting.invoke(bad, CustomAttributes="fill-the-disk")) > before // 2
        assert server.free_bytes() < MIB
        assert hosting.invoke(good) == b"tide"
        is_refused_for_room(s3.put_object, Bucket="models", Key="more", Body=b"more")
        (worst,) = [pid for pid in processes.of(server.data_dir) if str(HOSTILE) in command(pid)]
        processes.kill([worst])
        # Its folder went with it, and another takes its place.
        eventually(lambda: server.free_bytes() > before - 2 * MIB, 10)
    assert hosting.invoke(bad) == b"tide"
    hosting.delete(bad)
    hosting.delete(good)


def command(pid):
    words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return words[1].decode() if len(words) > 1 else ""


def changes(hosting, endpoint, config, model):
    """Every kind of call that writes."""
    sagemaker, arn = hosting.sagemaker, names.arn("model", model)
    role = "arn:aws:iam::000000000000:role/host"
    one = [{"VariantName": "main", "DesiredInstanceCount": 2}]
    yield sagemaker.create_model, {"ModelName": "x", "PrimaryContainer": {"Image": "x"}, "ExecutionRoleArn": role}
    yield sagemaker.create_endpoint_config, {"EndpointConfigName": "x", "ProductionVariants": [variant(model)]}
    yield sagemaker.create_endpoint, {"EndpointName": "x", "EndpointConfigName": config}
    yield sagemaker.update_endpoint, {"EndpointName": endpoint, "EndpointConfigName": config}
    yield (
        sagemaker.update_endpoint_weights_and_capacities,
        {"EndpointName": endpoint, "DesiredWeightsAndCapacities": one},
    )
    yield sagemaker.add_tags, {"ResourceArn": arn, "Tags": [{"Key": "k", "Value": "v"}]}
    yield sagemaker.delete_endpoint, {"EndpointName": endpoint}
    yield sagemaker.delete_endpoint_config, {"EndpointConfigName": config}
    yield sagemaker.delete_model, {"ModelName": model}


def everything(hosting, s3):
    """All that the server says it has."""
    sagemaker = hosting.sagemaker
    return [
        [one["ModelName"] for one in sagemaker.list_models()["Models"]],
        [one["EndpointConfigName"] for one in sagemaker.list_endpoint_configs()["EndpointConfigs"]],
        [
            hosting.describe(one["EndpointName"])["ProductionVariants"]
            for one in sagemaker.list_endpoints()["Endpoints"]
        ],
        [(one["Name"], one["CreationDate"]) for one in s3.list_buckets()["Buckets"]],
        [(one["Key"], one["ETag"]) for one in s3.list_objects_v2(Bucket="models")["Contents"]],
    ]


def test_nothing_is_half_done_when_there_is_no_room_at_all(server, s3, kept):
    hosting = Hosting(server)
    config = hosting.config(hosting.model())
    endpoint, model = hosting.endpoint(config), hosting.model()
    before = everything(hosting, s3)
    with server.filled():
        assert server.free_bytes() == 0
        for call, members in changes(hosting, endpoint, config, model):
            with pytest.raises(ClientError) as refused:
                call(**members)
            response = refused.value.response
            assert response["Error"]["Code"] == "ServiceUnavailable", response
            assert "disk is full" in response["Error"]["Message"], response
            assert everything(hosting, s3) == before, call
        is_refused_for_room(s3.put_object, Bucket="models", Key="small", Body=b"x")
        is_refused_for_room(s3.create_bucket, Bucket="other-bucket")
        assert everything(hosting, s3) == before
        assert body_of(s3, "kept") == kept
        for _ in range(20):
            assert hosting.invoke(endpoint) == b"tide"
    # Room is all that was missing; and what was refused was not done later.
    assert everything(hosting, s3) == before
    for call, members in changes(hosting, endpoint, config, model):
        if call == hosting.sagemaker.delete_endpoint:
            hosting.in_service(endpoint)
        call(**members)
        if call == hosting.sagemaker.update_endpoint:
            hosting.in_service(endpoint)
    hosting.settled("x")
    hosting.delete("x")
    eventually(lambda: hosting.sagemaker.list_endpoints()["Endpoints"] == [], 30)


def test_a_kill_on_a_full_disk_loses_nothing(server, s3, kept):
    hosting = Hosting(server)
    endpoint = hosting.echo_endpoint()
    before = everything(hosting, s3)
    with server.filled():
        with pytest.raises(ClientError):
            hosting.model(name="unkept")
        server.kill()
        assert server.orphans() == []
        ended = subprocess.run(server.command(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
        assert ended.returncode > 0
        assert "panicked" not in ended.stderr
        (line,) = ended.stderr.strip().splitlines()
        assert "no room" in line
        assert str(server.data_dir) in line
        assert "--data-dir" in line
    server.start()
    hosting, s3 = Hosting(server), server.client("s3")
    assert hosting.invoke(endpoint) == b"tide"
    hosting.in_service(endpoint)
    eventually(lambda: everything(hosting, s3) == before, 10)
    assert server.free_bytes() > DISK_MIB * MIB - OWN_BYTES - 8 * MIB


def test_what_takes_room_can_be_deleted_when_there_is_none_left(server, kept):
    s3 = server.client("s3")
    before = s3.list_objects_v2(Bucket="models")["Contents"]
    few = [f"few-{number}" for number in range(60)]
    many = [f"many-{number}" for number in range(60)]
    for key in [*few, *many]:
        s3.put_object(Bucket="models", Key=key, Body=key.encode())
    s3.put_object(Bucket="models", Key="large", Body=os.urandom(MIB))
    part = {"Bucket": "models", "Key": "parts"}
    part["UploadId"] = s3.create_multipart_upload(**part)["UploadId"]
    s3.upload_part(PartNumber=1, Body=os.urandom(MIB), **part)
    s3.create_bucket(Bucket="emptied-bucket")
    with server.filled():
        # Small ones, which free less than it takes to forget one of them; so the kept room must last.
        for key in few:
            s3.delete_object(Bucket="models", Key=key)
        answer = s3.delete_objects(Bucket="models", Delete={"Objects": [{"Key": key} for key in many]})
        assert len(answer["Deleted"]) == len(many), answer
        s3.delete_bucket(Bucket="emptied-bucket")
        s3.abort_multipart_upload(**part)
        s3.delete_object(Bucket="models", Key="large")
        assert server.free_bytes() > MIB // 2
        server.kill()
    server.start()
    s3 = server.client("s3")
    assert s3.list_objects_v2(Bucket="models")["Contents"] == before
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="models")
    assert [one["Name"] for one in s3.list_buckets()["Buckets"]] == ["models"]
