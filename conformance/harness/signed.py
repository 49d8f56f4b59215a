"""Raw requests over a plain connection, signed or mis-signed at will: what no client library would send."""

import contextlib
import http.client
import json

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from .server import REGION


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def code(self):
        """The error code, from where either protocol keeps it."""
        return self.headers.get("x-amzn-errortype") or json.loads(self.body)["__type"].split("#")[-1]

    @property
    def message(self):
        body = json.loads(self.body)
        return body.get("message") or body.get("Message")

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body[:2000]!r}"


def headers_for(server, method, path, body=b"", headers=None, service="sagemaker", signer=SigV4Auth, credentials=None):
    """The headers of a request that botocore's signer has signed, for the root user unless it is for somebody else."""
    request = AWSRequest(method, server.url + path, headers or {}, body)
    signer(Credentials(*(credentials or server.key())), service, REGION).add_auth(request)
    return {"Host": server.url.removeprefix("http://")} | dict(request.headers.items())


def send(server, method, path, body=b"", headers=None):
    """Sends exactly this and gives back what is answered."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        # A server may answer before it has read everything; the answer is there all the same.
        with contextlib.suppress(BrokenPipeError):
            connection.request(method, path, body, headers or {})
        return Answer(connection.getresponse())
    finally:
        connection.close()


def control(server, target, body, **signing):
    """A control-plane call with any bytes for a body, properly signed."""
    headers = {"X-Amz-Target": f"SageMaker.{target}", "Content-Type": "application/x-amz-json-1.1"}
    return send(server, "POST", "/", body, headers_for(server, "POST", "/", body, headers, **signing))


def own(server, method, path, members=None, credentials=None):
    """A call of Tidegate's own API, below `/tidegate/v1`: its answer, and what that says."""
    path = "/tidegate/v1" + path
    body = b"" if members is None else json.dumps(members).encode()
    headers = {"Content-Type": "application/json"} if body else {}
    signing = {"service": "tidegate", "credentials": credentials}
    answer = send(server, method, path, body, headers_for(server, method, path, body, headers, **signing))
    return answer, json.loads(answer.body or b"{}")
