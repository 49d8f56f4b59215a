"""Deployment guardrails: traffic that goes over step by step, and back when an alarm, a failure or somebody says so."""

import collections
import contextlib
import json
import pathlib
import sys
import threading
import time

import pytest
from botocore.exceptions import ClientError

from harness import names, signed
from harness.deployments import blue_green, instances, percent, rolling
from harness.hosting import Hosting, error_of, eventually, variant
from harness.load import Load
from harness.program import Program
from harness.server import Server

SERVER = pathlib.Path(__file__).parent / "images" / "model_server.py"
COUNT = 4
WAIT = 180
# Of server time, in which waits are scheduled: three seconds by the wall are enough to look twice.
SCALE = 60


@pytest.fixture(scope="module")
def server_config():
    return f"""
[[image]]
match = "versioned"
command = ["{sys.executable}", "{SERVER}"]
"""


@pytest.fixture(scope="module")
def server_arguments():
    return ["--time-scale", str(SCALE)]


def all_at_once(alarms=()):
    return blue_green("ALL_AT_ONCE", 0, WAIT, alarms=alarms)


def canary(alarms=(), wait=WAIT, termination=WAIT, timeout=None):
    return blue_green("CANARY", wait, termination, timeout, alarms, CanarySize=instances(1))


def linear(alarms=()):
    return blue_green("LINEAR", WAIT, WAIT, alarms=alarms, LinearStepSize=percent(50))


def one_by_one(alarms=(), back=None):
    return rolling(instances(1), WAIT, back, alarms)


class Versions:
    """An endpoint of four instances of one version and a config of another, watched while it is updated."""

    def __init__(self, hosting, **new):
        self.hosting = hosting
        self.old = hosting.config(variant(hosting.model(image="versioned", VERSION="old"), count=COUNT))
        self.new = hosting.config(variant(hosting.model(image="versioned", VERSION="new", **new), count=COUNT))
        self.name = hosting.endpoint(self.old)
        self.statuses, self.messages, self.stages, self.fewest = [], [], [], COUNT
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def version(self):
        return json.loads(self.hosting.invoke(self.name))["environment"]["VERSION"]

    def share(self, requests=200):
        """The part of some requests that the new version answered."""
        return collections.Counter(self.version() for _ in range(requests))["new"] / requests

    def share_of_bake(self, at_most=150):
        """The same of the requests that this bake has time for, and how many those were."""

        def stage():
            rollout = self.last_update().get("Rollout", {})
            return rollout.get("Stage"), rollout.get("Step")

        bake, answered = stage(), []
        while len(answered) < at_most:
            some = [self.version() for _ in range(10)]
            if stage() != bake:
                break
            answered += some
        return answered.count("new") / len(answered), len(answered)

    def last_update(self):
        return signed.own(self.hosting.server, "GET", f"/endpoints/{self.name}/last-update")[1]

    def _watch(self):
        while not self._stop.is_set():
            with contextlib.suppress(ClientError):
                self._look()
            time.sleep(0.05)

    def _look(self):
        seen = self.hosting.describe(self.name)
        note(self.statuses, seen["EndpointStatus"])
        variants = seen["ProductionVariants"] + seen.get("PendingDeploymentSummary", {}).get("ProductionVariants", [])
        for one in variants:
            for status in one.get("VariantStatus", []):
                note(self.messages, (status["Status"], status["StatusMessage"]))
        rollout = self.last_update().get("Rollout")
        if rollout:
            (main,) = rollout["Variants"]
            active = (main["Old"]["Active"], main["New"]["Active"])
            self.fewest = min(self.fewest, sum(active))
            note(self.stages, (rollout["Stage"], *active))

    def reaches(self, stage, new):
        """Waits until the update is at a stage with so many new instances in traffic."""

        def there():
            rollout = self.last_update().get("Rollout")
            return rollout and rollout["Stage"] == stage and rollout["Variants"][0]["New"]["Active"] == new

        eventually(there, 60)

    def ends(self, seconds=90):
        def settled():
            seen = self.hosting.describe(self.name)
            return seen if seen["EndpointStatus"] in ("InService", "UpdateRollbackFailed") else None

        seen = eventually(settled, seconds)
        self.stop_watching()
        self._look()
        return seen

    def stop_watching(self):
        self._stop.set()
        self._thread.join(10)

    def close(self):
        self.stop_watching()
        eventually(lambda: self.hosting.describe(self.name)["EndpointStatus"] == "InService", 90)
        self.hosting.delete(self.name)


