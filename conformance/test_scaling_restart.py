"""Promise T2 for scaling: a server killed in the middle of it comes back with all it acknowledged, and goes on.

The clock of a server that runs faster than the wall is marked ahead of time, so that it never goes back: over a kill it
jumps some minutes ahead, which is how schedules come to be missed here.
"""

import contextlib
import datetime

from harness import names, processes
from harness.hosting import Hosting, eventually
from harness.scaling import INVOCATIONS, MINUTE, OWN, Scaling, assert_scaled, minute_of
from harness.server import Server

CONFIG = "[limits]\ninstances = 16\n"


@contextlib.contextmanager
def a_server():
    made = Server(config=CONFIG, arguments=["--time-scale", "60"])
    try:
        yield made.start()
    finally:
        made.close()


def killed_and_started_again(server):
    server.kill()
    left = server.orphans()
    assert left == [], f"left running:\n{processes.describe(left)}"
    server.start()
    return Scaling(Hosting(server))


def everything(scaling):
    """All that was asked for, as it is told; without what moves by itself."""
    space = {"ServiceNamespace": "sagemaker"}
    aas = scaling.autoscaling
    alarms = scaling.cloudwatch.describe_alarms()["MetricAlarms"]
    moving = ("StateValue", "StateReason", "StateReasonData", "StateUpdatedTimestamp", "StateTransitionedTimestamp")
    return (
        aas.describe_scalable_targets(**space)["ScalableTargets"],
        aas.describe_scaling_policies(**space)["ScalingPolicies"],
        aas.describe_scheduled_actions(**space)["ScheduledActions"],
        [{name: value for name, value in one.items() if name not in moving} for one in alarms],
    )


def follows_its_own(scaling, target, *values, **cooldowns):
    """Puts a policy that asks for 10 of a metric, whose last minutes have these values."""
    metric = names.fresh("Depth")
    spec = {"Namespace": OWN, "MetricName": metric, "Statistic": "Average"}
    alarms = scaling.track(target, 10, metric=spec, **cooldowns)
    scaling.feed(metric, *values, start=minute_of(scaling.now()) - 3 * MINUTE)
    return alarms


def test_a_scale_out_goes_on_and_nothing_that_was_acknowledged_is_lost():
    with a_server() as server:
        scaling = Scaling(Hosting(server))
        name, target = scaling.echo(most=3, TIDEGATE_ECHO_STARTUP_MS=1500)
        scaling.track(target, 1000, "idle", INVOCATIONS, DisableScaleIn=True)
        arn = scaling.step(target, (0, None, 1))
        scaling.alarm_on(names.fresh("Never"), arn, 5)
        scaling.autoscaling.put_scheduled_action(
            **target, ScheduledActionName="later", Schedule="rate(30 days)", ScalableTargetAction={"MaxCapacity": 3}
        )
        high, _ = follows_its_own(scaling, target, *[15] * 90, ScaleOutCooldown=0)
        (begun,) = eventually(lambda: scaling.activities(target))
        assert begun["StatusCode"] == "InProgress"
        assert begun["StatusMessage"] == (
            "Successfully set desired instance count to 2. Waiting for change to be fulfilled by sagemaker."
        )
        before = everything(scaling)
        assert [len(part) for part in before] == [1, 3, 1, 4]
        # The last thing that the server hears before it dies.
        kept = names.fresh("Kept")
        first = scaling.feed(kept, 1, 2.5, -4)

        scaling = killed_and_started_again(server)
        assert everything(scaling) == before
        assert list(scaling.datapoints(first, first + 3 * MINUTE, kept, "Sum").values()) == [1, 2.5, -4]
        assert scaling.desired(name) == 2
        ended, further = scaling.ended(target, 2)[:2]
        assert ended["ActivityId"] == begun["ActivityId"]
        assert ended["StartTime"] == begun["StartTime"]
        assert_scaled(ended, 2, high, "track")
        # And it goes on from there: the metric still asks for more.
        assert_scaled(further, 3, high, "track")
        assert scaling.hosting.in_service(name)["ProductionVariants"][0]["CurrentInstanceCount"] == 3
        scaling.hosting.delete(name)


def test_a_cooldown_lasts_as_long_as_if_nothing_had_happened():
    with a_server() as server:
        scaling = Scaling(Hosting(server))
        name, target = scaling.echo()
        # Longer than the clock jumps.
        high, _ = follows_its_own(scaling, target, *[15] * 100, ScaleOutCooldown=1200)
        (first,) = scaling.ended(target, 1)
        assert_scaled(first, 2, high, "track")
        scaling = killed_and_started_again(server)
        # One and a half times what one instance had is what was given for: three are asked for after the cooldown.
        _, second = scaling.ended(target, 2)
        assert_scaled(second, 3, high, "track")
        cooled = first["EndTime"] + 20 * MINUTE
        assert cooled <= second["StartTime"] < cooled + 5 * MINUTE
        scaling.hosting.delete(name)


def test_a_schedule_missed_meanwhile_runs_once():
    with a_server() as server:
        scaling = Scaling(Hosting(server))
        name, target = scaling.echo()
        now = scaling.now()
        once, never = now + 2 * MINUTE, now + 90 * MINUTE
        for action, schedule, least in (
            ("once", f"at({once:%Y-%m-%dT%H:%M:%S})", 2),
            ("often", "rate(1 minute)", 2),
            ("never", f"at({never:%Y-%m-%dT%H:%M:%S})", 4),
        ):
            scaling.autoscaling.put_scheduled_action(
                **target,
                ScheduledActionName=action,
                Schedule=schedule,
                ScalableTargetAction={"MinCapacity": least},
            )
        down = scaling.now()
        scaling = killed_and_started_again(server)
        up = scaling.now()
        assert up > down + 3 * MINUTE, "the clock did not jump: nothing has been missed"

        def runs(action):
            cause = f"scheduled action name {action} was triggered"
            return [one["StartTime"] for one in scaling.activities(target) if one["Cause"] == cause]

        (ran,) = eventually(lambda: runs("once"))
        assert down < ran < up + MINUTE
        assert runs("never") == []
        # Of all that was missed one run; from then on there is one each minute.
        often = eventually(lambda: after[:3] if len(after := [at for at in runs("often") if at > down]) > 2 else None)
        assert often[2] - often[0] > MINUTE - datetime.timedelta(seconds=1)
        # A second restart finds nothing of it to do again.
        before = len(runs("often"))
        scaling = killed_and_started_again(server)
        eventually(lambda: len(runs("often")) > before)
        assert runs("once") == [ran]
        assert scaling.hosting.settled(name)["ProductionVariants"][0]["CurrentInstanceCount"] == 2
        scaling.hosting.delete(name)
