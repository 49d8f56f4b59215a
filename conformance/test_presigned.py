"""Presigned URLs of services that are not S3: the signature is in the query, and all that it covers is checked."""

import urllib.error
import urllib.request
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from harness import signed


def fetched(url):
    with urllib.request.urlopen(url, timeout=20) as answer:
        return answer.status, answer.read().decode()


def refused(url):
    with pytest.raises(urllib.error.HTTPError) as error, urllib.request.urlopen(url, timeout=20):
        pass
    with error.value as answer:
        return answer.code, answer.read().decode()


def changed(url, **members):
    query = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True)) | members
    return url.split("?")[0] + "?" + urlencode(query)


@pytest.fixture(scope="module")
def url(server):
    return server.client("sts").generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")


def test_a_presigned_call_is_answered(url):
    status, body = fetched(url)
    assert status == 200
    assert "<Arn>arn:aws:iam::000000000000:root</Arn>" in body


@pytest.mark.parametrize(
    ("members", "status", "code"),
    [
        ({"Version": "2011-06-16"}, 403, "SignatureDoesNotMatch"),
        ({"X-Amz-Expires": "3600"}, 403, "SignatureDoesNotMatch"),
        ({"X-Amz-Signature": "0" * 64}, 403, "SignatureDoesNotMatch"),
        ({"X-Amz-Date": "20200101T000000Z"}, 400, "RequestExpired"),
        ({"X-Amz-Algorithm": "AWS4-NONE"}, 400, "IncompleteSignature"),
    ],
)
def test_a_changed_url_is_refused(url, members, status, code):
    answered, body = refused(changed(url, **members))
    assert (answered, code in body) == (status, True), body


def test_two_signatures_are_one_too_many(server, url):
    path = url.removeprefix(server.url)
    answer = signed.send(server, "GET", path, headers=signed.headers_for(server, "GET", path, service="sts"))
    assert 400 <= answer.status < 500, answer
    assert b"Found both" in answer.body
