"""Application Auto Scaling through boto3: targets, policies with their alarms, scheduled actions, tags, errors."""

import concurrent.futures
import datetime

import pytest

from harness import names
from harness.hosting import Hosting, error_of, eventually, variant
from harness.server import ACCOUNT, REGION, Server

SPACE = {"ServiceNamespace": "sagemaker"}
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
INVOCATIONS = "SageMakerVariantInvocationsPerInstance"
CONCURRENCY = "SageMakerVariantConcurrentRequestsPerModelHighResolution"
ROLE = (
    f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)


@pytest.fixture(scope="module")
def server_config():
    return "[limits]\ninstances = 12\n"


@pytest.fixture(scope="module")
def scaling(server):
    return server.client("application-autoscaling")


@pytest.fixture(scope="module")
def cloudwatch(server):
    return server.client("cloudwatch")


@pytest.fixture(scope="module")
def endpoint(hosting):
    """An endpoint that all tests share; each registers a variant of it anew."""
    model = hosting.model()
    return hosting.endpoint(hosting.config(variant(model), variant(model, "spare")))


def key(endpoint, variant="main"):
    return SPACE | {"ResourceId": f"endpoint/{endpoint}/variant/{variant}", "ScalableDimension": DIMENSION}


@pytest.fixture
def target(scaling, endpoint):
    """The three members that name a registered target, which is gone after the test."""
    named = key(endpoint)
    scaling.register_scalable_target(**named, MinCapacity=1, MaxCapacity=4)
    yield named
    scaling.deregister_scalable_target(**named)


def described(scaling, target):
    (found,) = scaling.describe_scalable_targets(**SPACE, ResourceIds=[target["ResourceId"]])["ScalableTargets"]
    return found


def tracking(value=100.0, metric=INVOCATIONS, **more):
    return {"TargetValue": value, "PredefinedMetricSpecification": {"PredefinedMetricType": metric}} | more


def put_tracking(scaling, target, name="track", **members):
    return scaling.put_scaling_policy(
        **target,
        PolicyName=name,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=tracking(**members),
    )


def put_steps(scaling, target, name="steps"):
    config = {
        "AdjustmentType": "ChangeInCapacity",
        "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
    }
    return scaling.put_scaling_policy(
        **target, PolicyName=name, PolicyType="StepScaling", StepScalingPolicyConfiguration=config
    )


# -- targets -------------------------------------------------------------------------------------------------------


