"""Models, endpoint configs and tags: what is stored comes back, and is refused in AWS's words."""

import pytest

from harness import names
from harness.hosting import ECHO, error_of, variant

ROLE = "arn:aws:iam::000000000000:role/host"


def test_a_model_is_described_as_it_was_created(sagemaker):
    container = {
        "ContainerHostname": "first",
        "Image": "registry.example/team/model:1",
        "Mode": "SingleModel",
        "ModelDataUrl": "s3://models/tide/model.tar.gz",
        "Environment": {"GREETING": "moin, 世界", "EMPTY": ""},
    }
    members = {
        "PrimaryContainer": container,
        "ExecutionRoleArn": ROLE,
        "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1", "subnet-2"]},
        "EnableNetworkIsolation": True,
    }
    made = sagemaker.create_model(ModelName="As-Created", Tags=[{"Key": "a", "Value": "b"}], **members)
    assert made["ModelArn"] == names.arn("model", "As-Created")
    seen = sagemaker.describe_model(ModelName="As-Created")
    assert seen["ModelArn"] == made["ModelArn"]
    assert seen["CreationTime"]
    assert {name: seen[name] for name in members} == members
    assert "Tags" not in seen


def test_a_list_of_one_container_stays_a_list(sagemaker):
    name = names.fresh("model")
    sagemaker.create_model(ModelName=name, Containers=[{"Image": ECHO}], ExecutionRoleArn=ROLE)
    seen = sagemaker.describe_model(ModelName=name)
    assert [one["Image"] for one in seen["Containers"]] == [ECHO]
    assert "PrimaryContainer" not in seen


def test_a_model_file_in_the_servers_own_file_system_is_our_one_addition(hosting, sagemaker):
    name = hosting.model(data="file:///srv/models/model.tar.gz")
    seen = sagemaker.describe_model(ModelName=name)
    assert seen["PrimaryContainer"]["ModelDataUrl"] == "file:///srv/models/model.tar.gz"
    code, text, _ = error_of(hosting.model, data="ftp://example/model.tar.gz")
    assert code == "ValidationException"
    assert "at 'primaryContainer.modelDataUrl' failed to satisfy constraint" in text


@pytest.mark.parametrize(
    ("containers", "named"),
    [
        ({}, "PrimaryContainer"),
        ({"PrimaryContainer": {"Image": ECHO}, "Containers": [{"Image": ECHO}]}, "PrimaryContainer"),
        ({"PrimaryContainer": {"Environment": {"A": "b"}}}, "Image"),
    ],
)
def test_a_model_has_exactly_one_kind_of_container(sagemaker, containers, named):
    name = names.fresh("model")
    code, text, status = error_of(sagemaker.create_model, ModelName=name, ExecutionRoleArn=ROLE, **containers)
    assert (code, status) == ("ValidationException", 400)
    assert named in text
    assert error_of(sagemaker.describe_model, ModelName=name)[0] == "ValidationException"


def test_an_endpoint_config_gives_back_every_value(hosting, sagemaker):
    """Promise S5, for members that Tidegate acts on, that mean nothing here, and that it lacks."""
    model = hosting.model()
    members = {
        "ProductionVariants": [
            variant(
                model,
                name="blue",
                count=2,
                weight=0.1,
                VolumeSizeInGB=30,
                ModelDataDownloadTimeoutInSeconds=600,
                ContainerStartupHealthCheckTimeoutInSeconds=60,
                EnableSSMAccess=True,
                RoutingConfig={"RoutingStrategy": "RANDOM"},
                CoreDumpConfig={"DestinationS3Uri": "s3://dumps/x"},
            ),
            variant(model, name="green", weight=3.3333333),
        ],
        "DataCaptureConfig": {
            "EnableCapture": True,
            "InitialSamplingPercentage": 20,
            "DestinationS3Uri": "s3://capture/here",
            "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
            "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
        },
        "KmsKeyId": "alias/key",
        "AsyncInferenceConfig": {
            "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 4},
            "OutputConfig": {"S3OutputPath": "s3://out/", "NotificationConfig": {}},
        },
        "ExecutionRoleArn": ROLE,
        "EnableNetworkIsolation": False,
    }
    made = sagemaker.create_endpoint_config(EndpointConfigName="Every-Value", **members)
    assert made["EndpointConfigArn"] == names.arn("endpoint-config", "Every-Value")
    seen = sagemaker.describe_endpoint_config(EndpointConfigName="Every-Value")
    assert {name: seen[name] for name in members} == members
    assert seen["EndpointConfigArn"] == made["EndpointConfigArn"]
    assert seen["CreationTime"]


