"""The embedded S3 through unmodified boto3: what clients ask of it, request by request, and what it must refuse."""

import base64
import datetime
import hashlib
import os
import re
import time
import urllib.error
import urllib.request
import zlib

import pytest
from botocore.auth import S3SigV4Auth

from harness import names, signed
from harness.hosting import error_of

MIB = 1 << 20


@pytest.fixture(scope="module")
def s3(server):
    return server.client("s3")


@pytest.fixture
def bucket(s3):
    """A bucket of the test's own."""
    name = names.fresh("bucket").lower()
    s3.create_bucket(Bucket=name)
    return name


def body_of(s3, bucket, key, **more):
    return s3.get_object(Bucket=bucket, Key=key, **more)["Body"].read()


def code_of(call, **members):
    code, _, status = error_of(call, **members)
    return code, status


# -- objects ---------------------------------------------------------------------------------------------------------


def test_an_object_comes_back_with_all_that_was_said_of_it(s3, bucket):
    said = {
        "ContentType": "text/plain",
        "CacheControl": "no-cache",
        "ContentDisposition": "attachment",
        "ContentLanguage": "de",
        "Metadata": {"a": "b", "of": "two words"},
    }
    put = s3.put_object(Bucket=bucket, Key="x", Body=b"hello world", Tagging="k=v", **said)
    assert put["ETag"] == '"5eb63bbbe01eeed093cb22bb8f5acdc3"'
    for got in (s3.get_object(Bucket=bucket, Key="x"), s3.head_object(Bucket=bucket, Key="x")):
        assert {name: got[name] for name in said} == said
        assert (got["ContentLength"], got["ETag"]) == (11, put["ETag"])
    assert s3.get_object_tagging(Bucket=bucket, Key="x")["TagSet"] == [{"Key": "k", "Value": "v"}]


@pytest.mark.parametrize(
    ("asked", "body", "told"),
    [
        ("bytes=2-4", b"llo", "bytes 2-4/11"),
        ("bytes=-5", b"world", "bytes 6-10/11"),
        ("bytes=6-", b"world", "bytes 6-10/11"),
        ("bytes=0-999", b"hello world", "bytes 0-10/11"),
        ("bytes=-999", b"hello world", "bytes 0-10/11"),
    ],
)
def test_a_range_is_answered_with_its_bytes_alone(s3, bucket, asked, body, told):
    s3.put_object(Bucket=bucket, Key="x", Body=b"hello world")
    got = s3.get_object(Bucket=bucket, Key="x", Range=asked)
    answered = got["Body"].read(), got["ContentRange"], got["ResponseMetadata"]["HTTPStatusCode"]
    assert answered == (body, told, 206)
    assert code_of(s3.get_object, Bucket=bucket, Key="x", Range="bytes=50-60") == ("InvalidRange", 416)


def test_conditions_are_kept_when_reading(s3, bucket):
    tag = s3.put_object(Bucket=bucket, Key="x", Body=b"one")["ETag"]
    changed = s3.head_object(Bucket=bucket, Key="x")["LastModified"]
    for call in (s3.get_object, s3.head_object):
        assert code_of(call, Bucket=bucket, Key="x", IfNoneMatch=tag) == ("304", 304)
        assert code_of(call, Bucket=bucket, Key="x", IfModifiedSince=changed) == ("304", 304)
        assert code_of(call, Bucket=bucket, Key="x", IfMatch='"other"')[1] == 412
        call(Bucket=bucket, Key="x", IfMatch=tag)
        call(Bucket=bucket, Key="x", IfUnmodifiedSince=changed)


def test_conditions_are_kept_when_writing(s3, bucket):
    tag = s3.put_object(Bucket=bucket, Key="x", Body=b"one", IfNoneMatch="*")["ETag"]
    refused = ("PreconditionFailed", 412)
    assert code_of(s3.put_object, Bucket=bucket, Key="x", Body=b"two", IfNoneMatch="*") == refused
    assert code_of(s3.put_object, Bucket=bucket, Key="x", Body=b"two", IfMatch='"other"') == refused
    assert body_of(s3, bucket, "x") == b"one"
    s3.put_object(Bucket=bucket, Key="x", Body=b"two", IfMatch=tag)
    assert body_of(s3, bucket, "x") == b"two"
    assert code_of(s3.put_object, Bucket=bucket, Key="absent", Body=b"", IfMatch=tag) == ("NoSuchKey", 404)


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_a_checksum_is_verified_kept_and_told(s3, bucket, algorithm):
    member = f"Checksum{algorithm}"
    put = s3.put_object(Bucket=bucket, Key="x", Body=b"abc", ChecksumAlgorithm=algorithm)
    head = s3.head_object(Bucket=bucket, Key="x", ChecksumMode="ENABLED")
    assert head[member] == put[member]
    wrong = base64.b64encode(bytes(len(base64.b64decode(put[member])))).decode()
    assert code_of(s3.put_object, Bucket=bucket, Key="y", Body=b"abc", **{member: wrong}) == ("BadDigest", 400)
    md5 = base64.b64encode(hashlib.md5(b"abd").digest()).decode()
    assert code_of(s3.put_object, Bucket=bucket, Key="y", Body=b"abc", ContentMD5=md5) == ("BadDigest", 400)
    assert code_of(s3.head_object, Bucket=bucket, Key="y") == ("404", 404)


