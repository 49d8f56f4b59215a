"""Endpoints that cannot be created: `Failed`, with a reason that says what to do, and nothing left running."""

import sys

import pytest
from botocore.exceptions import WaiterError

from harness import archives, names, processes
from harness.hosting import QUICK, error_of, variant


@pytest.fixture(scope="module")
def server_config():
    return f"""
[[image]]
match = "*/exits:*"
command = ["{sys.executable}", "-c", "import sys; sys.exit('these weights are for another model')"]

[[image]]
match = "*/not-there:*"
command = ["/no/such/program"]
"""


def failed(hosting, name):
    """The reason of an endpoint that must fail; checks what holds for every failed endpoint, and removes it."""
    with pytest.raises(WaiterError):
        hosting.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig=QUICK)
    seen = hosting.describe(name)
    assert seen["EndpointStatus"] == "Failed"
    assert "ProductionVariants" not in seen
    config = seen["EndpointConfigName"]
    code, _, status = error_of(hosting.update, name, config)
    assert (code, status) == ("ValidationException", 400)
    code, text, _ = error_of(hosting.runtime.invoke_endpoint, EndpointName=name, Body=b"x")
    assert (code, text) == ("ValidationError", f"Endpoint {name} of account 000000000000 not found.")
    hosting.delete(name)
    return seen["FailureReason"]


def test_an_image_that_no_runtime_knows_names_the_entry_to_add(hosting):
    image = "registry.example/team/forecaster:7"
    reason = failed(hosting, hosting.begin(hosting.config(hosting.model(image=image))))
    assert "[[image]]" in reason
    assert image in reason


def test_a_program_that_is_not_there_is_named(hosting):
    reason = failed(hosting, hosting.begin(hosting.config(hosting.model(image="x/not-there:1"))))
    assert "/no/such/program" in reason


@pytest.mark.parametrize("where", ["s3", "file"])
def test_a_missing_artefact_is_named(hosting, where):
    url = {"s3": "s3://models/not/there.tar.gz", "file": "file:///not/there/model.tar.gz"}[where]
    reason = failed(hosting, hosting.begin(hosting.config(hosting.model(data=url))))
    assert url in reason or "/not/there" in reason


@pytest.mark.parametrize("kind", archives.HOSTILE)
def test_a_hostile_archive_is_refused_whole(hosting, server, kind):
    archive, named = archives.HOSTILE[kind]
    key = names.fresh("hostile") + "/model.tar.gz"
    server.client("s3").put_object(Bucket="models", Key=key, Body=archive)
    name = hosting.begin(hosting.config(hosting.model(data=f"s3://models/{key}")))
    reason = failed(hosting, name)
    assert named in reason
    assert not list(server.data_dir.glob("instances/*/model/*"))


def test_a_model_server_that_exits_three_times_gives_its_last_words(hosting):
    reason = failed(hosting, hosting.begin(hosting.config(hosting.model(image="x/exits:1"))))
    assert "did not pass the ping health check" in reason
    assert "these weights are for another model" in reason


@pytest.mark.parametrize(
    ("environment", "named"),
    [({"TIDEGATE_ECHO_DELAY_MS": "soon"}, "TIDEGATE_ECHO_DELAY_MS"), ({"TIDEGATE_ECHO_CRASH_RATE": "2"}, "CRASH_RATE")],
)
def test_a_bad_setting_of_a_built_in_image_is_named(hosting, environment, named):
    reason = failed(hosting, hosting.begin(hosting.config(hosting.model(**environment))))
    assert named in reason


def test_a_model_without_its_file_says_which(hosting):
    reason = failed(hosting, hosting.begin(hosting.config(hosting.model(image="tidegate/onnx"))))
    assert "model.onnx" in reason


def test_a_malformed_model_is_an_error_and_not_a_crash(hosting, server):
    body = archives.tar_gz({"model.onnx": b"\x08\x07garbage" * 50})
    server.client("s3").put_object(Bucket="models", Key="garbage.tar.gz", Body=body)
    name = hosting.begin(hosting.config(hosting.model(image="tidegate/onnx", data="s3://models/garbage.tar.gz")))
    assert "model.onnx" in failed(hosting, name)


def test_one_bad_variant_fails_the_endpoint_and_stops_the_good_one(hosting, server):
    good, bad = hosting.model(), hosting.model(image="x/exits:1")
    name = hosting.begin(hosting.config(variant(good, name="good"), variant(bad, name="bad")))
    assert "variant bad " in failed(hosting, name)
    assert processes.wait_until_gone(server.data_dir, 10, keep=[server.pid]) == []
