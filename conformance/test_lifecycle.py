"""An endpoint from its creation to its deletion, by unmodified boto3."""

import datetime

import pytest

from harness import names, processes
from harness.hosting import QUICK, error_of, variant


def test_an_endpoint_is_created_invoked_updated_and_deleted(hosting, server):
    sagemaker, runtime = hosting.sagemaker, hosting.runtime
    first, second = hosting.model(), hosting.model()
    hosting.config(first, name="tide-1")
    hosting.config(variant(second, count=2), name="tide-2")

    made = sagemaker.create_endpoint(EndpointName="tide", EndpointConfigName="tide-1")
    assert made["EndpointArn"] == names.arn("endpoint", "tide")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="tide", WaiterConfig=QUICK)
    answer = runtime.invoke_endpoint(EndpointName="tide", Body=b"high water", ContentType="text/plain")
    assert answer["Body"].read() == b"high water"
    assert answer["InvokedProductionVariant"] == "main"

    updated = sagemaker.update_endpoint(EndpointName="tide", EndpointConfigName="tide-2")
    assert updated["EndpointArn"] == made["EndpointArn"]
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="tide", WaiterConfig=QUICK)
    assert hosting.describe("tide")["EndpointConfigName"] == "tide-2"
    assert hosting.variant_of("tide")["CurrentInstanceCount"] == 2
    assert hosting.invoke("tide") == b"tide"

    sagemaker.delete_endpoint(EndpointName="tide")
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="tide", WaiterConfig=QUICK)
    assert error_of(sagemaker.describe_endpoint, EndpointName="tide")[0] == "ValidationException"
    assert processes.wait_until_gone(server.data_dir, 10, keep=[server.pid]) == []


def test_describe_tells_all_of_an_endpoint_at_rest(hosting):
    before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=1)
    config = hosting.config(variant(hosting.model(), count=2, weight=0.1))
    seen = hosting.describe(hosting.endpoint(config, name="at-rest"))
    assert seen["EndpointName"] == "at-rest"
    assert seen["EndpointArn"] == names.arn("endpoint", "at-rest")
    assert seen["EndpointConfigName"] == config
    assert seen["EndpointStatus"] == "InService"
    assert before < seen["CreationTime"] <= seen["LastModifiedTime"]
    assert "FailureReason" not in seen
    assert "PendingDeploymentSummary" not in seen
    (main,) = seen["ProductionVariants"]
    assert main["VariantName"] == "main"
    assert (main["CurrentInstanceCount"], main["DesiredInstanceCount"]) == (2, 2)
    assert (main["CurrentWeight"], main["DesiredWeight"]) == (0.1, 0.1)
    assert not main.get("VariantStatus")
    (image,) = main["DeployedImages"]
    assert image["SpecifiedImage"] == "tidegate/echo"
    assert image["ResolutionTime"] >= before
    hosting.delete("at-rest")


def test_an_endpoint_that_is_being_created_has_no_variants_and_answers_no_one(hosting):
    name = hosting.begin(hosting.config(hosting.model(TIDEGATE_ECHO_STARTUP_MS=1500)))
    seen = hosting.describe(name)
    assert seen["EndpointStatus"] == "Creating"
    assert "ProductionVariants" not in seen
    for change in (
        lambda: hosting.update(name, seen["EndpointConfigName"]),
        lambda: hosting.sagemaker.delete_endpoint(EndpointName=name),
        lambda: hosting.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredInstanceCount": 2}]
        ),
    ):
        text = f'Cannot update in-progress endpoint "{names.arn("endpoint", name)}".'
        assert error_of(change) == ("ValidationException", text, 400)
    hosting.in_service(name)
    hosting.delete(name)


def test_an_endpoint_keeps_its_own_copy_of_config_and_models(hosting, sagemaker):
    model = hosting.model()
    config = hosting.config(variant(model, count=1))
    name = hosting.endpoint(config)
    sagemaker.delete_endpoint_config(EndpointConfigName=config)
    sagemaker.delete_model(ModelName=model)
    assert hosting.invoke(name) == b"tide"
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredInstanceCount": 2}]
    )
    hosting.in_service(name)
    assert hosting.variant_of(name)["CurrentInstanceCount"] == 2
    assert hosting.describe(name)["EndpointConfigName"] == config
    hosting.update(name, hosting.config(hosting.model()))
    assert "FailureReason" not in hosting.in_service(name)
    hosting.delete(name)


def test_a_model_server_that_dies_is_started_again(hosting):
    name = hosting.echo_endpoint(count=1, TIDEGATE_ECHO_CRASH_RATE=1)
    code, _, status = error_of(hosting.runtime.invoke_endpoint, EndpointName=name, Body=b"x")
    assert (code, status) == ("ModelError", 424)
    assert hosting.describe(name)["EndpointStatus"] == "InService"
    # The request waits for the instance that is coming up, and meets the same end: it was started again.
    code, _, status = error_of(hosting.runtime.invoke_endpoint, EndpointName=name, Body=b"x")
    assert (code, status) == ("ModelError", 424)
    hosting.delete(name)


@pytest.mark.deep
def test_a_model_that_never_answers_fails_and_says_what_to_do(hosting):
    model = hosting.model(TIDEGATE_ECHO_NEVER_READY=1)
    config = hosting.config(variant(model, ContainerStartupHealthCheckTimeoutInSeconds=60))
    name = hosting.begin(config)
    seen = hosting.settled(name, seconds=120)
    assert seen["EndpointStatus"] == "Failed"
    assert "did not pass the ping health check" in seen["FailureReason"]
    assert "ContainerStartupHealthCheckTimeoutInSeconds" in seen["FailureReason"]
    hosting.delete(name)