@pytest.mark.parametrize("weight", [0, 0.1, 1, 1.5, 0.30000000000000004, 1e-7, 16777217, 3.4e38])
def test_a_weight_comes_back_as_it_was_sent(hosting, sagemaker, weight):
    config = hosting.config(variant(hosting.model(), weight=weight))
    (seen,) = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    assert seen["InitialVariantWeight"] == weight


def test_a_weight_that_is_not_given_is_one(hosting, sagemaker):
    config = hosting.config(variant(hosting.model()))
    (seen,) = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    assert seen["InitialVariantWeight"] == 1.0


def test_a_config_of_a_missing_model_is_refused(hosting):
    text = f'Could not find model "{names.arn("model", "no-such-model")}".'
    assert error_of(hosting.config, "no-such-model") == ("ValidationException", text, 400)


def test_variant_names_are_unique_in_a_config(hosting):
    model = hosting.model()
    code, text, status = error_of(hosting.config, variant(model), variant(model))
    assert (code, status) == ("ValidationException", 400)
    assert '"main"' in text


def test_a_duplicate_is_refused_by_its_arn(hosting, sagemaker, echo):
    config, model = hosting.describe(echo)["EndpointConfigName"], hosting.model()
    for what, kind, name, create in [
        ("model", "model", model, lambda: hosting.model(name=model)),
        ("endpoint configuration", "endpoint-config", config, lambda: hosting.config(model, name=config)),
        ("endpoint", "endpoint", echo, lambda: hosting.begin(config, name=echo)),
    ]:
        text = f'Cannot create already existing {what} "{names.arn(kind, name)}".'
        assert error_of(create) == ("ValidationException", text, 400)


def test_an_endpoint_name_in_another_case_is_taken(hosting, echo):
    config = hosting.describe(echo)["EndpointConfigName"]
    code, text, _ = error_of(hosting.begin, config, name=echo.upper())
    assert code == "ValidationException"
    assert text.startswith("Cannot create already existing endpoint")


@pytest.mark.parametrize(
    ("what", "kind", "operation", "member"),
    [
        ("model", "model", "describe_model", "ModelName"),
        ("model", "model", "delete_model", "ModelName"),
        ("endpoint configuration", "endpoint-config", "describe_endpoint_config", "EndpointConfigName"),
        ("endpoint configuration", "endpoint-config", "delete_endpoint_config", "EndpointConfigName"),
        ("endpoint", "endpoint", "describe_endpoint", "EndpointName"),
        ("endpoint", "endpoint", "delete_endpoint", "EndpointName"),
    ],
)
def test_what_is_missing_is_named_by_its_arn(sagemaker, what, kind, operation, member):
    text = f'Could not find {what} "{names.arn(kind, "Not-There")}".'
    assert error_of(getattr(sagemaker, operation), **{member: "Not-There"}) == ("ValidationException", text, 400)


def test_an_endpoint_of_a_missing_config_is_refused(hosting, echo):
    text = f'Could not find endpoint configuration "{names.arn("endpoint-config", "gone")}".'
    assert error_of(hosting.begin, "gone") == ("ValidationException", text, 400)
    assert error_of(hosting.update, echo, "gone") == ("ValidationException", text, 400)