def note(story, seen):
    if seen not in story[-1:]:
        story.append(seen)


@pytest.fixture
def versions(hosting):
    made = Versions(hosting)
    yield made
    made.close()


@pytest.fixture
def alarm(scaling):
    """The name of an alarm, and what sets it off."""
    metric = names.fresh("errors")
    name = scaling.alarm_on(metric, "arn:aws:sns:us-east-1:000000000000:told", 5, EvaluationPeriods=1)
    scaling.cloudwatch.disable_alarm_actions(AlarmNames=[name])

    def off():
        scaling.feed(metric, *[9.0] * 12)
        eventually(lambda: scaling.alarm(name)["StateValue"] == "ALARM")

    return name, off


STAGES = {
    "canary": (
        canary(),
        [(0.25, 1)],
        [("Provisioning", 4, 0), ("Baking", 3, 1), ("Baking", 0, 4)],
        [
            "Launching 4 instance(s).",
            "Baking for 180 seconds (WaitIntervalInSeconds) with traffic enabled on canary capacity of 1 instance(s).",
            "Baking for 180 seconds (TerminationWaitInSeconds) with traffic enabled on full capacity of 4 instance(s).",
        ],
    ),
    "linear": (
        linear(),
        [(0.5, 2)],
        [("Provisioning", 4, 0), ("Baking", 2, 2), ("Baking", 0, 4)],
        [
            "Launching 4 instance(s).",
            "Baking for 180 seconds (WaitIntervalInSeconds) with traffic enabled on canary capacity of 2 instance(s).",
            "Baking for 180 seconds (TerminationWaitInSeconds) with traffic enabled on full capacity of 4 instance(s).",
        ],
    ),
    "rolling": (
        rolling(percent(50), WAIT),
        [(0.5, 2)],
        [("Provisioning", 4, 0), ("Baking", 2, 2), ("Baking", 0, 4)],
        [
            "Launching 2 instance(s).",
            "Baking for 180 seconds (WaitIntervalInSeconds) with traffic enabled on canary capacity of 2 instance(s).",
            "Baking for 180 seconds (WaitIntervalInSeconds) with traffic enabled on full capacity of 4 instance(s).",
        ],
    ),
    "all at once": (
        all_at_once(),
        [],
        [("Provisioning", 4, 0), ("Baking", 0, 4)],
        [
            "Launching 4 instance(s).",
            "Baking for 180 seconds (TerminationWaitInSeconds) with traffic enabled on full capacity of 4 instance(s).",
        ],
    ),
}


@pytest.mark.parametrize("kind", STAGES)
def test_traffic_goes_over_in_steps_and_no_request_fails(hosting, versions, kind):
    deployment, shares, stages, messages = STAGES[kind]
    with Load(hosting, versions.name, threads=2, per_second=60, echo=False) as load:
        hosting.update(versions.name, versions.new, DeploymentConfig=deployment)
        for share, active in shares:
            versions.reaches("Baking", active)
            seen, requests = versions.share_of_bake()
            # Four standard deviations, however many requests the bake had time for.
            assert abs(seen - share) < 4 * (share * (1 - share) / requests) ** 0.5
        seen = versions.ends()
    assert load.failures == []
    assert (seen["EndpointConfigName"], seen["LastDeploymentConfig"]) == (versions.new, deployment)
    assert "FailureReason" not in seen
    assert versions.share(40) == 1
    assert versions.statuses == ["InService", "Updating", "InService"]
    # A moment may be too short to be seen; what is seen comes in this order.
    assert in_order(versions.stages, stages), versions.stages
    assert in_order([message for _, message in versions.messages], messages), versions.messages
    assert versions.fewest == COUNT
    assert versions.last_update()["Outcome"] == "Applied"


