"""The embedded S3 on the same port, by the AWS CLI and boto3, and models that come from it; STS."""

import pathlib
import subprocess
import sys

import pytest
from botocore.auth import S3SigV4Auth

from harness import archives, signed
from harness.hosting import Hosting, error_of, variant

AWS = pathlib.Path(sys.executable).with_name("aws")


def aws(server, *arguments, **more):
    ended = subprocess.run(
        [AWS, *map(str, arguments)],
        env=server.client_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        **more,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def s3(server):
    return server.client("s3")


def test_the_cli_copies_a_model_to_where_an_endpoint_takes_it_from(hosting: Hosting, server, tmp_path):
    archive = tmp_path / "model.tar.gz"
    archive.write_bytes(archives.tar_gz({"anything": b"weights"}))
    aws(server, "s3", "cp", archive, "s3://models/")
    assert "model.tar.gz" in aws(server, "s3", "ls", "s3://models/")
    model = hosting.model(data="s3://models/model.tar.gz")
    with hosting.removed_after(hosting.endpoint(hosting.config(variant(model)))) as name:
        assert hosting.invoke(name) == b"tide"


def test_a_model_comes_from_a_file(hosting, tmp_path):
    archive = tmp_path / "model.tar.gz"
    archive.write_bytes(archives.tar_gz({"anything": b"weights"}))
    model = hosting.model(data=f"file://{archive}")
    with hosting.removed_after(hosting.endpoint(hosting.config(variant(model)))) as name:
        assert hosting.invoke(name) == b"tide"


def test_the_cli_drives_the_control_plane(hosting, server, echo):
    told = aws(server, "sagemaker", "describe-endpoint", "--endpoint-name", echo, "--query", "EndpointStatus")
    assert told.strip() == '"InService"'
    names = aws(server, "sagemaker", "list-endpoints", "--query", "Endpoints[].EndpointName", "--output", "text")
    assert echo in names.split()


def test_the_cli_invokes(server, echo, tmp_path):
    out = tmp_path / "answer"
    given = tmp_path / "request"
    given.write_bytes(b"by hand")
    command = ["sagemaker-runtime", "invoke-endpoint", "--endpoint-name", echo, "--body", f"fileb://{given}", out]
    told = aws(server, *command)
    assert out.read_bytes() == b"by hand"
    assert '"InvokedProductionVariant": "main"' in told


def test_a_caller_is_told_who_it_is(server):
    identity = server.client("sts").get_caller_identity()
    assert identity["Account"] == "000000000000"
    assert identity["Arn"] == "arn:aws:iam::000000000000:root"
    assert identity["UserId"] == "000000000000"
    assert "000000000000" in aws(server, "sts", "get-caller-identity")


def test_an_operation_of_sts_that_tidegate_lacks_says_so(server):
    code, text, status = error_of(server.client("sts").decode_authorization_message, EncodedMessage="m")
    assert (code, status) == ("InvalidAction", 400)
    assert "DecodeAuthorizationMessage" in text


@pytest.mark.parametrize(
    "key", ["plain", "a/b/c", "with space", "münchen/模型", "../up", "a//b", "ends/", "%2F?x=1&y", "+"]
)
def test_any_key_keeps_its_own_bytes(s3, key):
    s3.put_object(Bucket="models", Key=key, Body=key.encode(), ContentType="text/x", Metadata={"who": "me"})
    got = s3.get_object(Bucket="models", Key=key)
    assert got["Body"].read() == key.encode()
    assert (got["ContentType"], got["Metadata"]) == ("text/x", {"who": "me"})
    assert key in [one["Key"] for one in s3.list_objects_v2(Bucket="models", Prefix=key)["Contents"]]
    s3.delete_object(Bucket="models", Key=key)
    assert error_of(s3.get_object, Bucket="models", Key=key)[0] == "NoSuchKey"


def test_a_large_object_goes_up_in_parts_and_comes_down_whole(s3, server, tmp_path):
    big = tmp_path / "big"
    big.write_bytes(bytes(range(256)) * (20 * 4096))
    aws(server, "s3", "cp", big, "s3://models/big")
    assert "-" in s3.head_object(Bucket="models", Key="big")["ETag"]
    aws(server, "s3", "cp", "s3://models/big", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == big.read_bytes()
    part = s3.get_object(Bucket="models", Key="big", Range="bytes=256-511")
    assert part["Body"].read() == bytes(range(256))
    assert part["ResponseMetadata"]["HTTPStatusCode"] == 206


def test_buckets_named_like_our_own_pages_work(s3):
    """A signature decides where a request goes, before its path does."""
    for bucket in ("console", "metrics", "healthz", "endpoints", "tidegate"):
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="x/invocations", Body=b"mine")
        assert s3.get_object(Bucket=bucket, Key="x/invocations")["Body"].read() == b"mine"


def test_what_cannot_be_done_with_a_bucket_has_its_code(s3):
    assert error_of(s3.get_object, Bucket="no-such-bucket", Key="x")[0] == "NoSuchBucket"
    assert error_of(s3.delete_bucket, Bucket="models")[0] == "BucketNotEmpty"


def test_a_wrong_secret_reads_nothing(server):
    code, _, status = error_of(server.client("s3", secret="wrong" * 8).list_objects_v2, Bucket="models")
    assert (code, status) == ("SignatureDoesNotMatch", 403)


def test_a_tampered_object_is_not_stored(s3, server):
    path = "/models/tampered"
    headers = signed.headers_for(server, "PUT", path, b"good", service="s3", signer=S3SigV4Auth)
    answer = signed.send(server, "PUT", path, b"evil", headers)
    assert 400 <= answer.status < 500, answer
    assert error_of(s3.get_object, Bucket="models", Key="tampered")[0] == "NoSuchKey"
    assert signed.send(server, "PUT", path, b"good", headers).status == 200
    assert s3.get_object(Bucket="models", Key="tampered")["Body"].read() == b"good"
