"""The AWS CLI, versions 1 and 2, in a shell: the commands people type, their exit statuses and their words."""

import datetime
import functools
import json
import urllib.request

import pytest

from clients import aws_cli
from harness import archives, names
from harness.hosting import variant

ROLE = "arn:aws:iam::000000000000:role/host"
BIG = 20 * 1024 * 1024


class Shell:
    """One CLI against one server."""

    def __init__(self, cli, server):
        self.cli = cli
        self.server = server

    def text(self, *arguments):
        ended = self.cli.run(self.server, *arguments)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def json(self, *arguments):
        return json.loads(self.text(*arguments, "--output", "json") or "null")

    def refused(self, *arguments, status=None):
        """The line that a command ends with, after nothing on stdout."""
        ended = self.cli.run(self.server, *arguments)
        assert (ended.returncode, ended.stdout) == (status or self.cli.refused, ""), ended
        return ended.stderr.strip()

    def service(self, service, command, **members):
        arguments = []
        for name, value in members.items():
            written = value if isinstance(value, str) else json.dumps(value)
            arguments += [f"--{name.replace('_', '-')}", written]
        return self.json(service, command, *arguments)

    def sagemaker(self, command, **members):
        return self.service("sagemaker", command, **members)


@pytest.fixture(scope="module", params=[1, 2], ids=["v1", "v2"])
def cli(request, missing):
    found = aws_cli.find(request.param)
    return found or missing(f"there is no AWS CLI of version {request.param}")


@pytest.fixture(scope="module")
def aws(cli, server):
    return Shell(cli, server)


def test_a_caller_is_told_who_it_is(aws):
    assert aws.json("sts", "get-caller-identity") == {
        "UserId": "000000000000",
        "Account": "000000000000",
        "Arn": "arn:aws:iam::000000000000:root",
    }


def test_a_bucket_from_its_making_to_its_end(aws, tmp_path):
    bucket = f"s3://{names.fresh('bucket')}"
    tree = tmp_path / "tree"
    (tree / "deep").mkdir(parents=True)
    (tree / "one.txt").write_text("one")
    (tree / "deep" / "a name with spaces, ü.bin").write_bytes(bytes(range(256)))
    aws.text("s3", "mb", bucket)
    assert bucket.removeprefix("s3://") in aws.text("s3", "ls")

    assert aws.text("s3", "sync", tree, f"{bucket}/tree").count("upload: ") == 2
    assert "upload" not in aws.text("s3", "sync", tree, f"{bucket}/tree")
    (tree / "one.txt").unlink()
    assert "delete: " in aws.text("s3", "sync", "--delete", tree, f"{bucket}/tree")
    listed = aws.text("s3", "ls", "--recursive", bucket)
    assert "tree/deep/a name with spaces, ü.bin" in listed
    assert "one.txt" not in listed
    aws.text("s3", "sync", f"{bucket}/tree", tmp_path / "back")
    assert (tmp_path / "back" / "deep" / "a name with spaces, ü.bin").read_bytes() == bytes(range(256))

    assert "BucketNotEmpty" in aws.refused("s3", "rb", bucket, status=1)
    aws.text("s3", "rm", "--recursive", bucket)
    assert aws.text("s3", "ls", "--recursive", bucket, "--summarize").split()[-1] == "0"
    aws.text("s3", "rb", bucket)
    assert "NoSuchBucket" in aws.refused("s3", "ls", bucket)


