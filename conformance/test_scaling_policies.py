"""What moves a variant beside its own load: metrics, alarms and schedules of the user's (sections 2 to 5).

Metrics are sent ahead of time, a value for each minute of the server, of which each lasts a second here: so every test
knows which datapoints an alarm will see, and when.
"""

import datetime
import json

import pytest

from harness import names
from harness.hosting import eventually
from harness.scaling import MINUTE, OWN, assert_scaled, proportional

# An evaluation comes once in each minute of the server; on a busy machine one may come late or be missed.
LATE = 3 * MINUTE


@pytest.fixture(scope="module")
def server_config():
    return "[limits]\ninstances = 40\n"


@pytest.fixture(scope="module")
def server_arguments():
    return ["--time-scale", "60"]


def minute_after(at):
    return at.replace(second=0, microsecond=0) + MINUTE


def own(metric):
    """A customised specification of a metric that the test sends."""
    return {"Namespace": OWN, "MetricName": metric, "Statistic": "Average", "Dimensions": []}


def stays(scaling, endpoint, count, minutes=3):
    """That a variant keeps its count for some minutes of the server."""
    until = scaling.now() + minutes * MINUTE
    while scaling.now() < until:
        assert scaling.desired(endpoint) == count


# -- what takes twenty minutes is begun before the first test, and looked at by the last ones -----------------------


@pytest.fixture(scope="module", autouse=True)
def begun(scaling):
    return {"followed": follow(scaling), "agreed": agree(scaling)}


def follow(scaling):
    """A policy on one metric, and what that metric will be."""
    name, target = scaling.echo(count=2)
    metric = names.fresh("Depth")
    alarms = scaling.track(target, 10, metric=own(metric), ScaleOutCooldown=0, ScaleInCooldown=0)
    # Two minutes above the target do not make an alarm. Then three do; within the band nothing happens; then fifteen
    # below 0.9 of it lead to ceil(3 * 4 / 10) = 2, and the band again keeps that.
    values = [9.5, 15, 15, 9.5, *[13, 14, 15], *[9.5] * 2, *[4] * 15, *[9.5] * 90]
    first = scaling.feed(metric, *values, start=minute_after(scaling.now()))
    return name, target, metric, alarms, first


def agree(scaling):
    """Two policies on two metrics, one of which asks for more and, three minutes longer, for no less."""
    name, target = scaling.echo()
    metrics = [names.fresh("Depth"), names.fresh("Depth")]
    start = minute_after(scaling.now())
    (less, _), (more, low) = [
        scaling.track(target, 10, f"track-{metric}", own(metric), ScaleOutCooldown=0, ScaleInCooldown=0)
        for metric in metrics
    ]
    scaling.feed(metrics[0], *[15] * 3, *[1] * 90, start=start)
    scaling.feed(metrics[1], *[25] * 3, *[9.5] * 3, *[1] * 90, start=start)
    return name, target, (less, more, low), f"track-{metrics[1]}", start


def test_metric_math_is_followed(scaling):
    name, target = scaling.echo()
    waiting, workers = names.fresh("Waiting"), names.fresh("Workers")

    def query(ident, metric):
        stat = {"Metric": {"Namespace": OWN, "MetricName": metric}, "Stat": "Average"}
        return {"Id": ident, "MetricStat": stat, "ReturnData": False}

    queries = [
        query("waiting", waiting),
        query("workers", workers),
        {"Id": "each", "Expression": "waiting / workers", "Label": "backlog per worker", "ReturnData": True},
    ]
    high, _ = scaling.track(target, 10, metric={"Metrics": queries})
    assert [one["Id"] for one in scaling.alarm(high)["Metrics"]] == ["waiting", "workers", "each"]
    now = scaling.now()
    # Each by itself lies above the target in some minute; only their quotient counts.
    scaling.feed(waiting, *[90] * 3, *[50] * 60, start=minute_after(now) - 3 * MINUTE)
    scaling.feed(workers, *[30] * 3, *[2] * 60, start=minute_after(now) - 3 * MINUTE)
    (out,) = scaling.ended(target, 1)[:1]
    at, data = scaling.transitions(high)[0]
    assert data["recentDatapoints"] == [25] * 3
    assert at >= minute_after(now) + 3 * MINUTE
    assert_scaled(out, proportional(1, [25] * 3, 10, 1, 4), high, "track")
    scaling.hosting.delete(name)


