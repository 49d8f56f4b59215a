"""InvokeEndpointWithResponseStream: parts as they come, errors before and within a stream, clients that leave."""

import pathlib
import sys
import time

import pytest
from botocore.exceptions import ClientError, EventStreamError

from harness.hosting import error_of, eventually

SERVER = pathlib.Path(__file__).parent / "images" / "streaming_server.py"


@pytest.fixture(scope="module")
def server_config():
    return f"""
[[image]]
match = "*/words:*"
command = ["{sys.executable}", "{SERVER}"]
"""


@pytest.fixture(scope="module")
def endpoint(hosting):
    return hosting.endpoint(hosting.config(hosting.model(image="registry.example/words:1")), name="words")


def stream(runtime, endpoint, wish, **members):
    return runtime.invoke_endpoint_with_response_stream(EndpointName=endpoint, Body=wish, **members)


def parts(answer):
    return [event["PayloadPart"]["Bytes"] for event in answer["Body"]]


def test_parts_come_while_the_model_server_still_writes(runtime, endpoint):
    answer = stream(runtime, endpoint, "five", Accept="text/event-stream", CustomAttributes="a=1")
    assert answer["ContentType"] == "text/event-stream"
    assert answer["InvokedProductionVariant"] == "main"
    began, arrived, words = time.monotonic(), [], b""
    for event in answer["Body"]:
        arrived.append(time.monotonic() - began)
        words += event["PayloadPart"]["Bytes"]
    assert words == b"word0 word1 word2 word3 word4 "
    assert len(arrived) >= 3, "the whole answer came at once"


def test_what_goes_wrong_before_the_first_byte_is_told_as_ever(runtime, endpoint):
    with pytest.raises(ClientError) as refused:
        stream(runtime, endpoint, "refuse")
    answer = refused.value.response
    assert answer["Error"]["Code"] == "ModelError"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert (answer["OriginalStatusCode"], answer["OriginalMessage"]) == (400, "no thanks")
    code, text, status = error_of(runtime.invoke_endpoint_with_response_stream, EndpointName="none", Body=b"x")
    assert (code, status) == ("ValidationError", 400)
    assert text == "Endpoint none of account 000000000000 not found."


def test_a_stream_that_breaks_says_so(runtime, endpoint):
    answer = stream(runtime, endpoint, "break")
    words = b""
    with pytest.raises(EventStreamError) as broken:
        for event in answer["Body"]:
            words += event["PayloadPart"]["Bytes"]
    answer["Body"].close()
    assert words == b"word0 word1 word2 "
    assert broken.value.response["Error"]["Code"] == "ModelStreamError"


def test_a_client_that_leaves_is_noticed_by_the_model_server(runtime, server, endpoint):
    answer = stream(runtime, endpoint, "for ever")
    assert next(iter(answer["Body"]))["PayloadPart"]["Bytes"].startswith(b"word0")
    answer["Body"].close()
    logs = server.client("logs")
    group = f"/aws/sagemaker/Endpoints/{endpoint}"

    def noticed():
        found = logs.filter_log_events(logGroupName=group, filterPattern='"is gone"')
        return found["events"]

    eventually(noticed, 10)


def test_a_stream_outlives_an_update_of_its_endpoint(hosting, runtime, endpoint):
    answer = stream(runtime, endpoint, "five")
    first = next(iter(answer["Body"]))["PayloadPart"]["Bytes"]
    hosting.sagemaker.update_endpoint(
        EndpointName=endpoint, EndpointConfigName=hosting.config(hosting.model(image="registry.example/words:2"))
    )
    assert (first + b"".join(parts(answer))).endswith(b"word4 ")
