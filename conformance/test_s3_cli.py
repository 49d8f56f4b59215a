"""The embedded S3 through the unmodified AWS CLI: what people type."""

import filecmp
import os
import pathlib
import subprocess
import sys

import pytest

from harness import names

AWS = pathlib.Path(sys.executable).with_name("aws")


@pytest.fixture
def aws(server, tmp_path):
    def run(*arguments, fails=False, **environment):
        ended = subprocess.run(
            [AWS, *map(str, arguments)],
            env=server.client_environment() | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            cwd=tmp_path,
        )
        assert (ended.returncode != 0) == fails, (arguments, ended.stdout, ended.stderr)
        return ended.stdout + ended.stderr

    return run


@pytest.fixture
def bucket(aws):
    name = names.fresh("cli")
    aws("s3", "mb", f"s3://{name}")
    return name


def test_a_file_goes_there_and_back_in_parts(aws, bucket, tmp_path):
    sent = tmp_path / "sent"
    sent.write_bytes(os.urandom(20_000_000))
    aws("s3", "cp", "sent", f"s3://{bucket}/big")
    assert "20000000 big" in aws("s3", "ls", f"s3://{bucket}")
    aws("s3", "cp", f"s3://{bucket}/big", f"s3://{bucket}/folder/copy")
    aws("s3", "mv", f"s3://{bucket}/folder/copy", f"s3://{bucket}/folder/moved")
    aws("s3", "cp", f"s3://{bucket}/folder/moved", "back")
    assert filecmp.cmp(sent, tmp_path / "back", shallow=False)
    listed = [line.split()[-1] for line in aws("s3", "ls", "--recursive", f"s3://{bucket}").splitlines()]
    assert listed == ["big", "folder/moved"]
    assert "PRE folder/" in aws("s3", "ls", f"s3://{bucket}/")


def test_a_folder_is_kept_in_step(aws, bucket, tmp_path):
    for name in ("a", "b b", "sub/c", "sub/ü"):
        path = tmp_path / "here" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    assert aws("s3", "sync", "here", f"s3://{bucket}/d").count("upload:") == 4
    assert aws("s3", "sync", "here", f"s3://{bucket}/d") == ""
    (tmp_path / "here" / "a").unlink()
    (tmp_path / "here" / "sub" / "c").write_text("longer than before")
    told = aws("s3", "sync", "--delete", "here", f"s3://{bucket}/d")
    assert (told.count("upload:"), told.count("delete:")) == (1, 1)
    aws("s3", "sync", f"s3://{bucket}/d", "there")
    for name in ("b b", "sub/c", "sub/ü"):
        assert (tmp_path / "there" / name).read_text() == (tmp_path / "here" / name).read_text()
    assert not (tmp_path / "there" / "a").exists()


def test_a_bucket_goes_only_when_it_is_empty(aws, bucket, tmp_path):
    (tmp_path / "x").write_text("x")
    aws("s3", "cp", "x", f"s3://{bucket}/x")
    assert "BucketNotEmpty" in aws("s3", "rb", f"s3://{bucket}", fails=True)
    assert "delete:" in aws("s3", "rm", "--recursive", f"s3://{bucket}")
    aws("s3", "rb", f"s3://{bucket}")
    assert bucket not in aws("s3", "ls")
    assert "NoSuchBucket" in aws("s3", "ls", f"s3://{bucket}", fails=True)


def test_what_is_refused_has_its_reason(aws):
    assert "404" in aws("s3", "cp", "s3://models/no-such-object", "x", fails=True)
    refused = aws("s3", "ls", "s3://models", fails=True, AWS_REGION="eu-west-1", AWS_DEFAULT_REGION="eu-west-1")
    assert "AuthorizationHeaderMalformed" in refused
