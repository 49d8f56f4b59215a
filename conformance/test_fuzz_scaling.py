"""Requests to Application Auto Scaling and CloudWatch, damaged by a seed: no crash, no 5xx (promise T6), and the loop
that evaluates what was let through goes on.

The model-driven run breaks one constraint of the model at a time; this breaks several, and what the model says nothing
of: expressions, schedules, statistics, the data of alarms' states.
"""

import contextlib
import random

import pytest
from model_run import models, sending, speech
from model_run.cases import Case, Request

from harness import mutate, names
from harness.hosting import Hosting, eventually
from harness.scaling import MINUTE, OWN, Scaling, assert_scaled, minute_of

SEEDS = (1, 2, 3)
REQUESTS = 2500
BATCH = 250
# Of so many requests one has its bytes damaged as well as its members.
BYTES_DAMAGED = 4

LEAVES = [
    None, True, 0, -1, 1, 2**31 - 1, 2**31, 2**63 - 1, -(2**63), 1e308, -1e308, 5e-324, "NaN", "Infinity", "", "a",
    "x" * 300, "é" * 40, [], {}, 1_800_000_000, "m1/(m2-m2)", "FILL(m1,REPEAT)", "IF(m1>1,m1,METRICS())", "((((",
    "RATE(m1)^1e9", "SLICE(METRICS(),-1,999999999)", "SORT(METRICS(),MAX,DESC,1e18)", "p99.99999999999", "tm1:2",
    "at(2099-01-01T00:00:00)", "at(9999-12-31T23:59:59)", "cron(0 0 L * ? *)", "cron(*/0 * * * ? *)",
    "cron(0 0 ? * 2#9 *)", "cron(0 0 31W 2 ? *)", "cron(0 0 29 2 ? 2199)", "rate(99999999999999999999 days)",
    "Etc/GMT+9", "Pacific/Apia",
]  # fmt: skip
TOKENS = [b"null", b"1e999", b"{", b"\xbf", b"\xc1", b"\xff", b"&A=", b".member.1", b"%", b"\x00"]


@pytest.fixture(scope="module")
def server_config():
    return "[limits]\ninstances = 16\n"


@pytest.fixture(scope="module")
def server_arguments():
    return ["--time-scale", "60"]


@pytest.fixture(scope="module")
def scaling(server):
    return Scaling(Hosting(server))


