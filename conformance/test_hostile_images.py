"""Images that break the container contract: whoever calls gets a clear answer, and nothing is left running."""

import contextlib
import http.client
import pathlib
import sys
import threading
import time
import uuid

import pytest
from botocore.exceptions import ClientError, EventStreamError, WaiterError

from harness import names, processes, signed
from harness.hosting import QUICK, Hosting, eventually, variant
from harness.server import Server

SCRIPT = pathlib.Path(__file__).parent / "images" / "hostile_server.py"

# How long a model server has between SIGTERM and SIGKILL (docs/model-servers.md), and what a busy machine adds.
GRACE_SECONDS = 30
BUSY_SECONDS = 15
# Two files of 8 MiB for each stream, and what is on its way.
LOG_BYTES_MAX = 20 << 20


@pytest.fixture(scope="module")
def server_config():
    return f'[limits]\ninstances = 40\n[[image]]\nmatch = "hostile:*"\ncommand = ["{sys.executable}", "{SCRIPT}"]\n'


def begin(hosting, how="", count=1, **environment):
    """An endpoint of this image, still `Creating`."""
    model = hosting.model(image="hostile:1", HOSTILE=how, **environment)
    return hosting.begin(hosting.config(variant(model, count=count)), name=names.fresh(how or "hostile"))


class Stubborn:
    """Model servers that must be waited for: begun before all other tests, looked at after them."""

    def __init__(self, hosting):
        self.kept = begin(hosting, "ignores-sigterm")
        self.ill = begin(hosting, "garbage-after-a-while")
        for name in (self.kept, self.ill):
            hosting.in_service(name)
        # From its first request on, it answers pings with nonsense.
        self.ill_pid = ask(hosting, self.ill, "pid")
        self.went_after = None
        self._deletion = threading.Thread(target=self._delete, args=(hosting,), daemon=True)
        self._deletion.start()

    def _delete(self, hosting):
        begun = time.monotonic()
        hosting.delete(self.kept)
        self.went_after = time.monotonic() - begun

    def took_seconds(self):
        """From the deletion of the one that hears no SIGTERM to its end."""
        self._deletion.join(GRACE_SECONDS + BUSY_SECONDS)
        assert self.went_after is not None, "it is still there"
        return self.went_after


@pytest.fixture(scope="module", autouse=True)
def stubborn(hosting):
    return Stubborn(hosting)


@pytest.fixture(scope="module")
def hostile(hosting, stubborn):
    """An endpoint that answers each request as its custom attributes say."""
    name = begin(hosting)
    hosting.in_service(name)
    return name


def ask(hosting, endpoint, what, body=b"tide"):
    return hosting.invoke(endpoint, body, CustomAttributes=what)


def model_error(hosting, endpoint, what, body=b"tide"):
    """The `ModelError` that a request ends with; checks that the endpoint goes on."""
    with pytest.raises(ClientError) as refused:
        ask(hosting, endpoint, what, body)
    response = refused.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == ("ModelError", 424), response
    assert response["OriginalMessage"] or response["OriginalStatusCode"] < 400, response
    assert hosting.invoke(endpoint) == b"tide"
    return response


# -- garbage -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "what",
    [
        "nothing",
        "no-http",
        "another-protocol",
        "half-a-head",
        "no-status",
        "status-99",
        "status-1000",
        "shorter-than-said",
        "negative-length",
        "two-lengths",
        "huge-length",
        "bad-chunk",
        "half-a-chunk",
        "huge-chunk",
        "long-head",
        "many-headers",
        "header-of-nul",
        "too-long",
        "stream",
        "continue-for-ever",
    ],
)
def test_an_answer_that_is_none_is_the_models_error(hosting, hostile, what):
    response = model_error(hosting, hostile, what)
    # What AWS says when there was no status.
    assert response["OriginalStatusCode"] == 0, response
    eventually(lambda: others(hosting, hostile) == 0, 10)