ODD_KEYS = ["../up", "a//b", "dir/", "..", "/", "ü €/\U0001f30a", "a+b c&d=e?f#g%h", "x\n\ty", "k" * 1024, "'\"<&>"]


def test_odd_keys_are_keys(s3, bucket):
    for key in ODD_KEYS:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    for key in ODD_KEYS:
        assert body_of(s3, bucket, key) == key.encode()
    for listing in (s3.list_objects_v2, s3.list_objects):
        found = [one["Key"] for one in listing(Bucket=bucket)["Contents"]]
        assert found == sorted(ODD_KEYS, key=str.encode)
    too_long = {"Bucket": bucket, "Key": "k" * 1025, "Body": b""}
    assert code_of(s3.put_object, **too_long) == ("KeyTooLongError", 400)


def test_a_copy_keeps_or_replaces_what_was_said(s3, bucket):
    s3.put_object(Bucket=bucket, Key="from a+b&c", Body=b"bytes", Metadata={"n": "1"}, ContentType="text/x")
    source = {"Bucket": bucket, "Key": "from a+b&c"}
    s3.copy_object(Bucket=bucket, Key="kept", CopySource=source)
    s3.copy_object(Bucket=bucket, Key="new", CopySource=source, MetadataDirective="REPLACE", Metadata={"n": "2"})
    s3.delete_object(**source)
    for key, number in (("kept", "1"), ("new", "2")):
        assert body_of(s3, bucket, key) == b"bytes"
        assert s3.head_object(Bucket=bucket, Key=key)["Metadata"] == {"n": number}
    same = {"Bucket": bucket, "Key": "kept"}
    assert code_of(s3.copy_object, CopySource=same, **same) == ("InvalidRequest", 400)
    assert code_of(s3.copy_object, CopySource=source, **same) == ("NoSuchKey", 404)


def test_many_objects_go_in_one_call(s3, bucket):
    keys = [f"a/{number}" for number in range(120)]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    doomed = [{"Key": key} for key in [*keys[:100], "never there"]]
    deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": doomed})
    assert [one["Key"] for one in deleted["Deleted"]] == [one["Key"] for one in doomed]
    left = s3.list_objects_v2(Bucket=bucket)
    assert [one["Key"] for one in left["Contents"]] == sorted(keys[100:])
    assert code_of(s3.delete_bucket, Bucket=bucket) == ("BucketNotEmpty", 409)


# -- listing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["list_objects_v2", "list_objects"])
@pytest.mark.parametrize("page", [1, 2, 3, 7, 1000])
def test_pages_make_up_the_whole_list(s3, filled, operation, page):
    keys, bucket = filled
    for prefix, delimiter in (("", ""), ("", "/"), ("a/", "/"), ("a/b", ""), ("none", "/")):
        rest = [key for key in keys if key.startswith(prefix)]
        folded = {fold(key, prefix, delimiter) for key in rest}
        expected = sorted(folded, key=str.encode)
        pages = s3.get_paginator(operation).paginate(
            Bucket=bucket, Prefix=prefix, Delimiter=delimiter, PaginationConfig={"PageSize": page}
        )
        found = []
        for one in pages:
            of_this = [it["Key"] for it in one.get("Contents", [])] + [
                it["Prefix"] for it in one.get("CommonPrefixes", [])
            ]
            assert len(of_this) <= page
            found += sorted(of_this, key=str.encode)
        assert found == expected, (prefix, delimiter)


@pytest.fixture(scope="module")
def filled(s3):
    keys = ["a", "a/1", "a/2", "a/b/1", "a/b/2", "a/c", "a0", "b//x", "b/x", "c", "ü/1", "ü/2", "z/"]
    bucket = names.fresh("listed").lower()
    s3.create_bucket(Bucket=bucket)
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    return keys, bucket


def fold(key, prefix, delimiter):
    end = key.find(delimiter, len(prefix)) if delimiter else -1
    return key if end < 0 else key[: end + 1]


def test_a_list_may_start_behind_a_key(s3, filled):
    _, bucket = filled
    found = s3.list_objects_v2(Bucket=bucket, StartAfter="b/x")
    assert [one["Key"] for one in found["Contents"]] == ["c", "z/", "ü/1", "ü/2"]


# -- multipart -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def twenty():
    return os.urandom(20 * MIB + 5)