def test_a_target_is_described_as_it_was_registered(scaling, endpoint):
    named = key(endpoint)
    arn = scaling.register_scalable_target(**named, MinCapacity=1, MaxCapacity=4)["ScalableTargetARN"]
    found = described(scaling, named)
    created = found.pop("CreationTime")
    assert abs((datetime.datetime.now(datetime.UTC) - created).total_seconds()) < 60
    assert found == named | {
        "MinCapacity": 1,
        "MaxCapacity": 4,
        "RoleARN": ROLE,
        "ScalableTargetARN": arn,
        "SuspendedState": {
            "DynamicScalingInSuspended": False,
            "DynamicScalingOutSuspended": False,
            "ScheduledScalingSuspended": False,
        },
    }
    assert arn.startswith(f"arn:aws:application-autoscaling:{REGION}:{ACCOUNT}:scalable-target/056m")
    assert scaling.deregister_scalable_target(**named)["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert scaling.describe_scalable_targets(**SPACE)["ScalableTargets"] == []


@pytest.mark.parametrize(
    "update, changed",
    [
        ({}, {}),
        ({"MaxCapacity": 7}, {"MaxCapacity": 7}),
        ({"MinCapacity": 0}, {"MinCapacity": 0}),
        ({"SuspendedState": {}}, {}),
        (
            {"SuspendedState": {"DynamicScalingInSuspended": True}},
            {
                "SuspendedState": {
                    "DynamicScalingInSuspended": True,
                    "DynamicScalingOutSuspended": False,
                    "ScheduledScalingSuspended": False,
                }
            },
        ),
        ({"RoleARN": "arn:aws:iam::000000000000:role/nobody"}, {}),
    ],
)
def test_registering_again_changes_only_what_it_names(scaling, target, update, changed):
    before = described(scaling, target)
    scaling.register_scalable_target(**target, **update)
    assert described(scaling, target) == before | changed


def test_a_capacity_outside_the_bounds_is_moved(hosting, scaling):
    name = hosting.echo_endpoint()
    with hosting.removed_after(name):
        scaling.register_scalable_target(**key(name), MinCapacity=2, MaxCapacity=3)

        def moved():
            (activity,) = scaling.describe_scaling_activities(**key(name))["ScalingActivities"]
            return activity if activity["StatusCode"] != "InProgress" else None

        activity = eventually(moved)
        assert (activity["StatusCode"], activity["Cause"]) == ("Successful", "minimum capacity was set to 2")
        assert activity["Description"] == "Setting desired instance count to 2."
        assert activity["StatusMessage"] == (
            "Successfully set desired instance count to 2. Change successfully fulfilled by sagemaker."
        )
        assert activity["EndTime"] >= activity["StartTime"]
        assert hosting.variant_of(name)["CurrentInstanceCount"] == 2


def test_a_registered_variant_cannot_be_updated_away_until_it_is_deregistered(hosting, scaling):
    model = hosting.model()
    name = hosting.endpoint(hosting.config(variant(model)))
    with hosting.removed_after(name):
        larger = hosting.config(variant(model, InstanceType="ml.m5.xlarge"))
        scaling.register_scalable_target(**key(name), MinCapacity=1, MaxCapacity=2)
        code, text, _ = error_of(hosting.update, name, larger)
        assert code == "ValidationException"
        assert 'The variant(s) "[main]" must be deregistered as scalable targets' in text
        scaling.deregister_scalable_target(**key(name))
        hosting.update(name, larger)
        assert hosting.settled(name)["EndpointConfigName"] == larger


def test_a_deleted_endpoint_takes_its_targets_and_leaves_their_activities(hosting, scaling, cloudwatch):
    name = hosting.echo_endpoint()
    scaling.register_scalable_target(**key(name), MinCapacity=2, MaxCapacity=3)
    alarms = [alarm["AlarmName"] for alarm in put_tracking(scaling, key(name))["Alarms"]]
    hosting.settled(name)
    hosting.delete(name)
    ids = {"ResourceIds": [key(name)["ResourceId"]]}
    assert scaling.describe_scalable_targets(**SPACE, **ids)["ScalableTargets"] == []
    assert scaling.describe_scaling_policies(**key(name))["ScalingPolicies"] == []
    assert cloudwatch.describe_alarms(AlarmNames=alarms)["MetricAlarms"] == []
    history = cloudwatch.describe_alarm_history(AlarmName=alarms[0])["AlarmHistoryItems"]
    assert history[0]["HistorySummary"] == f'Alarm "{alarms[0]}" deleted'
    (activity,) = scaling.describe_scaling_activities(**key(name))["ScalingActivities"]
    assert activity["StatusCode"] == "Successful"


def test_no_target_outlives_its_endpoint_however_calls_cross(hosting, scaling):
    """Promise T1: registration and deletion are one decision each."""
    config = hosting.config(hosting.model())

    def attempt(call, **members):
        try:
            return call(**members)
        except scaling.exceptions.ValidationException:
            return None

    ends = set()
    for _ in range(8):
        name = hosting.endpoint(config)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            register = {"MinCapacity": 1, "MaxCapacity": 2} | key(name)
            calls = [pool.submit(attempt, scaling.register_scalable_target, **register) for _ in range(2)]
            hosting.sagemaker.delete_endpoint(EndpointName=name)
            calls.append(pool.submit(attempt, scaling.register_scalable_target, **register))
            ends |= {call.result() is None for call in calls}
        hosting.sagemaker.get_waiter("endpoint_deleted").wait(
            EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        ids = [register["ResourceId"]]
        assert scaling.describe_scalable_targets(**SPACE, ResourceIds=ids)["ScalableTargets"] == []
    assert True in ends, "the last call of each round comes too late"


# -- policies ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "metric, name, statistic, period, low_periods",
    [
        (INVOCATIONS, "InvocationsPerInstance", "Sum", 60, 15),
        (CONCURRENCY, "ConcurrentRequestsPerModel", "Maximum", 10, 90),
    ],
)
def test_a_tracking_policy_is_seen_in_its_alarms(
    scaling, cloudwatch, endpoint, target, metric, name, statistic, period, low_periods
):
    put = put_tracking(scaling, target, metric=metric)
    resource = target["ResourceId"]
    high, low = (alarm["AlarmName"] for alarm in put["Alarms"])
    assert high.startswith(f"TargetTracking-{resource}-AlarmHigh-")
    assert low.startswith(f"TargetTracking-{resource}-AlarmLow-")
    found = cloudwatch.describe_alarms(AlarmNames=[high, low])["MetricAlarms"]
    alarms = {alarm["AlarmName"]: alarm for alarm in found}
    for which, comparison, threshold, periods in [
        (high, "GreaterThanThreshold", 100.0, 3),
        (low, "LessThanThreshold", 90.0, low_periods),
    ]:
        alarm = alarms[which]
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == (comparison, threshold)
        assert (alarm["EvaluationPeriods"], alarm["Period"], alarm["Statistic"]) == (periods, period, statistic)
        assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SageMaker", name)
        dimensions = {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
        assert dimensions == {"EndpointName": endpoint, "VariantName": "main"}
        (action,) = alarm["AlarmActions"]
        assert action.startswith(put["PolicyARN"] + ":createdBy/")
        assert alarm["AlarmDescription"] == f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {action}."
        assert alarm["StateValue"] == "INSUFFICIENT_DATA"
    (policy,) = scaling.describe_scaling_policies(**target)["ScalingPolicies"]
    assert policy["Alarms"] == put["Alarms"]
    assert policy["TargetTrackingScalingPolicyConfiguration"] == tracking(metric=metric)


def test_changing_a_policy_replaces_its_alarms_and_keeps_its_name(scaling, cloudwatch, target):
    before = put_tracking(scaling, target, ScaleInCooldown=60)
    (old,) = scaling.describe_scaling_policies(**target)["ScalingPolicies"]
    after = scaling.put_scaling_policy(
        **target,
        PolicyName="track",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 50.0, "DisableScaleIn": True},
    )
    assert after["PolicyARN"] == before["PolicyARN"]
    (alarm,) = after["Alarms"]
    assert "AlarmHigh" in alarm["AlarmName"]
    every = [one["AlarmName"] for one in [*before["Alarms"], alarm]]
    left = cloudwatch.describe_alarms(AlarmNames=every)["MetricAlarms"]
    assert [one["AlarmName"] for one in left] == [alarm["AlarmName"]]
    (policy,) = scaling.describe_scaling_policies(**target)["ScalingPolicies"]
    assert policy["CreationTime"] == old["CreationTime"]
    assert policy["TargetTrackingScalingPolicyConfiguration"] == tracking(50.0, DisableScaleIn=True)
    scaling.delete_scaling_policy(**target, PolicyName="track")
    assert cloudwatch.describe_alarms(AlarmNames=every)["MetricAlarms"] == []


def test_a_step_policy_is_driven_by_alarms_of_users(scaling, cloudwatch, target):
    put = put_steps(scaling, target)
    assert put["Alarms"] == []
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:topic"
    mine = names.fresh("mine")
    cloudwatch.put_metric_alarm(
        AlarmName=mine,
        Namespace="Tide",
        MetricName="Height",
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=3.0,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[put["PolicyARN"], topic],
    )
    (policy,) = scaling.describe_scaling_policies(**target)["ScalingPolicies"]
    assert [alarm["AlarmName"] for alarm in policy["Alarms"]] == [mine]
    scaling.delete_scaling_policy(**target, PolicyName="steps")
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[mine])["MetricAlarms"]
    assert alarm["AlarmActions"] == [topic]
    cloudwatch.delete_alarms(AlarmNames=[mine])