@pytest.mark.parametrize(
    ("what", "status", "begins"),
    [
        ("switching", 101, ""),
        ("redirect", 302, ""),
        ("not-modified", 304, ""),
        ("error-of-no-text", 500, ""),
        ("error-without-end", 503, "eeee"),
        ("answer-unread", 413, "too much"),
    ],
)
def test_an_odd_status_is_told_as_it_is(hosting, hostile, what, status, begins):
    response = model_error(hosting, hostile, what, b"x" * (1 << 20))
    assert response["OriginalStatusCode"] == status
    assert response["OriginalMessage"].startswith(begins)


def test_what_comes_behind_an_answer_is_nobody_elses(hosting, hostile):
    for number in range(20):
        body = b"mine %d" % number
        assert ask(hosting, hostile, "more-than-asked", body) == body


# -- answers without end -------------------------------------------------------------------------------------------


@contextlib.contextmanager
def begun(server, endpoint, what):
    """A request that is sent, and whose client leaves at the end without having read an answer."""
    path = f"/endpoints/{endpoint}/invocations"
    headers = {"Content-Type": "text/plain", "X-Amzn-SageMaker-Custom-Attributes": what}
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.request("POST", path, b"tide", signed.headers_for(server, "POST", path, b"tide", headers))
        yield connection
    finally:
        connection.close()


def others(hosting, endpoint):
    """How many other requests the model server is answering."""
    return int(ask(hosting, endpoint, "others"))


@pytest.mark.parametrize("what", ["hang", "stream-slowly", "continue-slowly"])
def test_a_client_that_does_not_wait_frees_its_model_server(hosting, server, hostile, what):
    with begun(server, hostile, what):
        eventually(lambda: others(hosting, hostile) == 1, 10)
        for _ in range(20):
            assert hosting.invoke(hostile) == b"tide"
    eventually(lambda: others(hosting, hostile) == 0, 10)


def streamed(hosting, endpoint, what):
    answer = hosting.runtime.invoke_endpoint_with_response_stream(
        EndpointName=endpoint, Body=b"tide", CustomAttributes=what
    )
    return contextlib.closing(answer["Body"])


@pytest.mark.parametrize("what", ["stream", "stream-slowly"])
def test_a_stream_for_ever_ends_with_its_client(hosting, hostile, what):
    with streamed(hosting, hostile, what) as body:
        taken = 0
        for event in body:
            taken += len(event["PayloadPart"]["Bytes"])
            if taken >= 16 * 1024:
                break
        assert others(hosting, hostile) == 1
    eventually(lambda: others(hosting, hostile) == 0, 10)


@pytest.mark.parametrize("what", ["half-a-chunk", "bad-chunk", "huge-chunk", "shorter-than-said"])
def test_a_stream_that_breaks_says_so(hosting, hostile, what):
    """Before its first byte as an error of the call, after it as one inside the stream."""
    with pytest.raises((ClientError, EventStreamError)) as broken:
        with streamed(hosting, hostile, what) as body:
            for event in body:
                assert event["PayloadPart"]["Bytes"] in (b"x", b"short")
    code = broken.value.response["Error"]["Code"]
    assert code == ("ModelStreamError" if isinstance(broken.value, EventStreamError) else "ModelError")
    assert hosting.invoke(hostile) == b"tide"


def test_a_model_server_that_never_stops_talking_is_heard_and_bounded(hosting, server):
    name = begin(hosting, "chatters")
    with hosting.removed_after(name):
        hosting.in_service(name)
        until = time.monotonic() + 3
        while time.monotonic() < until:
            assert hosting.invoke(name) == b"tide"
        kept = sum(path.stat().st_size for path in (server.data_dir / "logs").rglob("*") if path.is_file())
        assert 0 < kept < LOG_BYTES_MAX


# -- connections that close ----------------------------------------------------------------------------------------


