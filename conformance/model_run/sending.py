"""Signs requests and sends them over a few connections that stay open."""

import concurrent.futures
import contextlib
import dataclasses
import http.client
import queue

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from harness.server import REGION

# The client's own work is most of the time, and Python does one thing at a time.
CONNECTIONS = 4
# An answer takes milliseconds; one that takes this long is a fault, and is told as one.
ANSWERED_WITHIN_SECONDS = 30


@dataclasses.dataclass(frozen=True)
class Answer:
    status: int
    headers: dict
    body: bytes


class Sender:
    def __init__(self, server):
        self._url = server.url
        self._port = server.port
        self._credentials = Credentials(*server.key())
        # Each connection waits here until a thread takes it; None stands for one that is not open.
        self._idle = queue.SimpleQueue()
        for _ in range(CONNECTIONS):
            self._idle.put(None)

    def send_all(self, cases):
        """Pairs of a case and its answer, or the fault that there was none, in the order of the cases."""
        with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
            return list(zip(cases, pool.map(self.send, cases), strict=True))

    def close(self):
        for _ in range(CONNECTIONS):
            connection = self._idle.get()
            if connection:
                connection.close()

    def send(self, case):
        """The answer, or the fault that there was none."""
        request = AWSRequest(
            case.request.method, self._url + case.request.path, case.request.headers, case.request.body
        )
        SigV4Auth(self._credentials, case.model.signing_name, REGION).add_auth(request)
        headers = {name: value.encode() for name, value in request.headers.items()}
        reused = self._idle.get()
        if reused:
            # A server may close an idle connection at any moment; it may not close a new one without an answer.
            with contextlib.suppress(OSError, http.client.HTTPException):
                return self._exchange(reused, case.request, headers)
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ANSWERED_WITHIN_SECONDS)
        try:
            return self._exchange(connection, case.request, headers)
        except (OSError, http.client.HTTPException) as fault:
            self._idle.put(None)
            return fault

    def _exchange(self, connection, request, headers):
        """Sends, reads the answer and leaves the connection to the next; a broken one is closed, and the caller's."""
        try:
            connection.request(request.method, request.path, request.body, headers)
            response = connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            answer = Answer(response.status, named, response.read())
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        self._idle.put(None if response.will_close else connection)
        return answer
