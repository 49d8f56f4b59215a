"""What no client library would send: each gets AWS's code and shape, and changes nothing."""

import contextlib
import http.client
import json
import socket

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from harness import names, signed
from harness.hosting import ECHO, error_of, eventually, variant

INVALID, UNKNOWN_KEY = "InvalidSignatureException", "UnrecognizedClientException"


def describe(name):
    return json.dumps({"EndpointName": name}).encode()


@pytest.fixture(autouse=True)
def nothing_changes(hosting, echo):
    """Whatever a test sends, what is there stays, and goes on serving."""

    def state():
        listed = hosting.sagemaker.list_models(MaxResults=100)["Models"]
        return [one["ModelName"] for one in listed], hosting.describe(echo)["ProductionVariants"]

    before = state()
    yield
    assert state() == before
    assert hosting.invoke(echo) == b"tide"


# -- which operation -----------------------------------------------------------------------------------------------


def test_an_operation_that_aws_has_and_tidegate_lacks_is_named(sagemaker):
    code, text, status = error_of(sagemaker.list_training_jobs)
    assert (code, status) == ("UnknownOperationException", 400)
    assert "ListTrainingJobs" in text
    assert "Tidegate" in text


@pytest.mark.parametrize("target", ["NoSuchOperation", "", "CreateModel.", "createmodel"])
def test_an_operation_that_nobody_has(server, target):
    answer = signed.control(server, target, b"{}")
    assert (answer.status, answer.code) == (400, "UnknownOperationException"), answer


def test_no_target_at_all(server):
    answer = signed.send(server, "POST", "/", b"{}", signed.headers_for(server, "POST", "/", b"{}"))
    assert (answer.status, answer.code) == (400, "UnknownOperationException"), answer


def test_a_service_that_tidegate_lacks_is_a_clear_error(server):
    code, text, status = error_of(server.client("ec2").describe_instances)
    assert 400 <= status < 500
    assert "ec2" in text.lower() or "DescribeInstances" in text
    assert code


# -- what it says --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nul",
        b"[]",
        b'"CreateModel"',
        b"{}{}",
        b'{"ModelName": "a",}',
        b"\xff\xfe{}",
        b'{"ModelName": 7}',
        b'{"ModelName": ["a"]}',
        b'{"ModelName": "a", "PrimaryContainer": "b"}',
        b'{"ModelName": "a", "Containers": {"Image": "b"}}',
        b'{"ModelName": "a", "EnableNetworkIsolation": "yes"}',
        b'{"ModelName": "a", "PrimaryContainer": {"Environment": {"A": 1}}}',
        b"[" * 100_000,
        b'{"ModelName":' * 10_000,
    ],
    ids=range(16),
)
def test_json_of_the_wrong_form_is_refused(server, body):
    answer = signed.control(server, "CreateModel", body)
    assert answer.status == 400, answer
    # An empty body is an empty request to AWS, and lacks its members.
    assert answer.code == "SerializationException" or (body == b"" and answer.code == "ValidationException"), answer


def checked(call, *rules, **members):
    code, text, status = error_of(call, **members)
    assert (code, status) == ("ValidationException", 400)
    for rule in rules:
        assert rule in text
    return text


def test_a_missing_member_is_named(server):
    for body, member in [(b"{}", "modelName"), (b'{"ModelName": null}', "modelName")]:
        answer = signed.control(server, "CreateModel", body)
        assert (answer.status, answer.code) == (400, "ValidationException"), answer
        assert f"Value null at '{member}' failed to satisfy constraint: Member must not be null" in answer.message


@pytest.mark.parametrize(
    "name", ["under_score", "-begins", "ends-", "dots.dots", "spa ce", "ünïcode", "a/b", "a\nb", ""]
)
def test_a_name_that_breaks_the_pattern_is_refused_in_awss_words(sagemaker, name):
    text = checked(
        sagemaker.create_model,
        ModelName=name,
        PrimaryContainer={"Image": ECHO},
        ExecutionRoleArn="arn:aws:iam::000000000000:role/host",
    )
    assert text.startswith(f"1 validation error detected: Value '{name}' at 'modelName' failed to satisfy constraint: ")
    assert "Member must satisfy regular expression pattern: ^[a-zA-Z0-9]" in text


def create_config(server, name, variants):
    """Past boto3, which would keep a part of this to itself."""
    body = json.dumps({"EndpointConfigName": name, "ProductionVariants": variants}).encode()
    answer = signed.control(server, "CreateEndpointConfig", body)
    assert (answer.status, answer.code) == (400, "ValidationException"), answer
    return answer.message