def test_a_connection_that_its_server_closes_fails_no_request(hosting):
    """Asked around the moment of closing, whichever it is: 1, 2 and 5 seconds after the last request."""
    closing = {after: begin(hosting, KEEP_ALIVE=after) for after in (1, 2, 5)}
    for name in closing.values():
        hosting.in_service(name)
    failures = []

    def drive(after, early):
        for _ in range(5 // after):
            time.sleep(after - early)
            try:
                assert hosting.invoke(closing[after]) == b"tide"
            except (ClientError, AssertionError) as failure:
                failures.append((after, early, repr(failure)))

    threads = [threading.Thread(target=drive, args=(a, e)) for a in closing for e in (0.01, 0.001, 0, -0.001, -0.01)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    for name in closing.values():
        hosting.delete(name)


# -- model servers that end, and those that do not -----------------------------------------------------------------


def test_one_that_exits_in_the_middle_fails_that_request_alone(hosting):
    name = begin(hosting)
    with hosting.removed_after(name):
        hosting.in_service(name)
        model_error(hosting, name, "exit")


def with_mark(mark):
    """Processes by a word of their command line: a daemon carries nothing else that says whose it is."""
    found = []
    for process in pathlib.Path("/proc").iterdir():
        if process.name.isdigit():
            with contextlib.suppress(OSError):
                if mark.encode() in (process / "cmdline").read_bytes().split(b"\0"):
                    found.append(int(process.name))
    return found


def test_a_daemon_of_its_own_ends_with_the_instance(hosting):
    mark = f"tidegate-test-daemon-{uuid.uuid4()}"
    name = begin(hosting)
    hosting.in_service(name)
    assert ask(hosting, name, "daemon", mark.encode()) == b"left"
    eventually(lambda: with_mark(mark), 10)
    hosting.delete(name)
    eventually(lambda: not with_mark(mark), 10)


def test_daemons_of_one_that_only_leaves_those_end_too(hosting):
    mark = f"tidegate-test-daemon-{uuid.uuid4()}"
    name = begin(hosting, "daemon-and-exit", MARK=mark)
    with pytest.raises(WaiterError):
        hosting.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig=QUICK)
    assert "left a daemon" in hosting.describe(name)["FailureReason"]
    eventually(lambda: not with_mark(mark), 10)
    hosting.delete(name)


def test_a_killed_server_leaves_none_of_them(server_config):
    mark = f"tidegate-test-daemon-{uuid.uuid4()}"
    server = Server(config=server_config)
    try:
        hosting = Hosting(server.start())
        stubborn, chatty = begin(hosting, "ignores-sigterm"), begin(hosting, "chatters")
        for name in (stubborn, chatty):
            hosting.in_service(name)
        assert ask(hosting, stubborn, "daemon", mark.encode()) == b"left"
        with begun(server, stubborn, "stream"), begun(server, chatty, "hang"):
            eventually(lambda: others(hosting, chatty) == 1 and with_mark(mark), 10)
            server.kill()
            assert processes.describe(server.orphans()) == ""
        assert with_mark(mark) == []
    finally:
        server.close()


def test_one_that_answers_pings_with_nonsense_is_replaced(hosting, stubborn):
    """After three of them, 5 seconds apart; most of that has passed."""
    eventually(lambda: ask(hosting, stubborn.ill, "pid") != stubborn.ill_pid, 15 + BUSY_SECONDS)


def test_one_that_hears_no_sigterm_has_its_time_and_is_killed(stubborn):
    assert GRACE_SECONDS - 2 < stubborn.took_seconds() < GRACE_SECONDS + BUSY_SECONDS


@pytest.mark.deep
def test_ones_that_hang_run_into_their_limits(hosting):
    """60 seconds for a request, 75 for pings that are accepted and not answered, 60 for the first good ping."""
    slow = {"ContainerStartupHealthCheckTimeoutInSeconds": 60}
    model = hosting.model(image="hostile:1", HOSTILE="garbage-ping")
    never = hosting.begin(hosting.config(variant(model, **slow)))
    deaf, hangs = begin(hosting, "deaf-after-a-while"), begin(hosting)
    for name in (deaf, hangs):
        hosting.in_service(name)
    deaf_pid, began = ask(hosting, deaf, "pid"), time.monotonic()
    response = model_error(hosting, hangs, "hang")
    assert 59 < time.monotonic() - began < 60 + BUSY_SECONDS
    assert "did not" in response["OriginalMessage"] or "timed out" in response["OriginalMessage"]
    seen = hosting.settled(never)
    assert seen["EndpointStatus"] == "Failed"
    assert "did not pass the ping health check" in seen["FailureReason"]
    eventually(lambda: ask(hosting, deaf, "pid") != deaf_pid, 40 + BUSY_SECONDS)
    for name in (never, deaf, hangs):
        hosting.delete(name)
