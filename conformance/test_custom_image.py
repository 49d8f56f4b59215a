"""A model server of the user's own, started from the image table: SageMaker's container contract."""

import json
import pathlib
import sys

import pytest

from harness import archives, processes
from harness.hosting import error_of, eventually

SERVER = pathlib.Path(__file__).parent / "images" / "model_server.py"


@pytest.fixture(scope="module")
def server_config():
    return f"""
[[image]]
match = "*/team/server:special"
command = ["{sys.executable}", "{SERVER}"]
environment = {{ ENTRY = "special" }}

[[image]]
match = "*/team/server:*"
command = ["{sys.executable}", "{SERVER}"]
environment = {{ ENTRY = "any", FROM_TABLE = "yes", OVERRIDDEN = "table" }}
"""


@pytest.fixture(scope="module")
def endpoint(hosting, server):
    body = archives.tar_gz({"weights.txt": b"seven", "code/helper.txt": b"nested"})
    server.client("s3").put_object(Bucket="models", Key="team/model.tar.gz", Body=body)
    model = hosting.model(
        image="registry.example/team/server:1", data="s3://models/team/model.tar.gz", OVERRIDDEN="model", OWN="own"
    )
    return hosting.endpoint(hosting.config(model), name="team")


def told(runtime, endpoint, body=b"body", **members):
    answer = runtime.invoke_endpoint(EndpointName=endpoint, Body=body, **members)
    return json.loads(answer["Body"].read())


def test_it_is_given_the_request_and_only_what_belongs_to_it(runtime, endpoint):
    given = told(runtime, endpoint, ContentType="text/csv", Accept="application/json", CustomAttributes="a=1")
    assert given["path"] == "/invocations"
    assert given["body"] == "body"
    headers = given["headers"]
    assert headers["content-type"] == "text/csv"
    assert headers["accept"] == "application/json"
    assert headers["x-amzn-sagemaker-custom-attributes"] == "a=1"
    for secret in ("authorization", "x-amz-date", "x-amz-security-token", "user-agent", "amz-sdk-invocation-id"):
        assert secret not in headers


def test_its_artefacts_are_unpacked(runtime, endpoint):
    assert told(runtime, endpoint)["artefacts"] == {"weights.txt": "seven", "code/helper.txt": "nested"}


def test_its_environment_is_the_tables_and_the_models(runtime, endpoint, server):
    environment = told(runtime, endpoint)["environment"]
    assert environment["ENTRY"] == "any"
    assert environment["FROM_TABLE"] == "yes"
    assert environment["OVERRIDDEN"] == "model"
    assert environment["OWN"] == "own"
    assert environment["SAGEMAKER_BIND_TO_PORT"].isdigit()
    assert environment["SM_MODEL_DIR"].startswith(environment["SAGEMAKER_BASE_DIR"])
    assert "AWS_SHARED_CREDENTIALS_FILE" not in environment
    assert server.key()[1] not in environment.values()


def test_the_first_match_of_the_table_wins(hosting, runtime):
    model = hosting.model(image="registry.example/team/server:special")
    with hosting.removed_after(hosting.endpoint(hosting.config(model))) as name:
        assert told(runtime, name)["environment"]["ENTRY"] == "special"


def test_a_client_error_of_its_own_is_a_model_error(runtime, endpoint):
    with pytest.raises(runtime.exceptions.ModelError) as refused:
        runtime.invoke_endpoint(EndpointName=endpoint, Body=b"no such column", CustomAttributes="status=404")
    response = refused.value.response
    assert (response["OriginalStatusCode"], response["OriginalMessage"]) == (404, "no such column")
    assert response["Error"]["Message"].startswith(
        'Received client error (404) from primary with message "no such column". See https://'
    )


def test_a_worker_that_dies_mid_request_is_a_model_error(runtime, endpoint):
    before = told(runtime, endpoint)
    code, _, status = error_of(runtime.invoke_endpoint, EndpointName=endpoint, Body=b"x", CustomAttributes="die")
    assert (code, status) == ("ModelError", 424)
    # The other worker goes on.
    assert told(runtime, endpoint)["master"] == before["master"]


def test_its_workers_end_with_it(hosting, runtime, server):
    model = hosting.model(image="registry.example/team/server:2")
    name = hosting.endpoint(hosting.config(model))
    before = set(processes.of(server.data_dir))
    given = told(runtime, name)
    assert {given["worker"], given["master"]} <= before
    hosting.delete(name)
    left = eventually(lambda: not {given["worker"], given["master"]} & set(processes.of(server.data_dir)), 10)
    assert left
    assert len(processes.of(server.data_dir)) <= len(before) - 3


def test_a_model_server_that_is_killed_takes_its_workers_along_and_comes_back(hosting, runtime, server):
    model = hosting.model(image="registry.example/team/server:3")
    with hosting.removed_after(hosting.endpoint(hosting.config(model))) as name:
        given = told(runtime, name)
        dead = {given["master"]} | processes.children(server.data_dir, given["master"])
        assert given["worker"] in dead
        processes.kill([given["master"]])
        eventually(lambda: all(processes.has_ended(pid) for pid in dead), 10, every=0.001)
        # No waiting here: this request may come before the server has heard of the death, and must not fail for it.
        assert told(runtime, name)["master"] != given["master"]