def test_several_faults_are_told_together(server):
    text = create_config(server, "-x", [variant("m", count=0, InstanceType="ml.t3.medium", weight=-1)])
    assert text.startswith("4 validation errors detected: ")
    for rule in [
        "Value '-x' at 'endpointConfigName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: ",
        "at 'productionVariants.1.member.initialInstanceCount' failed to satisfy constraint: "
        "Member must have value greater than or equal to 1",
        "Value 'ml.t3.medium' at 'productionVariants.1.member.instanceType' failed to satisfy constraint: "
        "Member must satisfy enum value set: [",
        "at 'productionVariants.1.member.initialVariantWeight' failed to satisfy constraint: "
        "Member must have value greater than or equal to 0",
    ]:
        assert rule in text


@pytest.mark.parametrize(("count", "rule"), [(0, "greater than or equal to 1"), (11, "less than or equal to 10")])
def test_a_list_may_be_neither_empty_nor_too_long(server, count, rule):
    text = create_config(server, "x", [variant("m", name=f"v{n}") for n in range(count)])
    assert f"at 'productionVariants' failed to satisfy constraint: Member must have length {rule}" in text


def test_an_unknown_member_is_ignored(server):
    body = json.dumps({"MaxResults": 1, "NewInNextYear": {"a": [1]}}).encode()
    answer = signed.control(server, "ListModels", body)
    assert answer.status == 200, answer


def test_a_body_without_end_is_refused(server):
    answer = signed.control(server, "CreateModel", b'{"ModelName":"' + b"a" * (16 * 1024 * 1024) + b'"}')
    assert 400 <= answer.status < 500, answer


# -- who says it ---------------------------------------------------------------------------------------------------


def test_another_secret_is_refused(server, echo):
    code, text, status = error_of(server.client("sagemaker", secret="x" * 40).describe_endpoint, EndpointName=echo)
    assert (code, status) == (INVALID, 400)
    assert text.startswith("The request signature we calculated does not match the signature you provided.")
    code, _, status = error_of(
        server.client("sagemaker-runtime", secret="x" * 40).invoke_endpoint, EndpointName=echo, Body=b"x"
    )
    assert (code, status // 100) == (INVALID, 4)


def test_another_key_is_refused(server, echo):
    client = server.client("sagemaker", key="AKIAAAAAAAAAAAAAAAAA")
    code, text, status = error_of(client.describe_endpoint, EndpointName=echo)
    assert (code, status) == (UNKNOWN_KEY, 400)
    assert text == "The security token included in the request is invalid."


def test_another_region_is_refused(server, echo):
    client = server.client("sagemaker", region="eu-west-1")
    code, text, status = error_of(client.describe_endpoint, EndpointName=echo)
    assert (code, status) == (INVALID, 400)
    assert "Credential should be scoped to a valid region" in text


def test_an_unsigned_request_is_refused(server, echo):
    for service, call in [
        ("sagemaker", lambda c: c.list_endpoints()),
        ("sagemaker-runtime", lambda c: c.invoke_endpoint(EndpointName=echo, Body=b"x")),
        ("s3", lambda c: c.list_buckets()),
        ("s3", lambda c: c.get_object(Bucket="models", Key="x")),
        ("sts", lambda c: c.get_caller_identity()),
    ]:
        unsigned = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1})
        client = boto3.client(service, endpoint_url=server.url, region_name="us-east-1", config=unsigned)
        code, _, status = error_of(call, client)
        assert 400 <= status < 500, service
        assert code in {"MissingAuthenticationTokenException", "MissingAuthenticationToken", "AccessDenied"}, service