def parts_of(s3, target, data, size, **more):
    sent = []
    for number, start in enumerate(range(0, len(data), size), start=1):
        made = s3.upload_part(**target, PartNumber=number, Body=data[start : start + size], **more)
        sent.append({"PartNumber": number} | {k: v for k, v in made.items() if k == "ETag" or "Checksum" in k})
    return [{k: v for k, v in one.items() if k != "ChecksumType"} for one in sent]


def test_parts_become_one_object(s3, bucket, twenty):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="mp", ChecksumAlgorithm="CRC32", Metadata={"a": "b"})
    target = {"Bucket": bucket, "Key": "mp", "UploadId": upload["UploadId"]}
    parts = parts_of(s3, target, twenty, 8 * MIB, ChecksumAlgorithm="CRC32")
    listed = s3.list_parts(**target, MaxParts=2)
    assert (len(listed["Parts"]), listed["IsTruncated"], listed["NextPartNumberMarker"]) == (2, True, 2)
    assert [one["Key"] for one in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == ["mp"]
    complete = s3.complete_multipart_upload
    assert code_of(complete, **target, MultipartUpload={"Parts": parts[::-1]}) == ("InvalidPartOrder", 400)
    unknown = {"Parts": [{"PartNumber": 9, "ETag": '"x"'}]}
    assert code_of(complete, **target, MultipartUpload=unknown) == ("InvalidPart", 400)
    assert code_of(s3.head_object, Bucket=bucket, Key="mp") == ("404", 404)

    done = complete(**target, MultipartUpload={"Parts": parts})
    digests = [hashlib.md5(twenty[start : start + 8 * MIB]).digest() for start in range(0, len(twenty), 8 * MIB)]
    assert done["ETag"] == f'"{hashlib.md5(b"".join(digests)).hexdigest()}-3"'
    assert body_of(s3, bucket, "mp") == twenty
    assert body_of(s3, bucket, "mp", Range="bytes=8388600-8388620") == twenty[8388600:8388621]
    assert body_of(s3, bucket, "mp", PartNumber=2) == twenty[8 * MIB : 16 * MIB]
    head = s3.head_object(Bucket=bucket, Key="mp", PartNumber=3)
    assert (head["PartsCount"], head["ContentLength"], head["Metadata"]) == (3, 4 * MIB + 5, {"a": "b"})
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_completing_again_answers_the_same(s3, bucket, twenty):
    """A client whose connection broke asks again; it must not hear that the upload never was."""
    target = {"Bucket": bucket, "Key": "mp"}
    target["UploadId"] = s3.create_multipart_upload(**target)["UploadId"]
    parts = {"Parts": parts_of(s3, target, twenty, 10 * MIB)}
    first, again = (s3.complete_multipart_upload(**target, MultipartUpload=parts) for _ in range(2))
    members = ("Bucket", "Key", "ETag", "Location")
    assert [again[member] for member in members] == [first[member] for member in members]
    s3.put_object(Bucket=bucket, Key="mp", Body=b"newer")
    complete = s3.complete_multipart_upload
    assert code_of(complete, **target, MultipartUpload=parts) == ("NoSuchUpload", 404)
    assert body_of(s3, bucket, "mp") == b"newer"


def test_a_checksum_of_the_whole_is_verified(s3, bucket, twenty):
    for declared, wanted in ((zlib.crc32(twenty), None), (1, ("BadDigest", 400))):
        upload = s3.create_multipart_upload(
            Bucket=bucket, Key="full", ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT"
        )
        target = {"Bucket": bucket, "Key": "full", "UploadId": upload["UploadId"]}
        members = {
            "MultipartUpload": {"Parts": parts_of(s3, target, twenty, 8 * MIB, ChecksumAlgorithm="CRC32")},
            "ChecksumType": "FULL_OBJECT",
            "ChecksumCRC32": base64.b64encode(declared.to_bytes(4, "big")).decode(),
        }
        if wanted:
            assert code_of(s3.complete_multipart_upload, **target, **members) == wanted
        else:
            assert s3.complete_multipart_upload(**target, **members)["ChecksumType"] == "FULL_OBJECT"
    assert body_of(s3, bucket, "full") == twenty


def test_small_parts_are_refused_and_an_upload_may_be_given_up(s3, bucket):
    target = {"Bucket": bucket, "Key": "small"}
    target["UploadId"] = s3.create_multipart_upload(**target)["UploadId"]
    parts = {"Parts": parts_of(s3, target, b"xy", 1)}
    assert code_of(s3.complete_multipart_upload, **target, MultipartUpload=parts) == ("EntityTooSmall", 400)
    s3.abort_multipart_upload(**target)
    assert code_of(s3.list_parts, **target) == ("NoSuchUpload", 404)
    assert code_of(s3.upload_part, **target, PartNumber=1, Body=b"") == ("NoSuchUpload", 404)


# -- signatures ------------------------------------------------------------------------------------------------------


def fetch(url, data=None):
    """Status and body of a request without any header of ours, as a browser would send it."""
    request = urllib.request.Request(url, data=data, method="PUT" if data else "GET", headers={"Content-Type": ""})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read()


def expired(sign, monkeypatch):
    """A URL that was good until a minute ago."""
    now, then = time.time(), datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=120)
    with monkeypatch.context() as past:
        past.setattr("botocore.auth.time.time", lambda: now - 120)
        past.setattr("botocore.auth.get_current_datetime", lambda: then.replace(tzinfo=None))
        return sign("get_object", seconds=60)


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_presigned_url_opens_one_object_for_one_method(server, s3, bucket, version, monkeypatch):
    client = server.client("s3", signature_version=version)

    def sign(method, key="an object", seconds=60):
        return client.generate_presigned_url(method, {"Bucket": bucket, "Key": key}, ExpiresIn=seconds)

    assert fetch(sign("put_object"), b"presigned") == (200, b"")
    url = sign("get_object")
    assert fetch(url) == (200, b"presigned")
    for bad in (
        url.replace("an%20object", "another"),
        re.sub("Signature=.", lambda found: found[0][:-1] + ("1" if found[0][-1] == "0" else "0"), url),
        url.replace("Expires=", "Expires=9"),
        sign("put_object"),
        expired(sign, monkeypatch),
    ):
        status, body = fetch(bad)
        assert (status, b"<Error>" in body) == (403, True), bad
    assert fetch(url, b"overwritten")[0] == 403
    assert body_of(s3, bucket, "an object") == b"presigned"


