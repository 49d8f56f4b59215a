"""Updates and deletions of endpoints that scale: what is refused, what waits, what goes with them.

Promises S1, S2, S3, S7 and S9 with boto3, after the texts of reference/autoscaling-and-cloudwatch.md, section 1.10.
"""

import pytest

from harness import names
from harness.hosting import error_of, eventually, variant
from harness.scaling import MINUTE, OWN, assert_scaled, minute_of, proportional


@pytest.fixture(scope="module")
def server_config():
    return "[limits]\ninstances = 32\n"


@pytest.fixture(scope="module")
def server_arguments():
    return ["--time-scale", "60"]


def follows_its_own(scaling, target, *values):
    """Puts a policy that asks for 10 of a metric, whose last minutes have these values."""
    metric = names.fresh("Depth")
    spec = {"Namespace": OWN, "MetricName": metric, "Statistic": "Average"}
    alarms = scaling.track(target, 10, metric=spec)
    # Three minutes that are over make an alarm with the next look.
    scaling.feed(metric, *values, start=minute_of(scaling.now()) - 3 * MINUTE)
    return alarms


# -- S1, S2, S3 ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def registered(hosting, scaling):
    """An endpoint with two variants that are registered and one that is not; its config, its model, its targets."""
    model = hosting.model()
    config = hosting.config(*(variant(model, one, count=1) for one in ("a", "b", "free")))
    name = hosting.endpoint(config)
    targets = [scaling.register(name, 1, 3, one) for one in ("a", "b")]
    scaling.track(targets[0], 100, metric="SageMakerVariantInvocationsPerInstance")
    return name, config, model, targets


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        # S1: another instance type.
        ([("a", "ml.c5.xlarge"), ("b", "ml.m5.large"), ("free", "ml.m5.large")], ["a"]),
        ([("a", "ml.c5.xlarge"), ("b", "ml.c5.xlarge"), ("free", "ml.m5.large")], ["a", "b"]),
        # S2: no such variant any more.
        ([("b", "ml.m5.large"), ("free", "ml.m5.large")], ["a"]),
        ([("free", "ml.m5.large"), ("new", "ml.m5.large")], ["a", "b"]),
        # Both at once.
        ([("b", "ml.c5.xlarge"), ("free", "ml.c5.xlarge")], ["a", "b"]),
    ],
)
@pytest.mark.parametrize("retain", [False, True])
def test_an_update_that_would_take_scaling_away_is_refused_whole(hosting, scaling, registered, changed, named, retain):
    name, config, model, targets = registered
    wanted = hosting.config(*(variant(model, one, InstanceType=kind) for one, kind in changed))
    before = hosting.describe(name), scaled(scaling, targets)
    code, text, status = error_of(hosting.update, name, wanted, RetainAllVariantProperties=retain)
    assert (code, status) == ("ValidationException", 400)
    assert text.startswith(
        f'The variant(s) "[{", ".join(named)}]" must be deregistered as scalable targets with AWS Auto Scaling before '
        "they can be removed or have their instance type modified."
    )
    # What to do is said, too, by the names that have to be typed.
    assert [f"endpoint/{name}/variant/{one}" in text for one in named] == [True] * len(named)
    after = hosting.describe(name), scaled(scaling, targets)
    for seen in (before, after):
        seen[0].pop("ResponseMetadata")
    assert after == before
    assert after[0]["EndpointConfigName"] == config


def scaled(scaling, targets):
    """Everything that scales these, as it is told."""
    ids = [one["ResourceId"] for one in targets]
    space = {"ServiceNamespace": "sagemaker"}
    policies = scaling.autoscaling.describe_scaling_policies(**space, ResourceId=ids[0])["ScalingPolicies"]
    alarms = [alarm["AlarmName"] for policy in policies for alarm in policy["Alarms"]]
    shown = scaling.autoscaling.describe_scalable_targets(**space, ResourceIds=ids)["ScalableTargets"]
    # No names at all would ask for every alarm.
    found = scaling.cloudwatch.describe_alarms(AlarmNames=alarms)["MetricAlarms"] if alarms else []
    return shown, policies, len(found)


def test_an_update_of_the_model_and_of_what_is_not_registered_is_done(hosting, scaling, registered):
    """S3, and S6 beside it: the counts that scaling has set are kept where that is asked."""
    name, _, _, targets = registered
    other = hosting.model(TIDEGATE_ECHO_DELAY_MS=1)
    before = scaled(scaling, targets)
    free = variant(other, "free", InstanceType="ml.c5.xlarge")
    wanted = hosting.config(variant(other, "a", count=2), variant(other, "b", count=2), free)
    hosting.update(name, wanted, RetainAllVariantProperties=True)
    seen = hosting.in_service(name)
    assert seen["EndpointConfigName"] == wanted
    assert "FailureReason" not in seen
    counts = {one["VariantName"]: one["DesiredInstanceCount"] for one in seen["ProductionVariants"]}
    assert counts == {"a": 1, "b": 1, "free": 1}
    assert scaled(scaling, targets) == before


# -- S7 ------------------------------------------------------------------------------------------------------------