@pytest.mark.parametrize(
    "path", ["/", "/endpoints/{echo}/invocations", "/endpoints/{echo}/invocations/", "/models/x", "/tidegate/v1/x"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_nothing_unsigned_is_served(server, echo, path, method):
    """Promise T5, but for the pages that say whether the server lives and what time it is."""
    answer = signed.send(server, method, path.format(echo=echo), b"" if method == "GET" else b"x")
    assert 400 <= answer.status < 500, answer


def test_the_pages_that_need_no_signature(server):
    for path in ("/healthz", "/readyz", "/tidegate/clock"):
        assert signed.send(server, "GET", path).status == 200, path
    clock = json.loads(signed.send(server, "GET", "/tidegate/clock").body)
    assert clock["time_scale"] == 1


def tampered(server, method, path, body, other, **more):
    headers = signed.headers_for(server, method, path, body, more.pop("headers", None), **more)
    return signed.send(server, method, path, other, headers | {"Content-Length": str(len(other))})


def test_a_tampered_body_changes_nothing(server, echo):
    target = {"X-Amz-Target": "SageMaker.DeleteEndpoint", "Content-Type": "application/x-amz-json-1.1"}
    for declared in ({}, {"X-Amz-Content-SHA256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}):
        answer = tampered(server, "POST", "/", describe("gone"), describe(echo), headers=target | declared)
        assert (answer.status, answer.code) == (400, INVALID), answer


def test_a_tampered_body_never_reaches_a_model(hosting, server, echo):
    path = f"/endpoints/{echo}/invocations"
    answer = tampered(server, "POST", path, b"good", b"evil", headers={"Content-Type": "text/plain"})
    assert 400 <= answer.status < 500, answer
    assert answer.code == INVALID
    assert b"evil" not in answer.body


def test_a_signature_for_another_endpoint_is_refused(server, echo):
    headers = signed.headers_for(server, "POST", "/endpoints/other/invocations", b"x")
    answer = signed.send(server, "POST", f"/endpoints/{echo}/invocations", b"x", headers)
    assert answer.code == INVALID, answer


def test_a_signature_for_another_service_does_not_open_this_one(server, echo):
    for service in ("s3", "sts", "execute-api"):
        answer = signed.control(server, "ListEndpoints", b"{}", service=service)
        assert 400 <= answer.status < 500, (service, answer)
        assert echo.encode() not in answer.body


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer token",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=a/b/c/sagemaker/aws4_request, SignedHeaders=host",
        "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/sagemaker/aws4_request, SignedHeaders=, Signature=",
        "AWS5-HMAC-SHA3 Credential=AKID/20260101/us-east-1/sagemaker/aws4_request, SignedHeaders=host, Signature=00",
        "=" * 5000,
    ],
    ids=range(8),
)
@pytest.mark.parametrize("path", ["/", "/endpoints/x/invocations"])
def test_a_broken_authorization_is_an_error_of_aws(server, authorization, path):
    headers = {"Authorization": authorization, "X-Amz-Target": "SageMaker.ListModels", "X-Amz-Date": "20260101T000000Z"}
    answer = signed.send(server, "POST", path, b"{}", headers)
    assert 400 <= answer.status < 500, answer
    assert answer.body


def test_an_old_signature_is_refused(server):
    headers = {"X-Amz-Target": "SageMaker.ListModels", "Content-Type": "application/x-amz-json-1.1"}
    made = signed.headers_for(server, "POST", "/", b"{}", headers)
    date = made["X-Amz-Date"]
    old = date.replace(date[:4], str(int(date[:4]) - 1), 1)
    moved = {
        name: value.replace(date[:8], old[:8]) if isinstance(value, str) else value for name, value in made.items()
    }
    answer = signed.send(server, "POST", "/", b"{}", moved)
    assert (answer.status, answer.code) == (400, INVALID), answer
    assert "Signature expired" in answer.message


# -- how it comes --------------------------------------------------------------------------------------------------


def raw(server, data, answer_at_most=65536):
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(data)
        # The server may have closed already: then there is nothing left to end.
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
        answered = b""
        while len(answered) < answer_at_most:
            more = connection.recv(65536)
            if not more:
                break
            answered += more
        return answered


@pytest.mark.parametrize(
    "data",
    [
        b"\0" * 64,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 200,
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(2000)) + b"\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 100,
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nshort",
    ],
    ids=range(11),
)
def test_bytes_that_are_no_request_are_an_error_and_nothing_more(server, data):
    try:
        answered = raw(server, data)
    except ConnectionError:
        answered = b""
    if answered.startswith(b"HTTP/1."):
        assert 400 <= int(answered.split()[1]) < 500, answered[:500]


def test_a_client_that_leaves_in_the_middle_is_forgotten(hosting, server, echo):
    path = f"/endpoints/{echo}/invocations"
    headers = signed.headers_for(server, "POST", path, b"x" * 1000)
    for _ in range(20):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        connection.putrequest("POST", path, skip_host=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", "1000")
        connection.endheaders(b"x" * 100)
        connection.close()
    eventually(lambda: hosting.invoke(echo) == b"tide", 10)


def test_an_arn_of_another_account_is_refused(sagemaker):
    arn = names.arn("model", "theirs").replace("000000000000", "123456789012")
    for call in (
        lambda: sagemaker.list_tags(ResourceArn=arn),
        lambda: sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "k", "Value": "v"}]),
    ):
        code, text, status = error_of(call)
        assert status == 400
        assert code in {"ValidationException", "AccessDeniedException"}
        assert text
