"""What does not go, all of it against one server that scales: AWS's answer each time, and the loop goes on.

The last test of this file scales an endpoint by the book, after everything before it. That nothing has panicked and
that no answer was a 5xx is checked when the server is closed (promise T6).
"""

import concurrent.futures
import datetime
import math
from urllib.parse import urlencode

import cbor2
import pytest

from harness import names, signed
from harness.hosting import error_of, eventually
from harness.scaling import MINUTE, OWN, assert_scaled, minute_of, proportional

# The largest value that a metric takes, and that a policy may aim at.
LARGEST = 2.0**360


@pytest.fixture(scope="module")
def server_config():
    return "[limits]\ninstances = 16\n"


@pytest.fixture(scope="module")
def server_arguments():
    return ["--time-scale", "60"]


@pytest.fixture(scope="module")
def scaled(scaling):
    """An endpoint in service with a registered variant, and the members that name the target."""
    return scaling.echo(most=3)


# -- Application Auto Scaling ----------------------------------------------------------------------------------------


def steps(*bounds, kind="ChangeInCapacity"):
    named = ("MetricIntervalLowerBound", "MetricIntervalUpperBound")
    made = [
        {"ScalingAdjustment": 1} | {name: one for name, one in zip(named, pair, strict=True) if one is not None}
        for pair in bounds
    ]
    return {"PolicyName": "bad", "PolicyType": "StepScaling"} | {
        "StepScalingPolicyConfiguration": {"AdjustmentType": kind, "StepAdjustments": made}
    }


def schedule(expression, zone=None, **action):
    made = {"ScheduledActionName": "bad", "Schedule": expression, "ScalableTargetAction": action or {"MinCapacity": 1}}
    return made | ({"Timezone": zone} if zone else {})


DETAILS = "Invalid schedule expression. Details: Invalid"
CRON = f"{DETAILS} CRON expression: error at position"
TARGET_VALUE = "For target tracking scaling, target value must be between '8.51592E-109' and '1.174271E108', but was"


def aims_at(value):
    metric = {"Namespace": OWN, "MetricName": "depth", "Statistic": "Average"}
    return {"PolicyName": "bad", "PolicyType": "TargetTrackingScaling"} | {
        "TargetTrackingScalingPolicyConfiguration": {"TargetValue": value, "CustomizedMetricSpecification": metric}
    }


@pytest.mark.parametrize(
    ("call", "members", "text"),
    [
        (
            "register_scalable_target",
            {"MinCapacity": 3, "MaxCapacity": 2},
            "Maximum capacity cannot be less than minimum capacity",
        ),
        # Above the maximum that it has.
        ("register_scalable_target", {"MinCapacity": 4}, "Maximum capacity cannot be less than minimum capacity"),
        ("register_scalable_target", {"MinCapacity": -1}, "Minimum capacity cannot be less than 0"),
        (
            "register_scalable_target",
            {"ResourceId": "endpoint/nowhere/variant/main", "MinCapacity": 1, "MaxCapacity": 1},
            'Could not find endpoint "arn:aws:sagemaker:us-east-1:000000000000:endpoint/nowhere".',
        ),
        (
            "register_scalable_target",
            {"ResourceId": "endpoint/{name}/variant/ghost", "MinCapacity": 1, "MaxCapacity": 1},
            "Variant ghost not found in endpoint {name}",
        ),
        (
            "register_scalable_target",
            {"ResourceId": "endpoint/{name}"},
            "Unsupported service namespace, resource type or scalable dimension",
        ),
        ("put_scaling_policy", steps((0, 10), (5, None)), "Step adjustment intervals cannot overlap"),
        ("put_scaling_policy", steps((0, 10), (11, None)), "Step adjustment intervals cannot have gaps between them"),
        ("put_scaling_policy", steps(), "There must be at least one step adjustment"),
        (
            "put_scaling_policy",
            {"PolicyName": "bad", "PolicyType": "StepScaling"}
            | {
                "StepScalingPolicyConfiguration": {
                    "AdjustmentType": "ChangeInCapacity",
                    "StepAdjustments": [{"ScalingAdjustment": 1, "MetricIntervalLowerBound": 0}],
                    "MinAdjustmentMagnitude": 1,
                }
            },
            "Minimum adjustment magnitude is only allowed for adjustment type PercentChangeInCapacity",
        ),
        ("put_scaling_policy", aims_at(0.0), f"{TARGET_VALUE} '0.0'."),
        ("put_scaling_policy", aims_at(-1.5), f"{TARGET_VALUE} '-1.5'."),
        ("put_scaling_policy", aims_at(1e308), f"{TARGET_VALUE} '1.0E308'."),
        ("put_scheduled_action", schedule("cron(0 1 * * ?)"), f"{CRON} 9, details: Unexpected end of expression."),
        (
            "put_scheduled_action",
            schedule("cron(0 10 * * * *)"),
            f"{CRON} 0, details: Specifying both a day-of-week AND a day-of-month parameter is not supported.",
        ),
        (
            "put_scheduled_action",
            schedule("at(2099-02-30T00:00:00)"),
            f'{DETAILS} schedule at DateTime expression: Cannot parse "2099-02-30T00:00:00": Value 30 for dayOfMonth '
            "must be in the range [1,28]",
        ),
        (
            "put_scheduled_action",
            schedule("rate(0 minutes)"),
            "Invalid schedule frequency. Run for '1970-01-01T00:00:00.000Z' and '1970-01-01T00:00:00.000Z' are less "
            "than 60 seconds apart",
        ),
        ("put_scheduled_action", schedule("rate(1 day)", "Mars/Olympus"), "Invalid schedule timezone: Mars/Olympus"),
        (
            "put_scheduled_action",
            schedule("rate(1 day)", MinCapacity=2, MaxCapacity=1),
            "Maximum capacity cannot be less than minimum capacity",
        ),
    ],
)
def test_scaling_that_cannot_be_is_refused_whole(scaling, scaled, call, members, text):
    name, target = scaled
    members = {k: v.format(name=name) if k == "ResourceId" else v for k, v in members.items()}
    before = scaling.target(target)
    told = error_of(getattr(scaling.autoscaling, call), **(target | members))
    assert told == ("ValidationException", text.format(name=name), 400)
    assert scaling.target(target) == before
    assert scaling.autoscaling.describe_scaling_policies(**target)["ScalingPolicies"] == []
    assert scaling.autoscaling.describe_scheduled_actions(**target)["ScheduledActions"] == []


