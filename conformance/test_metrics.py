"""SageMaker's own metrics, as CloudWatch shows them (reference/autoscaling-and-cloudwatch.md, section 7).

A minute of the server lasts a second here; latencies stay those of the wall.
"""

import itertools

import pytest
from botocore.exceptions import ClientError

from harness.hosting import eventually
from harness.scaling import MINUTE, minute_of

INVOCATIONS, UTILIZATION = "AWS/SageMaker", "/aws/sagemaker/Endpoints"
DELAY_MS = 20


@pytest.fixture(scope="module")
def server_arguments():
    return ["--time-scale", "60"]


def invoke(hosting, name, times):
    """How many of so many requests the model server has failed."""
    codes = []
    for _ in range(times):
        try:
            hosting.invoke(name)
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])
    assert set(codes) <= {"ModelError"}
    return len(codes)


class Seen:
    """The metrics of one variant from a moment on."""

    def __init__(self, scaling, endpoint):
        self.scaling, self.endpoint = scaling, endpoint
        self.start, self.end = minute_of(scaling.now()), None

    def settle(self):
        """From now on only the minutes up to this one are looked at, to which nothing is added any more."""
        last = minute_of(self.scaling.now()) + MINUTE
        eventually(lambda: self.scaling.now() > last + MINUTE or None)
        self.end = last

    def points(self, metric, statistic, period=60, namespace=INVOCATIONS):
        dimensions = {"EndpointName": self.endpoint, "VariantName": "main"}
        end = self.end or self.scaling.now() + MINUTE
        return self.scaling.datapoints(self.start, end, metric, statistic, period, namespace, **dimensions)

    def sum(self, metric, statistic="Sum"):
        return sum(self.points(metric, statistic).values())


def test_every_request_counts_once_under_each_metric(hosting, scaling):
    name = hosting.echo_endpoint(count=2, TIDEGATE_ECHO_FAILURE_RATE="0.3", TIDEGATE_ECHO_DELAY_MS=str(DELAY_MS))
    seen = Seen(scaling, name)
    failed = invoke(hosting, name, 60)
    assert 0 < failed < 60
    eventually(lambda: seen.sum("Invocations") == 60 or None)
    seen.settle()
    # An idle minute has a zero of its own, and so a sample more.
    counted = sum(value for value in seen.points("Invocations", "SampleCount").values())
    idle = sum(value == 0 for value in seen.points("Invocations", "Sum").values())
    assert counted == 60 + idle
    assert seen.sum("InvocationsPerInstance") == pytest.approx(30)
    assert (seen.sum("Invocation5XXErrors"), seen.sum("InvocationModelErrors")) == (failed, failed)
    assert seen.sum("Invocation4XXErrors") == 0
    busy = [at for at, value in seen.points("Invocations", "Sum").items() if value]
    ratios, counts = seen.points("Invocation5XXErrors", "Average"), seen.points("Invocation5XXErrors", "SampleCount")
    assert sum(ratios[at] * counts[at] for at in busy) == pytest.approx(failed), "an Average is the share that failed"
    latencies = seen.points("ModelLatency", "p50")
    assert set(latencies) == set(busy), "an idle minute has no latency"
    assert all(value >= DELAY_MS * 1000 for value in latencies.values())
    assert seen.sum("OverheadLatency", "SampleCount") == 60
    assert all(value < 1e6 for value in seen.points("OverheadLatency", "Minimum").values())


def test_concurrency_is_seen_each_ten_seconds_and_idle_variants_have_zeros(hosting, scaling):
    name = hosting.echo_endpoint()
    seen = Seen(scaling, name)
    invoke(hosting, name, 5)
    tens = eventually(
        lambda: (
            one if max((one := seen.points("ConcurrentRequestsPerModel", "Maximum", 10)).values(), default=0) else None
        )
    )
    assert max(tens.values()) == 1
    assert {at.second % 10 for at in tens} == {0}

    def three_idle_minutes():
        sums = seen.points("Invocations", "Sum")
        return sums if list(sums.values())[-3:] == [0.0] * 3 else None

    eventually(three_idle_minutes)
    seen.settle()
    sums = seen.points("Invocations", "Sum")
    times = sorted(sums)
    assert [later - earlier for earlier, later in itertools.pairwise(times)] == [MINUTE] * (len(times) - 1)


def test_what_instances_use_is_measured(hosting, scaling):
    name = hosting.echo_endpoint(count=2)
    seen = Seen(scaling, name)

    def measured():
        invoke(hosting, name, 50)
        used = seen.points("CPUUtilization", "Maximum", namespace=UTILIZATION)
        return used if any(used.values()) else None

    used = eventually(measured)
    assert all(value >= 0 for value in used.values())
    memory = seen.points("MemoryUtilization", "Average", namespace=UTILIZATION)
    assert memory
    assert all(0 < value < 100 for value in memory.values())


def test_they_are_listed_with_their_dimensions_and_units(hosting, scaling):
    name = hosting.echo_endpoint()
    seen = Seen(scaling, name)
    invoke(hosting, name, 1)
    eventually(lambda: seen.points("ModelLatency", "Sum") or None)
    of_endpoint = [{"Name": "EndpointName", "Value": name}]
    pages = scaling.cloudwatch.get_paginator("list_metrics").paginate(Dimensions=of_endpoint)
    listed = {(one["Namespace"], one["MetricName"]) for page in pages for one in page["Metrics"]}
    wanted = "Invocations InvocationsPerInstance Invocation4XXErrors Invocation5XXErrors InvocationModelErrors"
    assert {(INVOCATIONS, metric) for metric in (*wanted.split(), "ModelLatency", "OverheadLatency")} <= listed
    answer = scaling.cloudwatch.get_metric_statistics(
        Namespace=INVOCATIONS,
        MetricName="ModelLatency",
        Dimensions=[*of_endpoint, {"Name": "VariantName", "Value": "main"}],
        StartTime=seen.start,
        EndTime=scaling.now() + MINUTE,
        Period=60,
        Statistics=["Average"],
    )
    assert {point["Unit"] for point in answer["Datapoints"]} == {"Microseconds"}