def test_a_users_alarm_drives_a_step_policy(scaling):
    """The further beyond the threshold, the larger the step; at Max the activity says so."""
    name, target = scaling.echo()
    arn = scaling.step(target, (0, 10, 1), (10, None, 2), Cooldown=0)
    metric = names.fresh("Errors")
    alarm = scaling.alarm_on(metric, arn, 5)
    scaling.feed(metric, *[16] * 60, start=minute_after(scaling.now()) - MINUTE)
    first, second = scaling.ended(target, 2)[:2]
    # 16 lies 11 beyond 5: two more, then one, because four are the most.
    assert_scaled(first, 3, alarm, "step")
    assert_scaled(second, 4, alarm, "step")
    reasons = eventually(lambda: scaling.not_scaled(target))
    assert {"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 4} in reasons
    # Said once, however often the alarm calls.
    stays(scaling, name, 4)
    assert [one["Code"] for one in scaling.not_scaled(target)].count("AlreadyAtMaxCapacity") == 1
    items = scaling.cloudwatch.describe_alarm_history(AlarmName=alarm, HistoryItemType="Action")["AlarmHistoryItems"]
    assert {one["HistorySummary"] for one in items} == {f"Successfully executed action {arn}"}
    # Deleting the policy takes it off the user's alarm, which stays.
    scaling.autoscaling.delete_scaling_policy(**target, PolicyName="step")
    assert scaling.alarm(alarm)["AlarmActions"] == []
    scaling.cloudwatch.delete_alarms(AlarmNames=[alarm])
    scaling.hosting.delete(name)


def reading(scaling, *values, threshold=5.0, age=datetime.timedelta()):
    asked = (scaling.now() - age).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    return json.dumps({"version": "1.0", "queryDate": asked, "recentDatapoints": list(values), "threshold": threshold})


def test_a_state_set_by_hand_drives_a_policy_by_the_data_it_comes_with(scaling):
    """Section 2.3: a fresh reading scales; none, or one of fifteen seconds ago, does not."""
    name, target = scaling.echo()
    arn = scaling.step(target, (0, None, 2), Cooldown=0)
    # Without data of its own it stays as it is set: nothing evaluates it away.
    alarm = scaling.alarm_on(names.fresh("Never"), arn, 5, TreatMissingData="ignore")

    def set_to(state, data=None):
        more = {"StateReasonData": data} if data else {}
        scaling.cloudwatch.set_alarm_state(AlarmName=alarm, StateValue=state, StateReason="by hand", **more)
        return scaling.alarm(alarm)

    fifteen = datetime.timedelta(seconds=15)
    shown = set_to("ALARM", reading(scaling, 7.0, age=fifteen))
    assert (shown["StateValue"], shown["StateReason"]) == ("ALARM", "by hand")
    set_to("OK")
    stays(scaling, name, 1, minutes=1)
    # Ahead of time by as much as a call may take on a busy machine, in the server's time.
    data = reading(scaling, 7.0, age=-MINUTE)
    shown = set_to("ALARM", data)
    assert shown["StateReasonData"] == data
    (out,) = scaling.ended(target, 1)
    assert_scaled(out, 3, alarm, "step")
    scaling.cloudwatch.delete_alarms(AlarmNames=[alarm])
    scaling.hosting.delete(name)


def test_a_schedule_moves_the_bounds_and_what_lies_outside(scaling):
    name, target = scaling.echo(most=2)
    at = scaling.now() + 2 * MINUTE
    scaling.autoscaling.put_scheduled_action(
        **target,
        ScheduledActionName="morning",
        Schedule=f"at({at:%Y-%m-%dT%H:%M:%S})",
        ScalableTargetAction={"MinCapacity": 3, "MaxCapacity": 4},
    )
    # Both begin at one moment.
    by_cause = {one["Cause"]: one for one in scaling.ended(target, 2)}
    bounds, moved = by_cause["scheduled action name morning was triggered"], by_cause["minimum capacity was set to 3"]
    assert bounds["StartTime"] >= at.replace(microsecond=0)
    assert bounds["StartTime"] < at + LATE
    assert bounds["Description"] == "Setting min capacity to 3 and max capacity to 4"
    assert bounds["StatusMessage"] == "Successfully set min capacity to 3 and max capacity to 4"
    assert moved["Description"] == "Setting desired instance count to 3."
    assert {one["StatusCode"] for one in (bounds, moved)} == {"Successful"}
    shown = scaling.autoscaling.describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[target["ResourceId"]]
    )["ScalableTargets"][0]
    assert (shown["MinCapacity"], shown["MaxCapacity"]) == (3, 4)
    # Once is once, and it stays listed.
    stays(scaling, name, 3)
    assert len(scaling.activities(target)) == 2
    listed = scaling.autoscaling.describe_scheduled_actions(**target)["ScheduledActions"]
    assert [one["ScheduledActionName"] for one in listed] == ["morning"]
    scaling.hosting.delete(name)