def in_order(seen, expected):
    """Whether all that is expected was seen, in its order."""
    rest = iter(seen)
    return all(one in rest for one in expected)


@pytest.mark.parametrize(
    ("deployment", "active"),
    [
        (canary, 1),
        (canary, 4),
        (linear, 2),
        (all_at_once, 4),
        (one_by_one, 2),
        (lambda alarms: one_by_one(alarms, percent(25)), 3),
    ],
    ids=["canary", "canary, last bake", "linear", "all at once", "rolling", "rolling, back in batches"],
)
def test_an_alarm_takes_everything_back_and_no_request_fails(hosting, versions, alarm, deployment, active):
    name, off = alarm
    with Load(hosting, versions.name, threads=2, per_second=60, echo=False) as load:
        hosting.update(versions.name, versions.new, DeploymentConfig=deployment([name]))
        versions.reaches("Baking", active)
        off()
        seen = versions.ends()
    assert load.failures == []
    assert seen["EndpointConfigName"] == versions.old
    assert name in seen["FailureReason"]
    assert "Threshold Crossed" in seen["FailureReason"]
    assert versions.share(40) == 0
    # Where only new instances have to leave, the way back may be too short to be seen.
    back = [status for status in versions.statuses if status != "RollingBack"]
    assert back in (["InService", "Updating", "InService"], ["InService", "Updating"]), versions.statuses
    assert versions.fewest >= COUNT
    assert seen["ProductionVariants"][0]["CurrentInstanceCount"] == COUNT
    last = versions.last_update()
    assert (last["Outcome"], last["Reason"]) == ("RolledBack", seen["FailureReason"])


@pytest.mark.parametrize("deployment", [canary(), one_by_one()], ids=["canary", "rolling"])
def test_an_update_is_taken_back_on_request(hosting, server, versions, tmp_path, deployment):
    program = Program(server, tmp_path)
    with Load(hosting, versions.name, threads=2, per_second=60, echo=False) as load:
        hosting.update(versions.name, versions.new, DeploymentConfig=deployment)
        versions.reaches("Baking", 1)
        said = program.run("endpoint", "rollback", versions.name, "--wait")
        seen = versions.ends()
    assert load.failures == []
    assert said.returncode == 0, said.stderr
    assert seen["EndpointConfigName"] == versions.old
    assert seen["FailureReason"] == "The deployment was rolled back on request."
    again = program.run("endpoint", "rollback", versions.name)
    assert again.returncode == 1
    assert f'There is no update of endpoint "{versions.name}" that could be rolled back.' in again.stderr


def test_a_new_version_that_does_not_start_takes_no_traffic(hosting):
    made = Versions(hosting, IGNORED="yes")
    try:
        broken = hosting.config(variant(hosting.model(image="nobody/knows:this"), count=COUNT))
        for deployment in (canary(), linear(), one_by_one()):
            hosting.update(made.name, broken, DeploymentConfig=deployment)
            seen = eventually(
                lambda: one if (one := hosting.describe(made.name))["EndpointStatus"] == "InService" else None, 60
            )
            assert seen["EndpointConfigName"] == made.old
            assert "[[image]]" in seen["FailureReason"]
            assert made.share(20) == 0
    finally:
        made.close()


def test_an_update_that_takes_too_long_is_taken_back(hosting, versions):
    slow = hosting.config(variant(hosting.model(TIDEGATE_ECHO_STARTUP_MS=60_000), count=COUNT))
    hosting.update(versions.name, slow, DeploymentConfig=canary(wait=60, termination=60, timeout=600))
    seen = versions.ends()
    assert seen["EndpointConfigName"] == versions.old
    assert "MaximumExecutionTimeoutInSeconds of 600" in seen["FailureReason"]