@pytest.mark.parametrize("payload_signing_enabled", [True, False])
def test_bodies_may_be_signed_or_carry_a_checksum_behind(server, bucket, payload_signing_enabled):
    client = server.client("s3", s3={"payload_signing_enabled": payload_signing_enabled})
    client.put_object(Bucket=bucket, Key="x", Body=b"z" * 100_000)
    assert body_of(client, bucket, "x") == b"z" * 100_000


def test_nobody_without_a_good_key_gets_in(server, s3, bucket):
    s3.put_object(Bucket=bucket, Key="x", Body=b"mine")
    path = f"/{bucket}/x"
    for method in ("GET", "HEAD", "PUT", "DELETE", "POST"):
        assert signed.send(server, method, path, b"evil" if method == "PUT" else b"").status == 403, method
    table = [
        (server.client("s3", secret="wrong" * 8), "SignatureDoesNotMatch", 403),
        (server.client("s3", key="AKIAAAAAAAAAAAAAAAAA"), "InvalidAccessKeyId", 403),
        (server.client("s3", region="eu-west-1"), "AuthorizationHeaderMalformed", 400),
    ]
    for client, code, status in table:
        assert code_of(client.get_object, Bucket=bucket, Key="x") == (code, status)
        assert code_of(client.put_object, Bucket=bucket, Key="x", Body=b"evil")[1] == status
        assert code_of(client.delete_object, Bucket=bucket, Key="x")[1] == status
    assert body_of(s3, bucket, "x") == b"mine"


def test_a_body_that_is_not_the_signed_one_is_not_stored(server, s3, bucket):
    path = f"/{bucket}/x"
    headers = signed.headers_for(server, "PUT", path, b"good", service="s3", signer=S3SigV4Auth)
    for body in (b"evil", b"goo", b""):
        more = {"Content-Length": str(len(body))}
        answer = signed.send(server, "PUT", path, body, headers | more)
        assert 400 <= answer.status < 500, answer
    answer = signed.send(server, "PUT", path, b"good", headers | {"x-amz-meta-added": "later"})
    assert answer.status == 403, answer
    assert code_of(s3.head_object, Bucket=bucket, Key="x") == ("404", 404)


# -- what there is not -----------------------------------------------------------------------------------------------


def test_what_cannot_be_done_has_s3s_code(s3, server, bucket):
    assert code_of(s3.create_bucket, Bucket="xn--a") == ("InvalidBucketName", 400)
    s3.create_bucket(Bucket=bucket)
    assert code_of(s3.put_object, Bucket="nobody", Key="x", Body=b"") == ("NoSuchBucket", 404)
    public = {"Bucket": bucket, "Key": "x", "Body": b"", "ACL": "public-read"}
    assert code_of(s3.put_object, **public) == ("AccessControlListNotSupported", 400)
    versions = {"Bucket": bucket, "VersioningConfiguration": {"Status": "Enabled"}}
    assert code_of(s3.put_bucket_versioning, **versions) == ("NotImplemented", 501)
    # That is S3's own status for what it lacks, not the server's fault.
    assert len(server.unexpected) == 1
    server.unexpected.clear()
