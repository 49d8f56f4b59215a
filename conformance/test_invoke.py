"""InvokeEndpoint: what goes through, which variant answers, and how errors look."""

import collections
import concurrent.futures

import pytest

from harness import names
from harness.hosting import error_of, variant
from harness.server import ACCOUNT, REGION

# reference: both a request's and an answer's body may be this long.
BODY_MAX = 6 * 1024 * 1024


@pytest.mark.parametrize(
    "body", [b"", b"\0", bytes(range(256)) * 17, b"x" * 65536], ids=["empty", "nul", "every byte", "64 KiB"]
)
def test_any_bytes_come_back(hosting, echo, body):
    assert hosting.invoke(echo, body) == body


def test_content_type_and_custom_attributes_pass_through(runtime, echo):
    answer = runtime.invoke_endpoint(
        EndpointName=echo,
        Body=b"1,2",
        ContentType="text/csv; header=absent",
        Accept="application/json",
        CustomAttributes="trace=7;who=me",
        InferenceId="inference-1",
    )
    assert answer["ContentType"] == "text/csv; header=absent"
    assert answer["CustomAttributes"] == "trace=7;who=me"
    assert answer["InvokedProductionVariant"] == "main"
    assert answer["ResponseMetadata"]["RequestId"]


def test_a_body_may_be_six_mebibytes_and_not_a_byte_longer(runtime, echo):
    whole = b"w" * BODY_MAX
    assert runtime.invoke_endpoint(EndpointName=echo, Body=whole)["Body"].read() == whole
    code, text, status = error_of(runtime.invoke_endpoint, EndpointName=echo, Body=whole + b"w")
    assert (code, status // 100) == ("ValidationError", 4)
    assert str(BODY_MAX) in text


def test_an_endpoint_that_is_not_there_is_a_validation_error(runtime, echo):
    for name in ("Not-There", echo.upper()):
        text = f"Endpoint {name} of account {ACCOUNT} not found."
        assert error_of(runtime.invoke_endpoint, EndpointName=name, Body=b"x") == ("ValidationError", text, 400)


def test_requests_are_shared_by_weight(hosting, runtime):
    model = hosting.model()
    config = hosting.config(
        variant(model, name="three", weight=3),
        variant(model, name="one", weight=1),
        variant(model, name="none", weight=0),
    )
    with hosting.removed_after(hosting.endpoint(config)) as name:

        def invoked(_):
            return runtime.invoke_endpoint(EndpointName=name, Body=b"x")["InvokedProductionVariant"]

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            seen = collections.Counter(pool.map(invoked, range(1200)))
        # 900 expected, standard deviation 15: six of them on either side.
        assert 810 < seen["three"] < 990
        assert seen["three"] + seen["one"] == 1200
        for wanted in ("three", "one", "none"):
            answer = runtime.invoke_endpoint(EndpointName=name, Body=b"x", TargetVariant=wanted)
            assert answer["InvokedProductionVariant"] == wanted


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"TargetVariant": "ghost"}, "ghost"),
        ({"TargetModel": "m.tar.gz"}, "is not a multi-model endpoint and does not support target model header."),
        ({"TargetContainerHostname": "second"}, ""),
        ({"InferenceComponentName": "component"}, "Inference Component Name header is not allowed for endpoints"),
        ({"SessionId": "NEW_SESSION"}, ""),
        ({"EnableExplanations": "`true`"}, ""),
    ],
)
def test_a_target_that_is_not_there_is_a_validation_error(runtime, echo, members, named):
    code, text, status = error_of(runtime.invoke_endpoint, EndpointName=echo, Body=b"x", **members)
    assert (code, status) == ("ValidationError", 400)
    assert named in text


def test_a_model_servers_failure_is_a_model_error(hosting, runtime):
    with hosting.removed_after(hosting.echo_endpoint(TIDEGATE_ECHO_FAILURE_RATE=1)) as name:
        with pytest.raises(runtime.exceptions.ModelError) as refused:
            runtime.invoke_endpoint(EndpointName=name, Body=b"x")
        response = refused.value.response
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
        assert response["OriginalStatusCode"] == 500
        assert response["OriginalMessage"]
        group = f"/aws/sagemaker/Endpoints/{name}"
        assert response["LogStreamArn"] == f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}"
        text = response["Error"]["Message"]
        assert text.startswith('Received server error (500) from primary with message "')
        assert text.endswith(
            f'". See https://{REGION}.console.aws.amazon.com/cloudwatch/home?region={REGION}'
            f"#logEventViewer:group={group} in account {ACCOUNT} for more information."
        )
        # The endpoint is none the worse for it.
        assert hosting.describe(name)["EndpointStatus"] == "InService"


def test_requests_run_side_by_side_up_to_what_is_there(hosting, runtime):
    name = hosting.echo_endpoint(count=2, TIDEGATE_ECHO_DELAY_MS=300)
    with hosting.removed_after(name), concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: hosting.invoke(name, b"%d" % n), range(16)))
    assert answers == [b"%d" % n for n in range(16)]


def test_an_operation_of_the_runtime_that_tidegate_lacks_says_so(runtime, echo):
    code, text, status = error_of(runtime.invoke_endpoint_async, EndpointName=echo, InputLocation="s3://in/x")
    assert status == 400
    assert "InvokeEndpointAsync" in text
    assert code


def test_names_are_checked_before_they_are_looked_up(runtime):
    code, text, status = error_of(runtime.invoke_endpoint, EndpointName="no_underscore", Body=b"x")
    assert (code, status) == ("ValidationError", 400)
    assert text


def test_a_name_that_no_endpoint_has_any_more(hosting, runtime):
    name = hosting.echo_endpoint()
    hosting.delete(name)
    code, text, _ = error_of(runtime.invoke_endpoint, EndpointName=name, Body=b"x")
    assert (code, text) == ("ValidationError", f"Endpoint {name} of account {ACCOUNT} not found.")
    assert names.arn("endpoint", name) in error_of(hosting.describe, name)[1]