def test_while_an_endpoint_is_updated_nothing_scales_it_and_then_it_goes_on(hosting, scaling):
    name, target = scaling.echo()
    # Four minutes of the server, so that the alarm calls more than once meanwhile.
    slow = hosting.config(hosting.model(TIDEGATE_ECHO_STARTUP_MS=4000))
    hosting.update(name, slow)
    high, _ = follows_its_own(scaling, target, *[15] * 60)
    (reason,) = eventually(lambda: scaling.not_scaled(target))
    assert reason == {"Code": "TargetServicePutResourceAsUnscalable"}
    seen = hosting.describe(name)
    assert seen["EndpointStatus"] == "Updating"
    assert scaling.desired(name) == 1
    pending = seen["PendingDeploymentSummary"]["ProductionVariants"]
    assert [one["DesiredInstanceCount"] for one in pending] == [1]
    # Without being asked for, what was not done is not told.
    assert scaling.activities(target) == []
    (told,) = scaling.activities(target, IncludeNotScaledActivities=True)
    assert told["Description"] == "Attempting to scale due to alarm triggered"
    assert told["Cause"] == f"monitor alarm {high} in state ALARM triggered policy track"
    assert "EndTime" not in told

    (out,) = scaling.ended(target, 1)[:1]
    assert_scaled(out, proportional(1, [15], 10, 1, 4), high, "track")
    done = hosting.in_service(name)
    assert done["EndpointConfigName"] == slow
    assert scaling.desired(name) == 2
    # It began when the update had ended, not before; and the reason was told once for all the calls meanwhile.
    assert out["StartTime"] > told["StartTime"]
    assert scaling.not_scaled(target).count(reason) == 1
    hosting.delete(name)


# -- S8 ------------------------------------------------------------------------------------------------------------


def test_a_count_set_by_hand_stands_until_a_policy_asks_for_another(hosting, scaling):
    name, target = scaling.echo(most=2)
    hosting.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredInstanceCount": 4}]
    )
    hosting.in_service(name)
    since = scaling.now()
    eventually(lambda: scaling.now() > since + 2 * MINUTE)
    assert scaling.desired(name) == 4
    # More is asked for than there is, but no more than two may be: it is not lowered by what wants to raise it.
    follows_its_own(scaling, target, *[15] * 30)
    (reason,) = eventually(lambda: scaling.not_scaled(target))
    assert reason == {"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 2}
    assert scaling.desired(name) == 4
    # Registering again, even without a change, moves it into the bounds.
    scaling.autoscaling.register_scalable_target(**target)
    (moved,) = scaling.ended(target, 1)
    assert moved["Cause"] == "maximum capacity was set to 2"
    assert moved["Description"] == "Setting desired instance count to 2."
    assert hosting.in_service(name)["ProductionVariants"][0]["CurrentInstanceCount"] == 2
    hosting.delete(name)


# -- S9 ------------------------------------------------------------------------------------------------------------


def test_a_deletion_takes_all_that_scales_with_it_and_leaves_the_history(hosting, scaling):
    """As the root user, who may deregister."""
    name, target = scaling.echo()
    high, low = follows_its_own(scaling, target, 20, 20, 20)
    arn = scaling.step(target, (0, None, 1))
    mine = scaling.alarm_on(names.fresh("Errors"), arn, 5)
    scaling.autoscaling.put_scheduled_action(
        **target, ScheduledActionName="later", Schedule="rate(1 day)", ScalableTargetAction={"MinCapacity": 2}
    )
    before = scaling.ended(target, 1)
    hosting.delete(name)
    aas, only = scaling.autoscaling, {"ServiceNamespace": "sagemaker"}
    assert aas.describe_scalable_targets(**only, ResourceIds=[target["ResourceId"]])["ScalableTargets"] == []
    assert aas.describe_scaling_policies(**target)["ScalingPolicies"] == []
    assert aas.describe_scheduled_actions(**target)["ScheduledActions"] == []
    shown = scaling.cloudwatch.describe_alarms(AlarmNames=[high, low, mine])["MetricAlarms"]
    # The user's own alarm stays, without the action.
    assert [(one["AlarmName"], one["AlarmActions"]) for one in shown] == [(mine, [])]
    assert [one["ActivityId"] for one in scaling.activities(target)] == [one["ActivityId"] for one in before]
    # A new endpoint of the same name is not scaled by what is gone.
    again = hosting.endpoint(hosting.config(hosting.model()), name=name)
    assert aas.describe_scalable_targets(**only, ResourceIds=[target["ResourceId"]])["ScalableTargets"] == []
    scaling.cloudwatch.delete_alarms(AlarmNames=[mine])
    hosting.delete(again)


def test_a_deletion_in_the_middle_of_a_scale_out_waits_for_it(hosting, scaling):
    """An endpoint that is `Updating` cannot be deleted, whoever updates it; nothing is deregistered then."""
    name, target = scaling.echo(TIDEGATE_ECHO_STARTUP_MS=1500)
    alarms = follows_its_own(scaling, target, 25, 25, 25)
    eventually(lambda: scaling.activities(target))
    code, text, status = error_of(hosting.sagemaker.delete_endpoint, EndpointName=name)
    arn = names.arn("endpoint", name)
    assert (code, text, status) == ("ValidationException", f'Cannot update in-progress endpoint "{arn}".', 400)
    assert scaled(scaling, [target])[2] == 2
    (out,) = scaling.ended(target, 1)
    assert out["StatusCode"] == "Successful"
    hosting.delete(name)
    assert scaled(scaling, [target]) == ([], [], 0)
    assert scaling.cloudwatch.describe_alarms(AlarmNames=alarms)["MetricAlarms"] == []
