"""Writes botocore.json: requests as botocore signs them, the oracle of the signature checks.

Run it with any Python that has botocore: python3 generate.py. Nothing is sent; clients are stopped just before.
"""

import datetime
import json
import pathlib
import uuid
from urllib.parse import urlsplit

import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials
import botocore.session

NOW = datetime.datetime(2026, 11, 23, 9, 45, 44, tzinfo=datetime.timezone.utc)
KEY, SECRET = "AKIAVECTORVECTORVECT", "vectors/are+not+secret/vectors+are+not0"
SESSION_KEY, SESSION_TOKEN = "ASIAVECTORVECTORVECT", "IQoJ/vector+token=="
ENDPOINT = "http://127.0.0.1:4280"

vectors = []


def freeze():
    """Takes the clock and the random ids out, so that the same botocore writes the same file."""
    botocore.auth.get_current_datetime = lambda *args, **kwargs: NOW.replace(tzinfo=None)
    uuid.uuid4 = lambda: uuid.UUID(int=0)


def record(name, prepared, region, service, session=False):
    url = urlsplit(prepared.url)
    body = prepared.body or b""
    if hasattr(body, "read"):
        body.seek(0)
        body = body.read()
    if isinstance(body, str):
        body = body.encode()
    headers = []
    for key, value in prepared.headers.items():
        if key.lower() == "user-agent":
            value = "botocore"  # never signed, and it describes the machine
        headers.append([key.lower(), value.decode() if isinstance(value, bytes) else str(value)])
    if not any(key == "host" for key, _ in headers):
        headers.append(["host", url.netloc])
    vectors.append(
        {
            "name": name,
            "method": prepared.method,
            "uri": (url.path or "/") + ("?" + url.query if url.query else ""),
            "headers": headers,
            "body": body.decode(),
            "region": region,
            "service": service,
            "access_key_id": SESSION_KEY if session else KEY,
            "session_token": SESSION_TOKEN if session else None,
        }
    )


def client(service, region, session, presign=False):
    made = botocore.session.Session()
    # Without files: the vectors must not depend on the machine.
    made.set_config_variable("config_file", "/nonexistent")
    made.set_config_variable("credentials_file", "/nonexistent")
    made.set_credentials(SESSION_KEY if session else KEY, SECRET, SESSION_TOKEN if session else None)
    return made.create_client(
        service,
        region_name=region,
        endpoint_url=ENDPOINT,
        config=botocore.config.Config(
            s3={"addressing_style": "path"},
            # Left alone, botocore still presigns for S3 with version 2.
            signature_version=("s3v4" if service == "s3" else "v4") if presign else None,
        ),
    )


class Stop(Exception):
    pass


def call(name, service, operation, arguments, region="us-east-1", session=False):
    made = client(service, region, session)
    caught = []

    def stop(request, **kwargs):
        caught.append(request)
        raise Stop

    made.meta.events.register("before-send.*", stop)
    try:
        getattr(made, operation)(**arguments)
    except Stop:
        pass
    record(name, caught[0], region, made.meta.service_model.signing_name, session)


def presign(name, service, operation, arguments, method="GET", session=False, extra_headers=()):
    made = client(service, "us-east-1", session, presign=True)
    url = made.generate_presigned_url(operation, Params=arguments, ExpiresIn=900, HttpMethod=method)
    prepared = botocore.awsrequest.AWSRequest(method=method, url=url).prepare()
    for key, value in extra_headers:
        prepared.headers[key] = value
    record(name, prepared, "us-east-1", made.meta.service_model.signing_name, session)


def raw(name, method, path, headers=(), data=b"", service="sagemaker", region="us-east-1", signer=botocore.auth.SigV4Auth):
    request = botocore.awsrequest.AWSRequest(method=method, url=ENDPOINT + path, data=data)
    for key, value in headers:
        request.headers[key] = value
    signer(botocore.credentials.Credentials(KEY, SECRET), service, region).add_auth(request)
    # prepare() would quote the URL once more and merge repeated headers; what was signed is what to record.
    prepared = request.prepare()
    prepared.url, prepared.headers = request.url, request.headers
    record(name, prepared, region, service)


def main():
    freeze()
    call("create model", "sagemaker", "create_model", {"ModelName": "m", "PrimaryContainer": {"Image": "tidegate/echo"}})
    call("describe endpoint", "sagemaker", "describe_endpoint", {"EndpointName": "e"}, region="eu-central-1")
    call("list endpoints with a session", "sagemaker", "list_endpoints", {}, session=True)
    call(
        "invoke endpoint",
        "sagemaker-runtime",
        "invoke_endpoint",
        {
            "EndpointName": "forecast",
            "Body": b'{"instances": [[1, 2, 3]]}',
            "ContentType": "application/json",
            "Accept": "application/json;  verbose=true",
            "CustomAttributes": "trace=1,  b",
            "TargetVariant": "AllTraffic",
        },
    )
    call("invoke endpoint, odd name", "sagemaker-runtime", "invoke_endpoint", {"EndpointName": "a b~c", "Body": "caf\u00e9".encode()})
    call("caller identity", "sts", "get_caller_identity", {})
    call("caller identity with a session", "sts", "get_caller_identity", {}, session=True)
    call("describe targets", "application-autoscaling", "describe_scalable_targets", {"ServiceNamespace": "sagemaker"})
    call("put an object", "s3", "put_object", {"Bucket": "models", "Key": "a//b/../c d~e+(f)!'*.tar", "Body": b"model", "Metadata": {"note": "x  y"}})
    call("get an object", "s3", "get_object", {"Bucket": "models", "Key": "caf\u00e9/model.tar.gz", "Range": "bytes=0-3"}, session=True)
    call("list objects", "s3", "list_objects_v2", {"Bucket": "models", "Prefix": "a b/c+d&e=f", "Delimiter": "/", "StartAfter": "~"})
    presign("presigned download", "s3", "get_object", {"Bucket": "models", "Key": "a b/model.tar.gz", "ResponseContentType": "text/plain; x"})
    presign("presigned download with a session", "s3", "get_object", {"Bucket": "models", "Key": "m"}, session=True)
    presign("presigned upload", "s3", "put_object", {"Bucket": "models", "Key": "m", "ContentType": "text/plain"}, "PUT", extra_headers=[("content-type", "text/plain")])
    presign("presigned identity", "sts", "get_caller_identity", {})
    presign("presigned identity with a session", "sts", "get_caller_identity", {}, session=True)
    raw("dot segments and slashes", "GET", "/a/./b/../c//d/")
    raw("only dot segments", "GET", "/../.")
    raw("encoded path", "GET", "/a%20b/%C3%A9/!$&'()*+,;=:@~_-.")
    raw("query out of order", "GET", "/?b=2&a=1&a=0&A=%20&c=%7B%7D&d=")
    raw("white space in headers", "POST", "/", [("X-Amz-Target", "  a   b\t c  "), ("My-Header", "x  y")], b"{}")
    raw("header twice", "POST", "/", [("My-Header", "b"), ("My-Header", "a  c")], b"{}")
    raw("a Date header", "POST", "/", [("Date", "Mon, 01 Jan 2001 00:00:00 GMT")], b"{}")
    raw("presigned by hand", "GET", "/x?z=1&y=a%20b", signer=botocore.auth.SigV4QueryAuth)
    content = {
        "botocore": botocore.__version__,
        "secret": SECRET,
        "now": int(NOW.timestamp()),
        "vectors": vectors,
    }
    target = pathlib.Path(__file__).with_name("botocore.json")
    target.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