@pytest.mark.parametrize(
    "specification, shown",
    [
        (
            {"MetricName": "Height", "Namespace": "Tide", "Statistic": "Average"},
            {"MetricName": "Height", "Namespace": "Tide", "Statistic": "Average", "Dimensions": []},
        ),
        (
            {
                "MetricName": "Height",
                "Namespace": "Tide",
                "Dimensions": [{"Name": "Gate", "Value": "north"}],
                "Statistic": "Maximum",
                "Unit": "Count",
            },
            None,
        ),
        (
            {
                "Metrics": [
                    {
                        "Id": "m1",
                        "MetricStat": {
                            "Metric": {
                                "MetricName": "Height",
                                "Namespace": "Tide",
                                "Dimensions": [{"Name": "Gate", "Value": "north"}],
                            },
                            "Stat": "p99",
                        },
                        "ReturnData": False,
                    },
                    {"Id": "e1", "Expression": "m1 * 2", "Label": "twice", "ReturnData": True},
                ]
            },
            None,
        ),
    ],
)
def test_a_metric_of_ones_own_comes_back_as_it_was_given(scaling, target, specification, shown):
    config = {"TargetValue": 1.5, "CustomizedMetricSpecification": specification}
    put = scaling.put_scaling_policy(
        **target,
        PolicyName="own",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=config,
    )
    assert len(put["Alarms"]) == 2
    (policy,) = scaling.describe_scaling_policies(**target)["ScalingPolicies"]
    found = policy["TargetTrackingScalingPolicyConfiguration"]["CustomizedMetricSpecification"]
    assert found == (shown or specification)


# -- scheduled actions, tags, pages --------------------------------------------------------------------------------


