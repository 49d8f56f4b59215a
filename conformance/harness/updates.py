"""An autoscaled endpoint with everything that an update could lose, and a look at what is left of it."""

import concurrent.futures
import contextlib
import threading

from botocore.exceptions import BotoCoreError, ClientError

from . import names
from .hosting import eventually, variant
from .load import Load
from .scaling import DIMENSION, INVOCATIONS, OWN

SPACE = {"ServiceNamespace": "sagemaker"}
OTHER_TYPE = "ml.c5.xlarge"
COUNT, WEIGHT = 2, 0.5

# Updates that a test makes side by side: most of each is waiting.
AT_ONCE = 6
LOOK_SECONDS = 0.1

# What is new whenever it is made, and what moves by itself.
NEW = ("CreationTime", "ScalableTargetARN", "PolicyARN", "ScheduledActionARN", "Alarms")
MOVING = (
    "StateValue",
    "StateReason",
    "StateReasonData",
    "StateUpdatedTimestamp",
    "StateTransitionedTimestamp",
    "AlarmConfigurationUpdatedTimestamp",
)


def without(members, *left_out):
    return {name: value for name, value in members.items() if name not in left_out}


def differences(before, after, at="it"):
    """What of a tree of values is not as it was, a line each."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted({*before, *after}):
            yield from differences(before.get(name), after.get(name), f"{at}.{name}")
    elif isinstance(before, tuple) and isinstance(after, tuple) and len(before) == len(after):
        for number, pair in enumerate(zip(before, after, strict=True)):
            yield from differences(*pair, f"{at}.{number}")
    elif before != after:
        yield f"{at} was {before!r} and is {after!r}"


class Scaled:
    """An endpoint of two variants, both registered; the update gives `web` another instance type and both a new model.

    `web` has what a target can have: tags, a suspended state, a policy of each kind, scheduled actions, and an alarm of
    the user's own that calls one of its policies. It has been scaled away from what its config says.
    """

    def __init__(self, hosting, scaling, **environment):
        self.hosting, self.scaling = hosting, scaling
        model = hosting.model()
        self.old = hosting.config(variant(model, "web"), variant(model, "batch"))
        self.name = hosting.begin(self.old)
        self.new = self.config_of(hosting.model(**environment))
        self.settled()
        wanted = [
            {"VariantName": "web", "DesiredInstanceCount": COUNT, "DesiredWeight": WEIGHT},
            {"VariantName": "batch", "DesiredInstanceCount": 1, "DesiredWeight": 1},
        ]
        hosting.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=self.name, DesiredWeightsAndCapacities=wanted
        )
        self.settled()
        self._register()

    def config_of(self, model, web=OTHER_TYPE, batch="ml.m5.large"):
        made = [variant(model, "web", InstanceType=web), variant(model, "batch", InstanceType=batch)]
        return self.hosting.config(*made)

    def target(self, variant="web"):
        resource = f"endpoint/{self.name}/variant/{variant}"
        return SPACE | {"ResourceId": resource, "ScalableDimension": DIMENSION}

    def _register(self):
        scaling, web, batch = self.scaling, self.target(), self.target("batch")
        scaling.autoscaling.register_scalable_target(
            **web,
            MinCapacity=1,
            MaxCapacity=4,
            SuspendedState={"ScheduledScalingSuspended": True},
            Tags={"team": "tide", "cost": "a b"},
        )
        scaling.track(web, 100_000.5, "track", INVOCATIONS, ScaleInCooldown=120)
        arn = scaling.step(web, (0, 10, 1), (10, None, 2), Cooldown=60, MetricAggregationType="Maximum")
        self.alarm = scaling.alarm_on(names.fresh("Errors"), arn, 5, OKActions=["arn:aws:sns:us-east-1:000000000000:a"])
        scheduled = [
            ("nights", {"Schedule": "cron(0 22 * * ? *)", "Timezone": "Europe/Paris"}),
            ("once", {"Schedule": "at(2199-01-01T00:00:00)"}),
        ]
        for name, when in scheduled:
            scaling.autoscaling.put_scheduled_action(
                **web, ScheduledActionName=name, ScalableTargetAction={"MinCapacity": 1, "MaxCapacity": 3}, **when
            )
        scaling.autoscaling.register_scalable_target(**batch, MinCapacity=1, MaxCapacity=2)
        metric = {"Namespace": OWN, "MetricName": names.fresh("Depth"), "Statistic": "Average"}
        scaling.track(batch, 10, "depth", metric, DisableScaleIn=True)

    # -- looks -----------------------------------------------------------------------------------------------------

    def settled(self):
        return self.hosting.settled(self.name)

    def config(self):
        return self.hosting.describe(self.name)["EndpointConfigName"]

    def scaled(self):
        """All that scales it, by variant, without what is new whenever it is made."""
        return {one: self._scaled(one) for one in ("web", "batch")}

    def _scaled(self, variant):
        autoscaling, target = self.scaling.autoscaling, self.target(variant)
        found = autoscaling.describe_scalable_targets(**SPACE, ResourceIds=[target["ResourceId"]])["ScalableTargets"]
        if not found:
            return None
        tags = autoscaling.list_tags_for_resource(ResourceARN=found[0]["ScalableTargetARN"])["Tags"]
        policies = autoscaling.describe_scaling_policies(**target)["ScalingPolicies"]
        actions = autoscaling.describe_scheduled_actions(**target)["ScheduledActions"]
        return {
            "target": without(found[0], *NEW),
            "tags": tags,
            "policies": {one["PolicyName"]: without(one, *NEW) for one in policies},
            "actions": {one["ScheduledActionName"]: without(one, *NEW) for one in actions},
            "alarms": self._alarms(target, policies),
        }

    def _alarms(self, target, policies):
        """How many of Application Auto Scaling's own are there, and whether those are the policies'; and the user's."""
        arns = {one["PolicyARN"]: one["PolicyName"] for one in policies}
        theirs = {alarm["AlarmName"] for one in policies for alarm in one["Alarms"]} - {self.alarm}
        describe = self.scaling.cloudwatch.describe_alarms
        made = describe(AlarmNamePrefix=f"TargetTracking-{target['ResourceId']}-")["MetricAlarms"]
        assert {one["AlarmName"] for one in made} == theirs, f"{made} is not {theirs}"
        if "step" not in arns.values():
            return len(made), None
        (own,) = describe(AlarmNames=[self.alarm])["MetricAlarms"]
        calls = [arns.get(action, action) for action in own["AlarmActions"]]
        return len(made), without(own, *MOVING, "AlarmActions") | {"AlarmActions": calls}

    def served(self):
        """By variant: the instances that are wanted and those that are there, and the weight."""
        seen = self.hosting.describe(self.name)["ProductionVariants"]
        return {
            one["VariantName"]: (one["DesiredInstanceCount"], one["CurrentInstanceCount"], one["DesiredWeight"])
            for one in seen
        }

    def everything(self):
        return self.served(), self.scaled()

    def is_as_before(self, before, config):
        """That nothing is lost, and which config is in use."""
        seen = self.settled()
        now = seen["EndpointStatus"], seen["EndpointConfigName"]
        assert now == ("InService", config), now
        lost = list(differences(before, self.everything()))
        assert not lost, "\n".join(lost)

    @contextlib.contextmanager
    def watched(self, echo=True):
        """Under load from `with` to its end: no request fails, and no variant ever has fewer instances than before."""
        before = self.served()
        fewest = {one: current for one, (_, current, _) in before.items()}
        stop, faults = threading.Event(), []

        def look():
            while not stop.wait(LOOK_SECONDS):
                try:
                    for one, (_, current, _) in self.served().items():
                        fewest[one] = min(fewest[one], current)
                except (ClientError, BotoCoreError, KeyError) as fault:
                    faults.append(repr(fault))

        looking = threading.Thread(target=look, daemon=True)
        with Load(self.hosting, self.name, threads=1, per_second=10, echo=echo) as load:
            looking.start()
            try:
                yield load
            finally:
                stop.set()
                looking.join(60)
        assert (load.failures, faults) == ([], []), (load.failures, faults)
        assert load.count > 0
        fewer = {one: count for one, count in fewest.items() if count < before[one][1]}
        assert not fewer, f"there were only {fewer} of {before}"

    def end(self):
        """Deletes it, without waiting: its instances make room for those of the next."""
        self.settled()
        self.hosting.sagemaker.delete_endpoint(EndpointName=self.name)
        self.scaling.cloudwatch.delete_alarms(AlarmNames=[self.alarm])


@contextlib.contextmanager
def scaled(hosting, scaling, **environment):
    """One of these; what went wrong with it stays to be looked at."""
    made = Scaled(hosting, scaling, **environment)
    yield made
    made.end()


def side_by_side(run, cases):
    """Runs all of them, some at a time. One that fails is named with its reason, beside the others that do."""
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        running = {case: pool.submit(run, *case) for case in cases}
    failed = {case: done.exception() for case, done in running.items() if done.exception()}
    told = "\n".join(f"{case}: {type(why).__name__}: {why}" for case, why in failed.items())
    assert not failed, f"{len(failed)} of {len(running)} failed\n{told}"
    return {case: done.result() for case, done in running.items()}


def becomes(call, status, seconds=60):
    """Waits until a call's answer has this `Status`."""
    return eventually(lambda: (seen := call())["Status"] == status and seen, seconds)