def test_what_is_suspended_waits_and_then_acts_at_once(scaling):
    """Section 5.1: an alarm that is still in ALARM when scaling is resumed scales."""
    name, target = scaling.echo()
    suspended = {"DynamicScalingOutSuspended": True, "ScheduledScalingSuspended": True}
    scaling.autoscaling.register_scalable_target(**target, SuspendedState=suspended)
    metric = names.fresh("Depth")
    high, _ = scaling.track(target, 10, metric=own(metric))
    scaling.feed(metric, *[20] * 60, start=minute_after(scaling.now()) - 4 * MINUTE)
    missed = scaling.now() + MINUTE
    scaling.autoscaling.put_scheduled_action(
        **target,
        ScheduledActionName="missed",
        Schedule=f"at({missed:%Y-%m-%dT%H:%M:%S})",
        ScalableTargetAction={"MinCapacity": 4},
    )
    eventually(lambda: scaling.alarm(high)["StateValue"] == "ALARM")
    stays(scaling, name, 1)
    assert scaling.now() > missed
    # Neither leaves a trace.
    assert scaling.activities(target, IncludeNotScaledActivities=True) == []
    resumed = scaling.now()
    scaling.autoscaling.register_scalable_target(**target, SuspendedState=dict.fromkeys(suspended, False))
    (out,) = scaling.ended(target, 1)
    assert_scaled(out, 2, high, "track")
    assert resumed <= out["StartTime"] < resumed + LATE
    scaling.hosting.delete(name)


def test_a_customised_metric_is_followed_by_the_book(scaling, begun):
    """Alarms go off at the end of the third and of the fifteenth minute, for what these datapoints ask."""
    name, target, metric, (high, low), first = begun["followed"]
    (out, inward) = scaling.ended(target, 2)[:2]

    ((at, data),) = scaling.transitions(high)
    due = first + 7 * MINUTE
    assert due <= at < due + LATE
    assert data["recentDatapoints"] == [13, 14, 15]
    assert data["threshold"] == 10
    count = proportional(2, [13, 14, 15], 10, 1, 4)
    assert count == 3
    assert_scaled(out, count, high, "track")
    assert at <= out["StartTime"] < at + LATE

    ((at, data),) = scaling.transitions(low)
    due = first + 24 * MINUTE
    assert due <= at < due + LATE
    assert data["recentDatapoints"] == [4] * 15
    assert data["threshold"] == 9
    assert_scaled(inward, 2, low, "track")
    assert at <= inward["StartTime"] < at + LATE
    # The band again: the low alarm goes OK with its first datapoint, and the count stays.
    eventually(lambda: scaling.alarm(low)["StateValue"] == "OK")
    assert scaling.desired(name) == 2
    assert scaling.datapoints(first, first + 24 * MINUTE, metric, "Average")[first + 4 * MINUTE] == 13
    scaling.hosting.delete(name)


def test_of_two_policies_the_larger_wins_and_both_must_agree_to_scale_in(scaling, begun):
    """Section 2.5."""
    name, target, (less, more, low), policy, start = begun["agreed"]
    out, inward = scaling.ended(target, 2)[:2]
    assert_scaled(out, 3, more, policy)
    assert scaling.transitions(less)
    assert inward["Description"] == "Setting desired instance count to 1."
    # Not before the later one's low alarm.
    ((at, _),) = scaling.transitions(low)
    assert at >= start + 21 * MINUTE
    assert inward["StartTime"] >= at
    scaling.hosting.delete(name)