def test_a_scheduled_action_merges_as_awss_does(scaling, target):
    day = datetime.datetime(2099, 1, 1, tzinfo=datetime.UTC)
    scaling.put_scheduled_action(
        **target,
        ScheduledActionName="night",
        Schedule="cron(0 18 ? * MON-FRI *)",
        Timezone="Europe/Paris",
        StartTime=day,
        EndTime=day + datetime.timedelta(days=1),
        ScalableTargetAction={"MinCapacity": 1, "MaxCapacity": 3},
    )
    (before,) = scaling.describe_scheduled_actions(**target)["ScheduledActions"]
    assert (before["StartTime"], before["ScalableTargetAction"]) == (day, {"MinCapacity": 1, "MaxCapacity": 3})
    assert before["ScheduledActionARN"].endswith(f"{target['ResourceId']}:scheduledActionName/night")
    scaling.put_scheduled_action(**target, ScheduledActionName="night", ScalableTargetAction={"MinCapacity": 2})
    (after,) = scaling.describe_scheduled_actions(**target)["ScheduledActions"]
    cleared = {k: v for k, v in before.items() if k not in ("StartTime", "EndTime")}
    assert after == cleared | {"ScalableTargetAction": {"MinCapacity": 2}}
    scaling.delete_scheduled_action(**target, ScheduledActionName="night")
    assert scaling.describe_scheduled_actions(**target)["ScheduledActions"] == []


def test_tags_belong_to_one_registration(scaling, endpoint):
    named = key(endpoint)
    bounds = {"MinCapacity": 1, "MaxCapacity": 4}
    arn = scaling.register_scalable_target(**named, **bounds, Tags={"team": "tide"})["ScalableTargetARN"]
    scaling.tag_resource(ResourceARN=arn, Tags={"stage": "test", "empty": ""})
    scaling.untag_resource(ResourceARN=arn, TagKeys=["team", "none"])
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"stage": "test", "empty": ""}
    scaling.deregister_scalable_target(**named)
    gone = error_of(scaling.list_tags_for_resource, ResourceARN=arn)
    assert gone == ("ResourceNotFoundException", "Scalable Target not found", 400)


def test_pages_neither_skip_nor_repeat(scaling, target):
    for number in range(23):
        put_steps(scaling, target, name=f"p{number:02}")
        scaling.put_scheduled_action(
            **target,
            ScheduledActionName=f"a{number:02}",
            Schedule="at(2099-01-01T00:00:00)",
            ScalableTargetAction={"MinCapacity": 1},
        )
    for operation, shown, name, order in [
        ("describe_scaling_policies", "ScalingPolicies", "PolicyName", [f"p{n:02}" for n in range(23)]),
        ("describe_scheduled_actions", "ScheduledActions", "ScheduledActionName", [f"a{n:02}" for n in range(23)]),
    ]:
        for size in (1, 7, 50):
            paginator = scaling.get_paginator(operation)
            pages = paginator.paginate(**target, PaginationConfig={"PageSize": size})
            assert sorted(one[name] for page in pages for one in page[shown]) == order
    token = scaling.describe_scaling_policies(**target, MaxResults=5)["NextToken"]
    other = error_of(scaling.describe_scaling_policies, **SPACE, NextToken=token)
    assert other == ("InvalidNextTokenException", "The NextToken value is not valid", 400)


# -- what does not go ----------------------------------------------------------------------------------------------

NOBODY = "service namespace: sagemaker, resource ID: {spare}, scalable dimension: " + DIMENSION


