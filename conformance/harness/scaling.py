"""Automatic scaling through boto3: registers variants, puts policies, feeds metrics, and reads what came of it.

Times here are the server's own, which run `--time-scale` times as fast as the wall: what happened when is asserted on
the times that the server tells, never on how long a test has waited.
"""

import datetime
import json
import math
import urllib.request

from . import names
from .hosting import eventually

MINUTE = datetime.timedelta(minutes=1)
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
INVOCATIONS = "SageMakerVariantInvocationsPerInstance"
CONCURRENCY = "SageMakerVariantConcurrentRequestsPerModelHighResolution"
# Namespace of the metrics that tests send themselves.
OWN = "Conformance"


def minute_of(at):
    return at.replace(second=0, microsecond=0)


class Scaling:
    """Application Auto Scaling and CloudWatch of one server."""

    def __init__(self, hosting):
        self.hosting = hosting
        self.server = hosting.server
        self.autoscaling = self.server.client("application-autoscaling")
        self.cloudwatch = self.server.client("cloudwatch")

    def now(self):
        """The server's time."""
        with urllib.request.urlopen(f"{self.server.url}/tidegate/clock", timeout=30) as answer:
            return datetime.datetime.fromtimestamp(json.load(answer)["now_epoch_seconds"], datetime.UTC)

    def echo(self, count=1, least=1, most=4, **environment):
        """The name of an endpoint in service whose only variant is registered, and the members that name the target."""
        name = self.hosting.echo_endpoint(count=count, **environment)
        return name, self.register(name, least, most)

    def register(self, endpoint, least, most, variant="main", **more):
        target = {
            "ServiceNamespace": "sagemaker",
            "ResourceId": f"endpoint/{endpoint}/variant/{variant}",
            "ScalableDimension": DIMENSION,
        }
        self.autoscaling.register_scalable_target(**target, MinCapacity=least, MaxCapacity=most, **more)
        return target

    def target(self, target):
        """What is described of a target; nothing if it is not registered."""
        found = self.autoscaling.describe_scalable_targets(
            ServiceNamespace="sagemaker", ResourceIds=[target["ResourceId"]]
        )["ScalableTargets"]
        return found[0] if found else None

    # -- policies and alarms -----------------------------------------------------------------------------------------

    def track(self, target, value, policy="track", metric=None, **more):
        """Puts a target tracking policy; `metric` is a predefined type's name or a customised specification. Gives back
        the names of its alarms."""
        predefined = isinstance(metric, str)
        kind = "PredefinedMetricSpecification" if predefined else "CustomizedMetricSpecification"
        config = {"TargetValue": value, kind: {"PredefinedMetricType": metric} if predefined else metric} | more
        made = self.autoscaling.put_scaling_policy(
            **target,
            PolicyName=policy,
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=config,
        )
        return [one["AlarmName"] for one in made["Alarms"]]

    def step(self, target, *steps, policy="step", kind="ChangeInCapacity", **more):
        """Puts a step policy; each step is its lower bound, its upper bound and its adjustment. Gives back its ARN."""
        named = ("MetricIntervalLowerBound", "MetricIntervalUpperBound", "ScalingAdjustment")
        made = [{name: one for name, one in zip(named, step, strict=True) if one is not None} for step in steps]
        config = {"AdjustmentType": kind, "StepAdjustments": made} | more
        return self.autoscaling.put_scaling_policy(
            **target, PolicyName=policy, PolicyType="StepScaling", StepScalingPolicyConfiguration=config
        )["PolicyARN"]

    def alarm_on(self, metric, action, threshold, name=None, **more):
        """A user's own alarm that goes off above a threshold after one minute."""
        name = name or names.fresh("alarm")
        members = {
            "Namespace": OWN,
            "MetricName": metric,
            "Statistic": "Average",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": threshold,
            "ComparisonOperator": "GreaterThanThreshold",
            "AlarmActions": [action],
        }
        self.cloudwatch.put_metric_alarm(AlarmName=name, **(members | more))
        return name

    def alarm(self, name):
        (found,) = self.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return found

    def transitions(self, alarm, to="ALARM"):
        """The changes of an alarm's state to this one, oldest first: when each was, and the data it was judged by."""
        items = self.cloudwatch.describe_alarm_history(
            AlarmName=alarm, HistoryItemType="StateUpdate", ScanBy="TimestampAscending"
        )["AlarmHistoryItems"]
        read = [(item["Timestamp"], json.loads(item["HistoryData"])["newState"]) for item in items]
        return [(at, state["stateReasonData"]) for at, state in read if state["stateValue"] == to]

    # -- metrics -----------------------------------------------------------------------------------------------------

    def feed(self, metric, *values, start=None):
        """Sends one value for each minute from `start` on: by default from so long ago that the last is the one before
        this. Minutes that are still to come are admitted, up to two hours. Gives back the first minute."""
        start = start or minute_of(self.now()) - len(values) * MINUTE
        data = [
            {"MetricName": metric, "Timestamp": start + position * MINUTE, "Value": value}
            for position, value in enumerate(values)
        ]
        self.cloudwatch.put_metric_data(Namespace=OWN, MetricData=data)
        return start

    def datapoints(self, start, end, metric, statistic, period=60, namespace=OWN, **dimensions):
        """The datapoints of these minutes, as `{time: value}`."""
        answer = self.cloudwatch.get_metric_data(
            MetricDataQueries=[
                {
                    "Id": "m",
                    "MetricStat": {
                        "Metric": {
                            "Namespace": namespace,
                            "MetricName": metric,
                            "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
                        },
                        "Period": period,
                        "Stat": statistic,
                    },
                }
            ],
            StartTime=start,
            EndTime=end,
            ScanBy="TimestampAscending",
        )
        (found,) = answer["MetricDataResults"]
        return dict(zip(found["Timestamps"], found["Values"], strict=True))

    # -- what came of it ---------------------------------------------------------------------------------------------

    def activities(self, target, **more):
        """Oldest first. With `IncludeNotScaledActivities=True` those that came to nothing, too."""
        pages = self.autoscaling.get_paginator("describe_scaling_activities").paginate(**target, **more)
        return [one for page in pages for one in page["ScalingActivities"]][::-1]

    def not_scaled(self, target):
        """The reasons of the activities that came to nothing, oldest first."""
        made = self.activities(target, IncludeNotScaledActivities=True)
        return [reason for one in made for reason in one.get("NotScaledReasons", ())]

    def ended(self, target, count, seconds=60):
        """The activities, once there are so many and every one has ended."""

        def probe():
            seen = self.activities(target)
            return seen if len(seen) >= count and all("EndTime" in one for one in seen) else None

        return eventually(probe, seconds)

    def desired(self, endpoint, variant="main"):
        return self.hosting.variant_of(endpoint, variant)["DesiredInstanceCount"]


def proportional(count, values, target, least, most):
    """What target tracking asks for (reference/autoscaling-and-cloudwatch.md, section 2.4)."""
    wanted = count * sum(values) / len(values) / target
    # A product that is a whole number but for the noise of its roundings is that number.
    return min(max(math.ceil(round(wanted, 9)), least), most)


def assert_scaled(activity, count, alarm, policy):
    """That an activity says, word for word, that this alarm's policy has set this count (section 5.2)."""
    assert activity["Description"] == f"Setting desired instance count to {count}."
    assert activity["Cause"] == f"monitor alarm {alarm} in state ALARM triggered policy {policy}"
    assert activity["StatusCode"] == "Successful"
    assert activity["StatusMessage"] == (
        f"Successfully set desired instance count to {count}. Change successfully fulfilled by sagemaker."
    )
    assert activity["EndTime"] >= activity["StartTime"]
