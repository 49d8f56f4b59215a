"""Promise T2: a server killed at any moment comes back with all it acknowledged, and leaves no model server behind."""

import contextlib
import pathlib
import sys

import pytest

from harness import processes
from harness.hosting import Hosting, eventually, variant
from harness.server import Server

IMAGE = pathlib.Path(__file__).parent / "images" / "model_server.py"
CONFIG = f"""
[[image]]
match = "forks:*"
command = ["{sys.executable}", "{IMAGE}"]
"""


@contextlib.contextmanager
def a_server():
    made = Server(config=CONFIG)
    try:
        yield made.start()
    finally:
        made.close()


def killed_and_started_again(server):
    server.kill()
    left = server.orphans()
    assert left == [], f"left running:\n{processes.describe(left)}"
    server.start()
    return Hosting(server)


def test_everything_in_service_serves_again():
    with a_server() as server:
        hosting = Hosting(server)
        echo = hosting.endpoint(hosting.config(variant(hosting.model(), count=2, weight=0.1)), name="echo")
        forks = hosting.endpoint(hosting.config(hosting.model(image="forks:1")), name="forks")
        hosting.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=echo, DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredInstanceCount": 3}]
        )
        hosting.in_service(echo)
        server.client("s3").put_object(Bucket="models", Key="kept", Body=b"kept")
        before, key = hosting.describe(echo), server.key()

        hosting = killed_and_started_again(server)
        assert server.key() == key
        # No waiting here: a request for an endpoint that is coming up again waits for its instance.
        assert hosting.invoke(echo) == b"tide"
        assert hosting.invoke(forks)
        after = hosting.describe(echo)
        for name in ("EndpointConfigName", "EndpointArn", "CreationTime", "EndpointStatus"):
            assert after[name] == before[name]
        assert hosting.variant_of(echo)["DesiredInstanceCount"] == 3
        assert hosting.variant_of(echo)["DesiredWeight"] == 0.1
        assert server.client("s3").get_object(Bucket="models", Key="kept")["Body"].read() == b"kept"
        stored = hosting.sagemaker.describe_endpoint_config(EndpointConfigName=before["EndpointConfigName"])
        assert stored["ProductionVariants"][0]["InitialVariantWeight"] == 0.1


def test_a_creation_goes_on():
    with a_server() as server:
        hosting = Hosting(server)
        name = hosting.begin(hosting.config(variant(hosting.model(TIDEGATE_ECHO_STARTUP_MS=1500), count=2)))
        eventually(lambda: len(processes.of(server.data_dir)) > 1)
        hosting = killed_and_started_again(server)
        assert hosting.describe(name)["EndpointStatus"] == "Creating"
        hosting.in_service(name)
        assert hosting.invoke(name) == b"tide"


@pytest.mark.parametrize("good", [True, False], ids=["finishes", "rolls back"])
def test_an_update_finishes_or_rolls_back(good):
    with a_server() as server:
        hosting = Hosting(server)
        name = hosting.echo_endpoint(count=1)
        old = hosting.describe(name)["EndpointConfigName"]
        # The bad one exits twice as slowly as it is looked at, so that the kill comes before the verdict.
        image = {"TIDEGATE_ECHO_STARTUP_MS": 1500} if good else {"TIDEGATE_ECHO_DELAY_MS": "bad"}
        slow = hosting.model(TIDEGATE_ECHO_STARTUP_MS=1500)
        config = hosting.config(variant(hosting.model(**image)), variant(slow, name="slow"))
        hosting.update(name, config)
        hosting = killed_and_started_again(server)
        seen = hosting.settled(name)
        assert seen["EndpointStatus"] == "InService"
        assert seen["EndpointConfigName"] == (config if good else old)
        assert ("FailureReason" in seen) != good
        assert hosting.invoke(name) == b"tide"


def test_a_change_of_capacity_goes_on():
    with a_server() as server:
        hosting = Hosting(server)
        name = hosting.echo_endpoint(count=1, TIDEGATE_ECHO_STARTUP_MS=800)
        hosting.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredInstanceCount": 3}]
        )
        hosting = killed_and_started_again(server)
        hosting.in_service(name)
        assert hosting.variant_of(name)["CurrentInstanceCount"] == 3


def test_a_deletion_goes_on():
    with a_server() as server:
        hosting = Hosting(server)
        name = hosting.echo_endpoint(count=2)
        hosting.sagemaker.delete_endpoint(EndpointName=name)
        hosting = killed_and_started_again(server)
        eventually(lambda: name not in [one["EndpointName"] for one in hosting.sagemaker.list_endpoints()["Endpoints"]])


def test_what_was_acknowledged_before_a_kill_is_there_after_it():
    with a_server() as server:
        hosting = Hosting(server)
        for attempt in range(5):
            model = hosting.model(name=f"model-{attempt}")
            hosting.config(model, name=f"config-{attempt}")
            hosting = killed_and_started_again(server)
            for number in range(attempt + 1):
                assert hosting.sagemaker.describe_model(ModelName=f"model-{number}")
                assert hosting.sagemaker.describe_endpoint_config(EndpointConfigName=f"config-{number}")


def test_a_clean_stop_leaves_nothing_running_and_everything_stored():
    with a_server() as server:
        hosting = Hosting(server)
        name = hosting.echo_endpoint(count=2)
        assert server.stop() == 0
        assert processes.wait_until_gone(server.data_dir, 2) == []
        server.start()
        assert Hosting(server).invoke(name) == b"tide"