@pytest.mark.parametrize(
    "call, members, code, text",
    [
        ("register_scalable_target", {"spare": True}, "ValidationException", "Minimum capacity must be specified"),
        (
            "register_scalable_target",
            {"MinCapacity": 5},
            "ValidationException",
            "Maximum capacity cannot be less than minimum capacity",
        ),
        (
            "register_scalable_target",
            {"MinCapacity": -1},
            "ValidationException",
            "Minimum capacity cannot be less than 0",
        ),
        (
            "register_scalable_target",
            {"ResourceId": "endpoint/nobody/variant/main", "MinCapacity": 1, "MaxCapacity": 2},
            "ValidationException",
            f'Could not find endpoint "{names.arn("endpoint", "nobody")}".',
        ),
        (
            "register_scalable_target",
            {"ResourceId": "table/t", "MinCapacity": 1, "MaxCapacity": 2},
            "ValidationException",
            "Unsupported service namespace, resource type or scalable dimension",
        ),
        (
            "register_scalable_target",
            {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount", "ResourceId": "service/c/s"},
            "ValidationException",
            "Unsupported service namespace, resource type or scalable dimension",
        ),
        ("register_scalable_target", {"ServiceNamespace": "ecs"}, "AccessDeniedException", "Account is not authorized"),
        (
            "deregister_scalable_target",
            {"spare": True},
            "ObjectNotFoundException",
            f"No scalable target found for {NOBODY}",
        ),
        (
            "put_scaling_policy",
            {"spare": True, "PolicyName": "p", "PolicyType": "StepScaling"},
            "ObjectNotFoundException",
            f"No scalable target registered for {NOBODY}",
        ),
        ("put_scaling_policy", {"PolicyName": "p"}, "ValidationException", "Scaling policy type must be specified"),
        (
            "put_scaling_policy",
            {"PolicyName": "p", "PolicyType": "TargetTrackingScaling"},
            "ValidationException",
            "TargetTrackingScaling policy configuration must be specified",
        ),
        (
            "put_scaling_policy",
            {
                "PolicyName": "p",
                "PolicyType": "TargetTrackingScaling",
                "TargetTrackingScalingPolicyConfiguration": tracking(metric="ECSServiceAverageCPUUtilization"),
            },
            "ValidationException",
            f"Scalable dimension {DIMENSION} only supports the following predefined metric types: {INVOCATIONS}, "
            f"{CONCURRENCY}",
        ),
        (
            "put_scaling_policy",
            {
                "PolicyName": "p",
                "PolicyType": "TargetTrackingScaling",
                "TargetTrackingScalingPolicyConfiguration": tracking(0.0),
            },
            "ValidationException",
            "For target tracking scaling, target value must be between '8.51592E-109' and '1.174271E108', but was "
            "'0.0'.",
        ),
        (
            "delete_scaling_policy",
            {"spare": True, "PolicyName": "p"},
            "ObjectNotFoundException",
            f"No scaling policy found for {NOBODY}, policy name: p",
        ),
        (
            "put_scheduled_action",
            {"ScheduledActionName": "a", "Schedule": "rate(1 day)"},
            "ValidationException",
            "ScalableTargetAction must be set",
        ),
        (
            "put_scheduled_action",
            {
                "ScheduledActionName": "a",
                "Schedule": "rate(1 day)",
                "Timezone": "Mars/Olympus",
                "ScalableTargetAction": {"MinCapacity": 1},
            },
            "ValidationException",
            "Invalid schedule timezone: Mars/Olympus",
        ),
        (
            "delete_scheduled_action",
            {"spare": True, "ScheduledActionName": "a"},
            "ObjectNotFoundException",
            f"No scheduled action found for {NOBODY}, scheduled action name: a",
        ),
        (
            "get_predictive_scaling_forecast",
            {
                "PolicyName": "p",
                "StartTime": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
                "EndTime": datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
            },
            "ValidationException",
            f"Predictive scaling is not supported for service namespace: sagemaker, scalable dimension: {DIMENSION}",
        ),
    ],
)
def test_what_does_not_go_is_told_in_awss_words(scaling, endpoint, target, call, members, code, text):
    members = dict(members)
    spare = key(endpoint, "spare")
    named = spare if members.pop("spare", False) else target
    before = described(scaling, target)
    told = error_of(getattr(scaling, call), **(named | members))
    assert told == (code, text.format(spare=spare["ResourceId"]), 400)
    assert described(scaling, target) == before


# -- a crash -------------------------------------------------------------------------------------------------------


def test_what_was_answered_survives_a_kill():
    server = Server()
    try:
        hosting = Hosting(server.start())
        scaling = server.client("application-autoscaling")
        name = hosting.echo_endpoint()
        named = key(name)
        bounds = {"MinCapacity": 1, "MaxCapacity": 2}
        arn = scaling.register_scalable_target(**named, **bounds, Tags={"team": "tide"})["ScalableTargetARN"]
        put_tracking(scaling, named)
        put_steps(scaling, named)
        scaling.put_scheduled_action(
            **named, ScheduledActionName="a", Schedule="rate(1 day)", ScalableTargetAction={"MinCapacity": 1}
        )

        def everything(client):
            return (
                client.describe_scalable_targets(**SPACE)["ScalableTargets"],
                client.describe_scaling_policies(**SPACE)["ScalingPolicies"],
                client.describe_scheduled_actions(**SPACE)["ScheduledActions"],
                client.list_tags_for_resource(ResourceARN=arn)["Tags"],
            )

        before = everything(scaling)
        assert [len(part) for part in before] == [1, 2, 1, 1]
        server.kill()
        server.orphans()
        server.start()
        assert everything(server.client("application-autoscaling")) == before
    finally:
        server.close()