def test_the_deployment_config_is_retained_where_that_is_asked(hosting, versions):
    hosting.update(versions.name, versions.new, DeploymentConfig=canary(wait=60, termination=0))
    eventually(lambda: hosting.describe(versions.name)["EndpointStatus"] == "InService", 60)
    hosting.update(versions.name, versions.old, RetainDeploymentConfig=True)
    versions.reaches("Baking", 1)
    eventually(lambda: hosting.describe(versions.name)["EndpointStatus"] == "InService", 60)
    # Without it, all goes over at once; what was used last is still told.
    hosting.update(versions.name, versions.new)
    seen = versions.ends()
    assert versions.stages.count(("Baking", 3, 1)) == 2
    assert seen["LastDeploymentConfig"] == canary(wait=60, termination=0)


def test_a_restart_in_the_middle_goes_on(server_config, server_arguments):
    server = Server(config=server_config, arguments=server_arguments)
    try:
        versions = Versions(Hosting(server.start()))
        versions.hosting.update(versions.name, versions.new, DeploymentConfig=canary(wait=900))
        versions.reaches("Baking", 1)
        versions.stop_watching()
        rollout = versions.last_update()["Rollout"]
        server.kill()
        versions.hosting = Hosting(server.start())
        after = versions.last_update()["Rollout"]
        assert (after["Stage"], after["Since"], after["Until"]) == ("Baking", rollout["Since"], rollout["Until"])
        seen = versions.ends()
        assert (seen["EndpointConfigName"], versions.share(20)) == (versions.new, 1)
    finally:
        server.close()


REFUSED = {
    "both policies": (canary() | one_by_one(), "Specify only one of BlueGreenUpdatePolicy and RollingUpdatePolicy"),
    "no canary size": (blue_green("CANARY", WAIT, WAIT), "CanarySize is required"),
    "no step size": (blue_green("LINEAR", WAIT, WAIT), "LinearStepSize is required"),
    "a size for all at once": (
        blue_green("ALL_AT_ONCE", 0, 0, CanarySize=percent(10)),
        "CanarySize can only be specified",
    ),
    "a canary of more than half": (
        blue_green("CANARY", WAIT, WAIT, CanarySize=percent(51)),
        "between 1 and 50 percent",
    ),
    "a canary of three of four": (
        blue_green("CANARY", WAIT, WAIT, CanarySize=instances(3)),
        "at most 50 percent of the capacity",
    ),
    "steps under a tenth": (blue_green("LINEAR", WAIT, WAIT, LinearStepSize=percent(9)), "between 10 and 50 percent"),
    "a batch under a twentieth": (rolling(percent(4), WAIT), "between 5 and 50 percent"),
    "less time than waits": (canary(wait=600, termination=600, timeout=1200), "greater than the sum of all wait times"),
    "an alarm twice": (canary(["twice", "twice"]), "non-unique"),
    "an alarm that is not there": (canary(["nobody"]), 'The alarm(s) "[nobody]"'),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_does_not_go_together_is_refused_and_changes_nothing(hosting, refusing, what):
    deployment, words = REFUSED[what]
    before = hosting.describe(refusing.name)
    code, message, status = error_of(hosting.update, refusing.name, refusing.new, DeploymentConfig=deployment)
    assert (code, status) == ("ValidationException", 400)
    assert words in message
    seen = hosting.describe(refusing.name)
    for answer in (before, seen):
        answer.pop("ResponseMetadata")
    assert seen == before


@pytest.fixture(scope="module")
def refusing(hosting):
    made = Versions(hosting)
    yield made
    made.close()


def test_steps_need_the_same_variants_and_rolling_only_one(hosting, refusing):
    other = hosting.config(variant(hosting.model(), name="other", count=COUNT))
    for deployment in (canary(), linear(), one_by_one()):
        code, message, _ = error_of(hosting.update, refusing.name, other, DeploymentConfig=deployment)
        assert (code, "requires the same variant names" in message) == ("ValidationException", True), message
    two = hosting.config(*[variant(hosting.model(), name=name, count=2) for name in ("a", "b")])
    with hosting.removed_after(hosting.endpoint(two)) as name:
        code, message, _ = error_of(hosting.update, name, two, DeploymentConfig=one_by_one())
        assert (code, "more than one variant" in message) == ("ValidationException", True), message
        # By steps each of them goes over.
        hosting.update(name, two, DeploymentConfig=canary(wait=0, termination=0))
        assert "FailureReason" not in hosting.in_service(name)