@pytest.mark.parametrize("expression", ["cron(61 * * * ? *)", "cron(a b c d ? *)", "rate(x)", "every day", "at()", "é"])
def test_a_schedule_that_is_none_says_what_is_wrong(scaling, scaled, expression):
    _, target = scaled
    code, text, status = error_of(scaling.autoscaling.put_scheduled_action, **target, **schedule(expression))
    assert (code, status) == ("ValidationException", 400)
    assert text.startswith("Invalid schedule")


# -- CloudWatch --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (1e308, "1.0E308"),
        (-1e308, "-1.0E308"),
        (math.nextafter(LARGEST, math.inf), "2.348542582773834E108"),
    ],
)
@pytest.mark.parametrize("protocol", ["cbor", "query"])
def test_a_value_that_is_no_metrics_is_refused(server, scaling, value, shown, protocol):
    metric = names.fresh("Huge")
    if protocol == "cbor":
        path = "/service/GraniteServiceVersion20100801/operation/PutMetricData"
        headers = {"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor", "x-amzn-query-mode": "true"}
        body = cbor2.dumps({"Namespace": OWN, "MetricData": [{"MetricName": metric, "Value": value}]})
    else:
        path, headers = "/", {"Content-Type": "application/x-www-form-urlencoded"}
        written = {math.nan: "NaN", math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, repr(value))
        named = {"Action": "PutMetricData", "Version": "2010-08-01", "Namespace": OWN}
        named |= {"MetricData.member.1.MetricName": metric, "MetricData.member.1.Value": written}
        body = urlencode(named).encode()
    ready = signed.headers_for(server, "POST", path, body, headers, service="monitoring")
    answer = signed.send(server, "POST", path, body, ready)
    assert answer.status == 400, answer
    text = f"The value {shown} for parameter MetricData.member.1.Value is invalid."
    if protocol == "cbor":
        assert cbor2.loads(answer.body)["message"] == text
        assert answer.headers["x-amzn-query-error"] == "InvalidParameterValue;Sender"
    else:
        assert f"<Message>{text}</Message>".encode() in answer.body
        assert b"<Code>InvalidParameterValue</Code>" in answer.body
    assert scaling.cloudwatch.list_metrics(Namespace=OWN, MetricName=metric)["Metrics"] == []


@pytest.mark.parametrize(
    ("off", "text"),
    [
        (datetime.timedelta(days=-14, minutes=-2), "within the past two weeks."),
        (datetime.timedelta(days=-4000), "within the past two weeks."),
        (datetime.timedelta(hours=3), "no more than two hours in the future."),
        (datetime.timedelta(days=4000), "no more than two hours in the future."),
    ],
)
def test_a_time_too_far_away_is_refused(scaling, off, text):
    datum = {"MetricName": "Late", "Timestamp": scaling.now() + off, "Value": 1}
    code, said, status = error_of(scaling.cloudwatch.put_metric_data, Namespace=OWN, MetricData=[datum])
    assert (code, status) == ("InvalidParameterValue", 400)
    assert said == f"The parameter MetricData.member.1.Timestamp must specify a time {text}"


def test_a_thousand_datums_go_and_one_more_does_not(scaling):
    metric = names.fresh("Many")
    data = [{"MetricName": metric, "Value": float(number)} for number in range(1001)]
    code, said, status = error_of(scaling.cloudwatch.put_metric_data, Namespace=OWN, MetricData=data)
    assert (code, status) == ("InvalidParameterValue", 400)
    assert "MetricData must not have a size greater than 1000" in said
    assert scaling.cloudwatch.list_metrics(Namespace=OWN, MetricName=metric)["Metrics"] == []
    scaling.cloudwatch.put_metric_data(Namespace=OWN, MetricData=data[:1000])
    since = minute_of(scaling.now()) - 5 * MINUTE
    eventually(lambda: sum(scaling.datapoints(since, scaling.now() + MINUTE, metric, "SampleCount").values()) == 1000)


