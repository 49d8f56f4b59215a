"""`[limits]` and the `instances` of an `[[instance_type]]`: what goes beyond is refused when it is asked for."""

import pytest

from harness import names
from harness.hosting import error_of, variant

CONFIG = """
[limits]
instances = 5

[[instance_type]]
name = "ml.g5.xlarge"
instances = 1
"""


@pytest.fixture(scope="module")
def server_config():
    return CONFIG


@pytest.fixture(scope="module")
def model(hosting):
    return hosting.model()


def config(hosting, model, count, **members):
    return hosting.config(variant(model, InitialInstanceCount=count, **members))


def is_beyond(call, *told, **members):
    """Refused in AWS's words, with the setting to raise."""
    code, text, status = error_of(call, **members)
    assert (code, status) == ("ResourceLimitExceeded", 400)
    for part in told:
        assert part in text, text


def test_a_fleet_beyond_the_limit_is_refused_when_it_is_asked_for(hosting, sagemaker, model):
    name = names.fresh("endpoint")
    too_many = config(hosting, model, 6)
    members = {"EndpointName": name, "EndpointConfigName": too_many}
    is_beyond(sagemaker.create_endpoint, "[limits]", "5", "6", **members)
    assert error_of(sagemaker.describe_endpoint, EndpointName=name)[0] == "ValidationException"
    assert sagemaker.list_endpoints()["Endpoints"] == []


def test_all_endpoints_count_together_and_an_update_counts_twice(hosting, sagemaker, model):
    three, two = config(hosting, model, 3), config(hosting, model, 2)
    first = hosting.endpoint(three)
    second = {"EndpointName": names.fresh("endpoint"), "EndpointConfigName": three}
    is_beyond(sagemaker.create_endpoint, "[limits]", **second)
    # Blue and green stand side by side: three and three are one too many, three and two are not.
    is_beyond(sagemaker.update_endpoint, "[limits]", EndpointName=first, EndpointConfigName=three)
    seen = hosting.describe(first)
    assert (seen["EndpointStatus"], seen["EndpointConfigName"]) == ("InService", three)
    wish = [{"VariantName": "main", "DesiredInstanceCount": 6}]
    more = {"EndpointName": first, "DesiredWeightsAndCapacities": wish}
    is_beyond(sagemaker.update_endpoint_weights_and_capacities, "[limits]", **more)
    assert hosting.describe(first)["ProductionVariants"][0]["DesiredInstanceCount"] == 3
    sagemaker.update_endpoint(EndpointName=first, EndpointConfigName=two)
    hosting.in_service(first)
    # What has gone makes room.
    sagemaker.create_endpoint(**second)
    hosting.in_service(second["EndpointName"])
    assert hosting.invoke(first) == hosting.invoke(second["EndpointName"]) == b"tide"
    hosting.delete(first)
    hosting.delete(second["EndpointName"])


def test_a_type_has_a_limit_of_its_own(hosting, sagemaker, model):
    one = config(hosting, model, 1, InstanceType="ml.g5.xlarge")
    with hosting.removed_after(hosting.endpoint(one)):
        another = {"EndpointName": names.fresh("endpoint"), "EndpointConfigName": one}
        is_beyond(sagemaker.create_endpoint, "ml.g5.xlarge", **another)
        with hosting.removed_after(hosting.endpoint(config(hosting, model, 1))) as name:
            assert hosting.invoke(name) == b"tide"
