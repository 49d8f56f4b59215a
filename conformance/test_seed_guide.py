"""docs/guides/update-an-autoscaled-endpoint.md: the seven steps by hand, run as they are printed there.

Each way begins with the README's endpoint, which the guide goes on with.
"""

import os
import pathlib
import subprocess
import sys

import pytest

from harness import readme
from harness.hosting import Hosting
from harness.load import Load
from harness.scaling import Scaling
from harness.server import Server, binary

GUIDE = "docs/guides/update-an-autoscaled-endpoint.md"
TARGET = {"ServiceNamespace": "sagemaker", "ResourceId": "endpoint/tide/variant/main"}
STEPS = 7
LIMIT_SECONDS = 120


class Tide:
    """The README's endpoint with its policy, on a server of its own."""

    def __init__(self, server):
        self.server = server
        made = readme.run_python(server, blocks=2, capture_output=True, text=True)
        assert made.returncode == 0, made.stderr
        self.hosting = Hosting(server)
        self.scaling = Scaling(self.hosting)
        self.autoscaling = self.scaling.autoscaling

    def run(self, command, place):
        """A command as a shell with `tidegate` and `aws` on its path would."""
        tools = [binary().parent, pathlib.Path(sys.executable).parent]
        path = os.pathsep.join(map(str, [*tools, os.environ["PATH"]]))
        environment = self.server.client_environment(PATH=path, XDG_STATE_HOME=str(place))
        return subprocess.run(
            command, cwd=place, env=environment, capture_output=True, text=True, timeout=LIMIT_SECONDS
        )

    def scaled(self):
        """What scales it, without what is new whenever it is registered."""
        (target,) = self.autoscaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        tags = self.autoscaling.list_tags_for_resource(ResourceARN=target["ScalableTargetARN"])["Tags"]
        policies = self.autoscaling.describe_scaling_policies(**TARGET)["ScalingPolicies"]
        actions = self.autoscaling.describe_scheduled_actions(**TARGET)["ScheduledActions"]
        for one in [target, *policies, *actions]:
            for new in ("CreationTime", "ScalableTargetARN", "PolicyARN", "ScheduledActionARN"):
                one.pop(new, None)
        alarms = [len(policy.pop("Alarms")) for policy in policies]
        return target, tags, policies, actions, alarms

    def updated(self):
        """That it runs on the new type, and scales as it did. Gives back its count."""
        seen = self.hosting.settled("tide")
        assert (seen["EndpointStatus"], seen["EndpointConfigName"]) == ("InService", "tide-2")
        config = self.hosting.sagemaker.describe_endpoint_config(EndpointConfigName="tide-2")
        assert [one["InstanceType"] for one in config["ProductionVariants"]] == ["ml.c5.xlarge"]
        return seen["ProductionVariants"][0]["CurrentInstanceCount"]


@pytest.fixture
def tide():
    made = Server()
    try:
        yield Tide(made.start())
    finally:
        made.close()


def load(tide):
    body = b'{"instances": [[3, 4, 5, 5, 5, 4, 3, 2, 2, 1, 1, 2, 3, 4, 5, 5, 5, 4, 3, 2, 2, 1, 1, 2]]}'
    return Load(tide.hosting, "tide", threads=2, body=body, per_second=20, echo=False, ContentType="application/json")


def test_it_says_each_of_the_seven_steps_twice():
    for language, section in [("python", "With boto3"), ("sh", "With the AWS CLI")]:
        # What is read before, and the steps.
        assert len(readme.snippets(language, GUIDE, section)) == 1 + STEPS


def test_with_boto3(tide, tmp_path):
    (target,) = tide.autoscaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    tide.autoscaling.tag_resource(ResourceARN=target["ScalableTargetARN"], Tags={"team": "tide"})
    tide.autoscaling.put_scheduled_action(
        **TARGET,
        ScalableDimension=target["ScalableDimension"],
        ScheduledActionName="nights",
        Schedule="cron(0 22 * * ? *)",
        ScalableTargetAction={"MaxCapacity": 2},
    )
    before = tide.scaled()
    with load(tide) as asked:
        ended = tide.run([sys.executable, "-c", "".join(readme.snippets("python", GUIDE))], tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == ["InService", "tide-2"]
    # The instances of the second step stay until a policy takes them back.
    assert tide.updated() == 2
    assert tide.scaled() == before
    assert (asked.failures, asked.count > 5) == ([], True)


def test_with_the_aws_cli(tide, tmp_path):
    before = tide.scaled()
    script = "".join(readme.snippets("sh", GUIDE, "With the AWS CLI"))
    with load(tide) as asked:
        ended = tide.run(["sh", "-euc", script], tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "InService\ttide-2\tNone" in ended.stdout
    assert tide.updated() == 2
    assert tide.scaled() == before
    assert (asked.failures, asked.count > 5) == ([], True)


def test_in_one_command(tide, tmp_path):
    config = tide.hosting.sagemaker.describe_endpoint_config(EndpointConfigName="tide-1")
    (variant,) = config["ProductionVariants"]
    tide.hosting.config(variant | {"InstanceType": "ml.c5.xlarge"}, name="tide-2")
    before = tide.scaled()
    (block,) = readme.snippets("sh", GUIDE, "In one command")
    plan, update = block.splitlines()
    with load(tide) as asked:
        # It would be refused: that is what the plan's status says.
        assert tide.run(["sh", "-c", plan], tmp_path).returncode == 10
        assert tide.scaled() == before
        ended = tide.run(["sh", "-c", update], tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert tide.updated() == 1
    assert tide.scaled() == before
    assert (asked.failures, asked.count > 5) == ([], True)
