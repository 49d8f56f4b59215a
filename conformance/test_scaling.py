"""Endpoints that scale with their load, by the book (reference/autoscaling-and-cloudwatch.md, sections 2 and 5).

A minute of the server lasts a second here. What the book says is asserted on the server's own times and datapoints.
"""

import datetime
import itertools
import math

import pytest

from harness import processes
from harness.hosting import eventually
from harness.load import Load
from harness.scaling import CONCURRENCY, INVOCATIONS, MINUTE, assert_scaled, minute_of, proportional

SCALE = 60
# Requests a second of the wall, which are requests a minute of the server.
ONE, FOUR = 14.0, 56.0
# Four times the load is too much for two instances and lies, on three, between 0.9 of this and this.
TARGET = 20.0
LEAST, MOST = 1, 4
# The server looks at alarms at each of its minutes; on a busy machine it may come late, or miss one.
LATE = 3 * MINUTE


@pytest.fixture(scope="module")
def server_config():
    return "[limits]\ninstances = 32\n"


@pytest.fixture(scope="module")
def server_arguments():
    return ["--time-scale", str(SCALE)]


def first_run(points, length, breaches, since):
    """The end of the first so many minutes in a row that breach."""
    run = 0
    for at in sorted(points):
        run = run + 1 if breaches(points[at]) and at >= since else 0
        if run == length:
            return at + MINUTE
    return None


def test_load_scales_out_after_three_minutes_and_in_after_fifteen(hosting, scaling, server):
    name, target = scaling.echo(least=LEAST, most=MOST)
    started = minute_of(scaling.now())
    cooldowns = {"ScaleOutCooldown": 60, "ScaleInCooldown": 60}
    high, low = scaling.track(target, TARGET, metric=INVOCATIONS, **cooldowns)
    assert [scaling.alarm(one)["StateValue"] for one in (high, low)] == ["INSUFFICIENT_DATA"] * 2

    with Load(hosting, name, per_second=ONE) as load:
        # Less than the target: the high alarm goes OK with the first minute, and nothing is scaled.
        eventually(lambda: scaling.alarm(high)["StateValue"] == "OK")
        eventually(lambda: scaling.now() >= started + 4 * MINUTE)
        assert scaling.activities(target) == []
        load.per_second = FOUR
        (out,) = scaling.ended(target, 1)
        grown = hosting.describe(name)
        assert grown["EndpointStatus"] == "InService"
        peak = hosting.variant_of(name)
        assert peak["CurrentInstanceCount"] == peak["DesiredInstanceCount"] > 1
        load.per_second = ONE
        eventually(lambda: hosting.variant_of(name)["CurrentInstanceCount"] == LEAST)
        scaling.ended(target, 2)
    assert load.failures == []
    assert load.count > 100

    points = scaling.datapoints(
        started,
        scaling.now(),
        "InvocationsPerInstance",
        "Sum",
        namespace="AWS/SageMaker",
        EndpointName=name,
        VariantName="main",
    )
    check_scale_out(scaling, points, high, out, peak["DesiredInstanceCount"], started)
    check_scale_in(scaling, points, low, target, peak["DesiredInstanceCount"])

    hosting.delete(name)
    assert processes.wait_until_gone(server.data_dir, 10, keep=[server.pid]) == []


def check_scale_out(scaling, points, alarm, activity, count, started):
    at, data = scaling.transitions(alarm)[0]
    due = first_run(points, 3, lambda value: value > TARGET, started)
    assert due is not None, f"no three minutes above the target, yet the alarm went off: {points}"
    assert due <= at < due + LATE
    recent = data["recentDatapoints"]
    assert len(recent) == 3
    assert min(recent) > TARGET
    # What it was judged by is what clients are told.
    told = [points[one] for one in sorted(points) if due - 3 * MINUTE <= one < due]
    if at < due + MINUTE:
        assert recent == pytest.approx(told, rel=0.1)
    assert count == proportional(1, recent, TARGET, LEAST, MOST)
    assert_scaled(activity, count, alarm, "track")
    assert at <= activity["StartTime"] < at + LATE


def check_scale_in(scaling, points, alarm, target, count):
    at, data = scaling.transitions(alarm)[-1]
    assert len(data["recentDatapoints"]) == 15
    assert max(data["recentDatapoints"]) < 0.9 * TARGET
    due = [one for one in sorted(points) if points[one] < 0.9 * TARGET and one + MINUTE <= at][-15:]
    assert len(due) == 15
    # Fifteen minutes in a row, of which the last had just ended.
    assert due[-1] - due[0] == 14 * MINUTE
    assert at < due[-1] + MINUTE + LATE
    inward = scaling.activities(target)[1:]
    assert inward
    first = proportional(count, data["recentDatapoints"], TARGET, LEAST, MOST)
    assert_scaled(inward[0], first, alarm, "track")
    assert at <= inward[0]["StartTime"] < at + LATE
    assert_scaled(inward[-1], LEAST, alarm, "track")
    # Whatever came between: only downwards, and each after the cooldown of the one before.
    counts = [int(one["Description"].rstrip(".").split()[-1]) for one in inward]
    assert counts == sorted(counts, reverse=True)
    for before, after in itertools.pairwise(inward):
        assert after["StartTime"] >= before["EndTime"] + MINUTE


def test_concurrency_scales_out_within_half_a_minute(hosting, scaling):
    """High resolution: three datapoints of ten seconds."""
    threads, value = 8, 2.5
    # Far longer than a window of ten seconds lasts here, so that every window sees all of them.
    name, target = scaling.echo(TIDEGATE_ECHO_DELAY_MS=400)
    high, low = scaling.track(target, value, metric=CONCURRENCY)
    shown = scaling.alarm(high), scaling.alarm(low)
    assert [(one["Period"], one["EvaluationPeriods"]) for one in shown] == [(10, 3), (10, 90)]
    assert {one["MetricName"] for one in shown} == {"ConcurrentRequestsPerModel"}
    begun = scaling.now()
    with Load(hosting, name, threads=threads) as load:
        (out,) = scaling.ended(target, 1)[:1]
        assert hosting.in_service(name)["EndpointStatus"] == "InService"
    assert load.failures == []

    at, data = scaling.transitions(high)[0]
    recent = data["recentDatapoints"]
    assert (len(recent), data["period"], data["statistic"]) == (3, 10, "Maximum")
    assert value < min(recent) <= max(recent) <= threads
    assert_scaled(out, proportional(1, recent, value, LEAST, MOST), high, "track")
    ten = datetime.timedelta(seconds=10)
    # Three whole windows lie between the first request and the alarm, and not many more.
    assert at >= begun + 2 * ten
    points = scaling.datapoints(
        minute_of(begun),
        at,
        "ConcurrentRequestsPerModel",
        "Maximum",
        period=10,
        namespace="AWS/SageMaker",
        EndpointName=name,
        VariantName="main",
    )
    busy = [one for one in sorted(points) if points[one] > value]
    assert len(busy) >= 3
    assert busy[2] + ten <= at < busy[2] + ten + LATE
    assert math.isclose((busy[2] - busy[0]).total_seconds(), 20)
    hosting.delete(name)