def good(target, now):
    """Requests that are let through, each with the operation that it is one of."""
    metric = {"Namespace": "Fuzz", "MetricName": "depth"}
    stat = {"Metric": metric, "Period": 60}
    queries = [
        {"Id": "m1", "MetricStat": stat | {"Stat": "Sum"}, "ReturnData": False},
        {"Id": "m2", "MetricStat": stat | {"Stat": "p99"}, "ReturnData": False},
        {"Id": "e", "Expression": "IF(m1>1,m1/m2,FILL(m2,0))+RATE(m1)", "ReturnData": True},
    ]
    within = {"StartTime": now - 3600, "EndTime": now + 3600}
    data = [
        {"MetricName": "depth", "Value": 3, "Timestamp": now},
        {"MetricName": "depth", "Values": [1, 2], "Counts": [2, 1], "StorageResolution": 1},
        {"MetricName": "depth", "StatisticValues": {"SampleCount": 3, "Sum": 6, "Minimum": 1, "Maximum": 3}},
    ]
    reading = '{"version":"1.0","queryDate":"2026-11-23T00:00:00.000+0000","recentDatapoints":[1,null],"threshold":1}'
    alarm = {"AlarmName": "f1", "EvaluationPeriods": 3, "Threshold": 1.5, "ComparisonOperator": "GreaterThanThreshold"}
    watching = {
        "GetMetricData": within | {"MetricDataQueries": queries, "MaxDatapoints": 10},
        "GetMetricStatistics": within | metric | {"Period": 60, "Statistics": ["Sum"]},
        "PutMetricAlarm": alarm | {"Metrics": queries, "AlarmActions": ["a"]},
        "PutMetricData": {"Namespace": "Fuzz", "MetricData": data},
        "SetAlarmState": {"AlarmName": "f1", "StateValue": "ALARM", "StateReason": "r", "StateReasonData": reading},
    }
    tracking = {"TargetValue": 1.5, "CustomizedMetricSpecification": {"Metrics": queries}, "ScaleOutCooldown": 0}
    step = {"ScalingAdjustment": 50, "MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10}
    steps = {"AdjustmentType": "PercentChangeInCapacity", "MinAdjustmentMagnitude": 1}
    steps["StepAdjustments"] = [step, {"ScalingAdjustment": 100, "MetricIntervalLowerBound": 10}]
    schedule = {"Schedule": "cron(0/5 1-5 ? * MON-FRI 2027)", "Timezone": "Europe/Berlin", "StartTime": now}
    scaled = [
        ("PutScalingPolicy", {"PolicyType": "TargetTrackingScaling"}, {"TargetTrackingScaling": tracking}),
        ("PutScalingPolicy", {"PolicyType": "StepScaling"}, {"StepScaling": steps}),
        ("PutScheduledAction", schedule | {"ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 3}}, {}),
        ("RegisterScalableTarget", {"MinCapacity": 1, "SuspendedState": {"DynamicScalingInSuspended": False}}, {}),
    ]
    for operation, members, configs in scaled:
        named = {"PutScalingPolicy": {"PolicyName": "p"}, "PutScheduledAction": {"ScheduledActionName": "a"}}
        configured = {f"{kind}PolicyConfiguration": config for kind, config in configs.items()}
        yield "application-autoscaling", operation, target | named.get(operation, {}) | members | configured
    for protocol in ("json", "query", "smithy-rpc-v2-cbor"):
        for operation, members in watching.items():
            yield f"cloudwatch {protocol}", operation, members


def damaged(chance, bases):
    while True:
        service, name, members = chance.choice(bases)
        model = models.every()[service]
        (operation,) = [one for one in model.operations if one.name == name]
        sent = mutate.mutate_tree(chance, members, LEAVES)
        request = speech.of(model).request(model, operation, sent)
        if not chance.randrange(BYTES_DAMAGED):
            body = mutate.mutate(chance, request.body, TOKENS)
            request = Request(request.method, request.path, request.headers, body)
        yield Case(model, name, "", "", request, None, operation, sent)


@pytest.mark.parametrize("seed", SEEDS)
def test_damaged_requests_are_answered(server, scaling, seed):
    name, target = scaling.echo(most=2)
    bases = list(good(target, int(scaling.now().timestamp())))
    cases = damaged(random.Random(seed), bases)
    taken = 0
    with contextlib.closing(sending.Sender(server)) as sender:
        for _ in range(REQUESTS // BATCH):
            for case, answer in sender.send_all([next(cases) for _ in range(BATCH)]):
                about = f"{case.row} ({case.model.protocol}): {case.request.body[:2000]!r}"
                assert isinstance(answer, sending.Answer), f"{answer!r} to {about}"
                assert answer.status < 500, f"{answer.status} {answer.body[:300]!r} to {about}"
                taken += answer.status == 200
    # Enough was let through for the loop to have something to evaluate.
    assert taken > REQUESTS // 50
    assert server.is_running()
    scaling.hosting.settled(name)
    scaling.hosting.delete(name)


def test_the_loop_has_survived_it(scaling):
    name, target = scaling.echo(most=2)
    metric = names.fresh("Depth")
    spec = {"Namespace": OWN, "MetricName": metric, "Statistic": "Average"}
    high, _ = scaling.track(target, 10, metric=spec)
    scaling.feed(metric, *[15] * 30, start=minute_of(scaling.now()) - 3 * MINUTE)
    (out,) = eventually(lambda: [one for one in scaling.activities(target) if "EndTime" in one])[:1]
    assert_scaled(out, 2, high, "track")
    scaling.hosting.delete(name)