def test_models_and_configs_are_deleted(hosting, sagemaker):
    model = hosting.model()
    config = hosting.config(model)
    answer = sagemaker.delete_endpoint_config(EndpointConfigName=config)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert sagemaker.delete_model(ModelName=model)["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert error_of(sagemaker.describe_endpoint_config, EndpointConfigName=config)[0] == "ValidationException"
    assert error_of(sagemaker.describe_model, ModelName=model)[0] == "ValidationException"
    # The name is free again.
    assert hosting.config(hosting.model(name=model), name=config) == config


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://out/"}}}, "AsyncInferenceConfig"),
        (
            {
                "DataCaptureConfig": {
                    "EnableCapture": True,
                    "InitialSamplingPercentage": 1,
                    "DestinationS3Uri": "s3://out/",
                    "CaptureOptions": [{"CaptureMode": "Input"}],
                }
            },
            "DataCaptureConfig",
        ),
    ],
)
def test_an_endpoint_that_needs_what_tidegate_lacks_is_refused_by_name(hosting, sagemaker, echo, more, named):
    config = hosting.config(hosting.model(), **more)
    for change in (lambda: hosting.begin(config, name="lacking"), lambda: hosting.update(echo, config)):
        code, text, status = error_of(change)
        assert (code, status) == ("ValidationException", 400)
        assert named in text
    assert error_of(sagemaker.describe_endpoint, EndpointName="lacking")[0] == "ValidationException"
    assert hosting.describe(echo)["EndpointStatus"] == "InService"


def test_tags_are_kept_merged_and_removed(hosting, sagemaker):
    model = names.fresh("model")
    made = sagemaker.create_model(
        ModelName=model,
        PrimaryContainer={"Image": ECHO},
        ExecutionRoleArn=ROLE,
        Tags=[{"Key": "team", "Value": "tide"}, {"Key": "stage", "Value": "test"}],
    )
    arn = made["ModelArn"]

    def tags():
        return {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]}

    assert tags() == {"team": "tide", "stage": "test"}
    added = sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "stage", "Value": "prod"}, {"Key": "x", "Value": ""}])
    assert {tag["Key"]: tag["Value"] for tag in added["Tags"]} == {"team": "tide", "stage": "prod", "x": ""}
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["team", "never-there"])
    assert tags() == {"stage": "prod", "x": ""}
    sagemaker.delete_model(ModelName=model)
    hosting.model(name=model)
    assert tags() == {}


@pytest.mark.parametrize("kind", ["endpoint", "endpoint-config"])
def test_every_kind_of_resource_has_tags(hosting, sagemaker, kind):
    tags = [{"Key": "k", "Value": "v"}]
    config = hosting.config(hosting.model(), **({"Tags": tags} if kind == "endpoint-config" else {}))
    name = hosting.endpoint(config, **({"Tags": tags} if kind == "endpoint" else {}))
    arn = names.arn(kind, name if kind == "endpoint" else config)
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags
    hosting.delete(name)


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:sagemaker:us-east-1:111111111111:model/theirs",
        "arn:aws:sagemaker:eu-west-1:000000000000:model/elsewhere",
        "arn:aws:sagemaker:us-east-1:000000000000:model/not-there",
    ],
)
def test_tags_of_another_account_region_or_of_nothing_are_refused(sagemaker, arn):
    for call in (
        lambda: sagemaker.list_tags(ResourceArn=arn),
        lambda: sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "k", "Value": "v"}]),
        lambda: sagemaker.delete_tags(ResourceArn=arn, TagKeys=["k"]),
    ):
        code, text, status = error_of(call)
        assert (code, status) in {("ValidationException", 400), ("AccessDeniedException", 400)}
        assert text


def test_more_than_fifty_tags_are_refused(hosting, sagemaker):
    arn = names.arn("model", hosting.model())
    tags = [{"Key": f"k{n}", "Value": "v"} for n in range(50)]
    sagemaker.add_tags(ResourceArn=arn, Tags=tags)
    refused = error_of(sagemaker.add_tags, ResourceArn=arn, Tags=[{"Key": "one-more", "Value": "v"}])
    assert refused[2] == 400
    assert len(sagemaker.list_tags(ResourceArn=arn)["Tags"]) == 50