def test_the_largest_values_are_kept_and_overflow_nothing(scaling):
    metric = names.fresh("Large")
    first = scaling.feed(metric, LARGEST, -LARGEST, LARGEST)
    scaling.feed(metric, LARGEST, start=first)
    read = scaling.datapoints(first, first + 3 * MINUTE, metric, "Sum")
    assert list(read.values()) == [2 * LARGEST, -LARGEST, LARGEST]


# -- the loop ----------------------------------------------------------------------------------------------------------


def test_policies_on_what_cannot_be_measured_neither_scale_nor_stop_the_loop(scaling):
    """An alarm on a metric that never existed, math that divides by nothing, values at the end of all numbers."""
    name, target = scaling.echo(most=3)
    # Each aims at next to nothing: every datapoint that there is asks for all that may be.
    depth = names.fresh("Depth")
    scaling.track(target, 9e-109, "never", {"Namespace": OWN, "MetricName": "NeverExisted", "Statistic": "Sum"})
    stat = {"Metric": {"Namespace": OWN, "MetricName": depth}, "Stat": "Average"}
    queries = [
        {"Id": "d", "MetricStat": stat, "ReturnData": False},
        {"Id": "e", "Expression": "d / (d - d)", "ReturnData": True},
    ]
    scaling.track(target, 9e-109, "nothing", {"Metrics": queries})
    missing, _ = scaling.track(target, 1.1e108, "largest", {"Namespace": OWN, "MetricName": depth, "Statistic": "Sum"})
    # Twice the largest in each minute: a third of the way beyond all numbers, as a share of the target above 3.
    start = minute_of(scaling.now()) - 3 * MINUTE
    for _ in range(2):
        scaling.feed(depth, *[LARGEST] * 20, start=start)
    (out,) = scaling.ended(target, 1)[:1]
    assert_scaled(out, 3, missing, "largest")
    for policy in ("never", "nothing"):
        states = [scaling.alarm(one)["StateValue"] for one in alarms_of(scaling, target, policy)]
        assert states == ["INSUFFICIENT_DATA"] * 2
    scaling.hosting.delete(name)


def alarms_of(scaling, target, policy):
    (found,) = scaling.autoscaling.describe_scaling_policies(**target, PolicyNames=[policy])["ScalingPolicies"]
    return [one["AlarmName"] for one in found["Alarms"]]


def test_policies_come_and_go_while_their_alarms_are_evaluated(scaling):
    """No policy is left over, no alarm, and no activity names one that was never there."""
    name, target = scaling.echo(most=2)
    metric = names.fresh("Depth")
    scaling.feed(metric, *[50] * 60, start=minute_of(scaling.now()) - 30 * MINUTE)
    arn = scaling.step(target, (0, None, 1), policy="kept")
    watching = scaling.alarm_on(metric, arn, 5)

    def come_and_go(number):
        for round_ in range(12):
            policy = f"passing-{number}-{round_}"
            spec = {"Namespace": OWN, "MetricName": metric, "Statistic": "Sum"}
            spec["Dimensions"] = [{"Name": "n", "Value": f"{number}"}] if number else []
            high, _ = scaling.track(target, 10, policy, spec)
            scaling.cloudwatch.set_alarm_state(AlarmName=high, StateValue="ALARM", StateReason="passing")
            scaling.autoscaling.delete_scaling_policy(**target, PolicyName=policy)
        return number

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(come_and_go, range(4))) == [0, 1, 2, 3]
    (first,) = [one for one in scaling.ended(target, 1) if one["Description"].endswith("to 2.")]
    assert first["StatusCode"] == "Successful"
    listed = scaling.autoscaling.describe_scaling_policies(**target)["ScalingPolicies"]
    assert [one["PolicyName"] for one in listed] == ["kept"]
    prefix = f"TargetTracking-{target['ResourceId']}"
    assert scaling.cloudwatch.describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"] == []
    scaling.cloudwatch.delete_alarms(AlarmNames=[watching])
    scaling.hosting.delete(name)


def test_after_all_of_that_it_scales_by_the_book(scaling, scaled):
    name, target = scaled
    metric = names.fresh("Depth")
    spec = {"Namespace": OWN, "MetricName": metric, "Statistic": "Average"}
    high, _ = scaling.track(target, 10, metric=spec)
    scaling.feed(metric, *[24, 25, 26], *[9.5] * 60, start=minute_of(scaling.now()) + MINUTE)
    (out,) = scaling.ended(target, 1)
    assert_scaled(out, proportional(1, [24, 25, 26], 10, 1, 3), high, "track")
    assert scaling.desired(name) == 3
    scaling.hosting.delete(name)