def test_a_large_object_goes_up_in_parts_and_a_copy_comes_down_whole(aws, tmp_path):
    big = tmp_path / "big"
    big.write_bytes(bytes(range(256)) * (BIG // 256))
    place = f"s3://models/{names.fresh('big')}"
    aws.text("s3", "cp", big, place)
    aws.text("s3", "mv", place, f"{place}-moved")
    aws.text("s3", "cp", f"{place}-moved", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == big.read_bytes()
    assert "(404)" in aws.refused("s3", "cp", place, tmp_path / "gone", status=1)


def test_a_presigned_url_opens_without_credentials(aws, tmp_path):
    (tmp_path / "note").write_text("for whoever has the link")
    place = f"s3://models/{names.fresh('note')}"
    aws.text("s3", "cp", tmp_path / "note", place)
    url = aws.text("s3", "presign", place).strip()
    assert url.startswith(aws.server.url)
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert answer.read() == b"for whoever has the link"


def test_an_endpoint_from_its_making_to_its_end(aws, hosting, tmp_path):
    (tmp_path / "model.tar.gz").write_bytes(archives.tar_gz({"weights": b"seven"}))
    name, first, second = (names.fresh(kind) for kind in ("cli", "first", "second"))
    data = f"s3://models/{name}/model.tar.gz"
    aws.text("s3", "cp", tmp_path / "model.tar.gz", data)
    # It starts late, so that the waiter finds it `Creating` and has to look again.
    container = {"Image": "tidegate/echo", "ModelDataUrl": data, "Environment": {"TIDEGATE_ECHO_STARTUP_MS": "2500"}}
    made = aws.sagemaker("create-model", model_name=name, primary_container=container, execution_role_arn=ROLE)
    assert made == {"ModelArn": names.arn("model", name)}
    aws.sagemaker("create-endpoint-config", endpoint_config_name=first, production_variants=[variant(name, weight=0.1)])
    made = aws.sagemaker("create-endpoint", endpoint_name=name, endpoint_config_name=first)
    assert made == {"EndpointArn": names.arn("endpoint", name)}
    aws.text("sagemaker", "wait", "endpoint-in-service", "--endpoint-name", name)

    seen = aws.sagemaker("describe-endpoint", endpoint_name=name)
    (only,) = seen["ProductionVariants"]
    assert (seen["EndpointStatus"], seen["EndpointConfigName"]) == ("InService", first)
    assert (only["CurrentWeight"], only["CurrentInstanceCount"]) == (0.1, 1)
    assert name in aws.text("sagemaker", "list-endpoints", "--query", "Endpoints[].EndpointName", "--output", "text")

    faster = hosting.model()
    aws.sagemaker("create-endpoint-config", endpoint_config_name=second, production_variants=[variant(faster, count=2)])
    aws.sagemaker("update-endpoint", endpoint_name=name, endpoint_config_name=second)
    hosting.settled(name)
    aws.text("sagemaker", "wait", "endpoint-in-service", "--endpoint-name", name)
    seen = aws.sagemaker("describe-endpoint", endpoint_name=name)
    assert (seen["EndpointConfigName"], seen["ProductionVariants"][0]["CurrentInstanceCount"]) == (second, 2)

    assert aws.sagemaker("delete-endpoint", endpoint_name=name) is None
    hosting.sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name, WaiterConfig={"Delay": 1})
    aws.text("sagemaker", "wait", "endpoint-deleted", "--endpoint-name", name)
    assert names.arn("endpoint", name) in aws.refused("sagemaker", "describe-endpoint", "--endpoint-name", name)
    for config in (first, second):
        aws.sagemaker("delete-endpoint-config", endpoint_config_name=config)
    aws.sagemaker("delete-model", model_name=name)


def test_a_variant_is_scaled_and_watched(aws, echo):
    """Version 1 of today speaks JSON to CloudWatch, version 2 awsQuery."""
    target = {
        "service_namespace": "sagemaker",
        "resource_id": f"endpoint/{echo}/variant/main",
        "scalable_dimension": "sagemaker:variant:DesiredInstanceCount",
    }

    def scale(command, **members):
        return aws.service("application-autoscaling", command, **(target | members))

    scale("register-scalable-target", min_capacity=1, max_capacity=2)
    config = {
        "TargetValue": 1000.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
    }
    made = scale(
        "put-scaling-policy",
        policy_name="track",
        policy_type="TargetTrackingScaling",
        target_tracking_scaling_policy_configuration=config,
    )
    alarms = [one["AlarmName"] for one in made["Alarms"]]
    # Ends at once, because they are there.
    aws.text("cloudwatch", "wait", "alarm-exists", "--alarm-names", *alarms)
    shown = aws.json("cloudwatch", "describe-alarms", "--alarm-names", *alarms)["MetricAlarms"]
    assert [(one["Threshold"], one["Period"], one["EvaluationPeriods"]) for one in shown] == [
        (1000.0, 60, 3),
        (900.0, 60, 15),
    ]
    assert {one["AlarmActions"][0].rsplit(":createdBy/", 1)[0] for one in shown} == {made["PolicyARN"]}
    history = aws.json("cloudwatch", "describe-alarm-history", "--alarm-name", alarms[0])["AlarmHistoryItems"]
    assert history[-1]["HistorySummary"] == f'Alarm "{alarms[0]}" created'

    line = aws.refused(
        "application-autoscaling", "put-scheduled-action", "--scheduled-action-name", "never", "--schedule", "daily",
        "--scalable-target-action", "MinCapacity=1", "--service-namespace", "sagemaker", "--resource-id",
        target["resource_id"], "--scalable-dimension", target["scalable_dimension"],
    )  # fmt: skip
    assert "(ValidationException) when calling the PutScheduledAction operation" in line
    scale("deregister-scalable-target")
    assert aws.json("cloudwatch", "describe-alarms", "--alarm-names", *alarms)["MetricAlarms"] == []


def test_metrics_of_ones_own_are_kept_and_watched(aws):
    name, alarm = names.fresh("Depth"), names.fresh("cli-alarm")
    metric = ["--namespace", "Clients", "--metric-name", name]
    now = datetime.datetime.now(datetime.UTC).replace(second=0, microsecond=0)
    at = [(now + datetime.timedelta(minutes=minutes)).isoformat() for minutes in (-3, -2, -1)]
    cloudwatch = functools.partial(aws.text, "cloudwatch")
    cloudwatch("put-metric-data", *metric, "--value", "2.5", "--timestamp", at[0], "--dimensions", "queue=a b/1")
    data = json.dumps(
        [
            {
                "MetricName": name,
                "Dimensions": [{"Name": "queue", "Value": "a b/1"}],
                "Timestamp": at[1],
                "Values": [1, 2],
                "Counts": [3, 1],
            }
        ]
    )
    cloudwatch("put-metric-data", "--namespace", "Clients", "--metric-data", data)
    listed = aws.json("cloudwatch", "list-metrics", *metric)["Metrics"]
    assert [one["Dimensions"] for one in listed] == [[{"Name": "queue", "Value": "a b/1"}]]
    period = ["--start-time", at[0], "--end-time", at[2]]
    answer = aws.json(
        "cloudwatch", "get-metric-statistics", *metric, *period, "--period", "60", "--statistics", "Sum", "SampleCount",
        "--dimensions", "Name=queue,Value=a b/1",
    )  # fmt: skip
    points = sorted(answer["Datapoints"], key=lambda one: one["Timestamp"])
    assert [(one["Sum"], one["SampleCount"]) for one in points] == [(2.5, 1.0), (5.0, 4.0)]
    dimensions = [{"Name": "queue", "Value": "a b/1"}]
    stat = {
        "Metric": {"Namespace": "Clients", "MetricName": name, "Dimensions": dimensions},
        "Period": 60,
        "Stat": "p50",
    }
    queries = json.dumps([{"Id": "m", "MetricStat": stat}, {"Id": "half", "Expression": "m / 2"}])
    answer = aws.json("cloudwatch", "get-metric-data", "--metric-data-queries", queries, *period)
    assert [one["Values"] for one in answer["MetricDataResults"]] == [[1.0, 2.5], [0.5, 1.25]]

    cloudwatch(
        "put-metric-alarm", "--alarm-name", alarm, *metric, "--statistic", "Sum", "--period", "60",
        "--evaluation-periods", "1", "--threshold", "1", "--comparison-operator", "GreaterThanThreshold",
    )  # fmt: skip
    cloudwatch("wait", "alarm-exists", "--alarm-names", alarm)
    cloudwatch("set-alarm-state", "--alarm-name", alarm, "--state-value", "ALARM", "--state-reason", "by hand")
    query = ["--query", "MetricAlarms[].[StateValue,StateReason]", "--output", "text"]
    assert cloudwatch("describe-alarms", "--alarm-names", alarm, *query) == "ALARM\tby hand\n"
    cloudwatch("delete-alarms", "--alarm-names", alarm)
    line = aws.refused(
        "cloudwatch", "set-alarm-state", "--alarm-name", alarm, "--state-value", "OK", "--state-reason", "gone"
    )
    assert "(ResourceNotFound) when calling the SetAlarmState operation" in line


def test_it_invokes(aws, echo, tmp_path):
    command = ["sagemaker-runtime", "invoke-endpoint", "--endpoint-name", echo, "--content-type", "text/csv"]
    (tmp_path / "asked").write_bytes(bytes(range(256)))
    told = aws.json(*command, "--body", f"fileb://{tmp_path / 'asked'}", tmp_path / "answer")
    assert told["InvokedProductionVariant"] == "main"
    assert told["ContentType"] == "text/csv"
    assert (tmp_path / "answer").read_bytes() == bytes(range(256))
    # Version 1 takes a body as it is typed, version 2 takes it for base64.
    typed = {1: "tide", 2: "dGlkZQ=="}[aws.cli.major]
    aws.json(*command, "--body", typed, "--custom-attributes", "trace=7", tmp_path / "answer")
    assert (tmp_path / "answer").read_bytes() == b"tide"


def test_an_answer_in_parts_comes_whole(aws, speaker, tmp_path):
    (tmp_path / "asked").write_text("say high and low")
    command = ["sagemaker-runtime", "invoke-endpoint", "--endpoint-name", speaker]
    aws.json(*command, "--body", f"fileb://{tmp_path / 'asked'}", tmp_path / "answer")
    assert (tmp_path / "answer").read_text() == "highandlow"


def test_what_a_model_server_wrote_is_told(aws, speaker):
    group = f"/aws/sagemaker/Endpoints/{speaker}"
    found = aws.json("logs", "filter-log-events", "--log-group-name", group, "--filter-pattern", "speaker")
    assert [one["message"] for one in found["events"]] == ["the speaker listens"]
    if aws.cli.major == 2:
        assert "the speaker listens" in aws.text("logs", "tail", group, "--since", "1h")


def test_a_model_servers_failure_is_told_with_its_status(aws, failing, tmp_path):
    command = ["sagemaker-runtime", "invoke-endpoint", "--endpoint-name", failing, "--body", "dGlkZQ=="]
    line = aws.refused(*command, tmp_path / "answer")
    assert "(ModelError) when calling the InvokeEndpoint operation" in line
    assert "Received server error (500) from primary" in line


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (
            ["sagemaker", "describe-endpoint", "--endpoint-name", "nope"],
            "(ValidationException) when calling the DescribeEndpoint operation",
            'Could not find endpoint "arn:aws:sagemaker:us-east-1:000000000000:endpoint/nope".',
        ),
        (
            ["sagemaker", "delete-endpoint", "--endpoint-name", "under_score"],
            "(ValidationException) when calling the DeleteEndpoint operation",
            "1 validation error detected: Value 'under_score' at 'endpointName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: ^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        ),
        (
            ["sagemaker", "list-apps"],
            "(UnknownOperationException) when calling the ListApps operation",
            "Tidegate does not",
        ),
        (
            ["kms", "list-keys"],
            "(UnknownOperationException) when calling the ListKeys operation",
            'Tidegate does not serve the AWS service "kms"',
        ),
        (
            ["sts", "get-federation-token", "--name", "ann"],
            "(InvalidAction) when calling the GetFederationToken operation",
            "Tidegate does not",
        ),
    ],
    ids=lambda value: "-".join(value[:2]) if isinstance(value, list) else "",
)
def test_a_refusal_is_told_by_its_code_and_reason(aws, arguments, code, text):
    line = aws.refused(*arguments)
    assert line.startswith(f"An error occurred {code}")
    assert text in line


def test_a_command_without_what_it_needs_says_how_it_is_used(aws):
    line = aws.refused("sagemaker", "describe-endpoint", status=aws.cli.misused)
    assert "--endpoint-name" in line


def test_a_wait_for_what_has_failed_ends_at_once(aws, hosting):
    name = hosting.begin(hosting.config(hosting.model(image="registry.example/unknown:1")))
    assert hosting.settled(name)["EndpointStatus"] == "Failed"
    command = ["sagemaker", "wait", "endpoint-in-service", "--endpoint-name", name]
    line = aws.refused(*command, status=aws.cli.gave_up)
    assert "Waiter EndpointInService failed" in line
    hosting.delete(name)


def test_a_wrong_secret_is_told_as_such(aws, tmp_path):
    key, _ = aws.server.key()
    (tmp_path / "credentials").write_text(f"[default]\naws_access_key_id = {key}\naws_secret_access_key = wrong\n")
    ended = aws.cli.run(aws.server, "sts", "get-caller-identity", credentials=tmp_path / "credentials")
    assert ended.returncode == aws.cli.refused
    assert "SignatureDoesNotMatch" in ended.stderr
