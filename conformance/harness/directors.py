"""What happens to the endpoints of a soak: each has a director, which has one change after the other made as in life.

Each director has a pack of cards, a card for every kind of change; when all are played, they are shuffled again. After
each the endpoint must have what was asked for, or what it had before, as the change says.
"""

import collections
import random
import threading
import traceback

from botocore.exceptions import ClientError

from . import names, signed
from .deployments import blue_green, guarded, instances, percent, rolling
from .hosting import eventually, variant
from .program import Program
from .scaling import INVOCATIONS, OWN

# Server time runs so many times as fast as the wall: alarms are looked at each second, bakes of minutes take seconds.
TIME_SCALE = 60
BAKE = 60
# Longer than it takes until somebody or something rolls back.
LONG_BAKE = 1800
# The least that a deployment may take by AWS's model: ten seconds here.
TIMEOUT = 600

LOOK_SECONDS = 0.2
SETTLED_SECONDS = 90
BETWEEN_SECONDS = 0.3
AT_REST = ("InService", "Failed", "UpdateRollbackFailed")
# What refuses a change while scaling moves the endpoint, and a safe update.
IN_PROGRESS, NOT_AT_REST = "Cannot update in-progress endpoint", "begins when it is InService"
TYPES = "ml.m5.large", "ml.c5.xlarge"


# By name: how an update goes about it, given how long each bake takes. All fit fleets of three and more.
STAGED = {
    "canary": lambda bake: blue_green("CANARY", bake, bake, CanarySize=instances(1)),
    "linear": lambda bake: blue_green("LINEAR", bake, bake, LinearStepSize=percent(30)),
    "rolling": lambda bake: rolling(percent(25), bake),
    "rolling, back in batches": lambda bake: rolling(percent(50), bake, percent(50)),
}
WITH_ALL_AT_ONCE = {"all at once": lambda bake: blue_green("ALL_AT_ONCE", 0, bake)} | STAGED


class Director(threading.Thread):
    """One endpoint's changes from `start` to `finish`. What went wrong is in `faults`, and ends it."""

    # Milliseconds that its model servers take for an answer: so there is something inside when one is killed.
    delay = 0

    def __init__(self, stage, name, seed):
        super().__init__(daemon=True)
        self.name, self.hosting, self.server = name, stage.hosting, stage.server
        self.scaling, self.stage, self.dice = stage.scaling, stage, random.Random(seed)
        self.played, self.faults = collections.Counter(), []
        # Of the fleet that serves: a number that no other has had.
        self.fleet = 0
        self._configs, self._finished = {}, threading.Event()
        self.models = [self.hosting.model(name=f"{name}-{one}", TIDEGATE_ECHO_DELAY_MS=self.delay) for one in "ab"]
        self.set_up()

    def run(self):
        while not self._finished.is_set():
            pack = self.pack()
            self.dice.shuffle(pack)
            for kind, change in pack:
                if self._finished.wait(BETWEEN_SECONDS):
                    return
                try:
                    change()
                except Exception:
                    described = self.hosting.describe(self.name)
                    self.faults.append(f"{self.name}: {kind}: {traceback.format_exc()}\n{described}")
                    return
                self.played[kind] += 1

    def finish(self):
        self._finished.set()

    # -- what it is made of ----------------------------------------------------------------------------------------

    def config(self, *variants):
        """The name of a config of these variants, each the arguments of `variant`; made once."""
        key = repr(variants)
        if key not in self._configs:
            self._configs[key] = self.hosting.config(*(variant(**one) for one in variants))
        return self._configs[key]

    def settled(self):
        def probe():
            seen = self.hosting.describe(self.name)
            return seen if seen["EndpointStatus"] in AT_REST else None

        return eventually(probe, SETTLED_SECONDS, LOOK_SECONDS)

    def last_update(self):
        answer, told = signed.own(self.server, "GET", f"/endpoints/{self.name}/last-update")
        assert answer.status == 200, answer
        return told

    def ask(self, call, **members):
        """A call that its endpoint refuses while scaling moves it: made again until it is taken."""

        def probe():
            try:
                call(EndpointName=self.name, **members)
            except ClientError as refused:
                if IN_PROGRESS not in str(refused):
                    raise
                return False
            return True

        eventually(probe, SETTLED_SECONDS, LOOK_SECONDS)

    def begin(self, config, deployment=None, **more):
        more |= {"DeploymentConfig": deployment} if deployment else {}
        self.ask(self.hosting.sagemaker.update_endpoint, EndpointConfigName=config, **more)

    def update(self, config, deployment=None, **more):
        """An update that must come to its end."""
        self.begin(config, deployment, **more)
        self.is_applied(config)

    def is_applied(self, config):
        seen, last = self.settled(), self.last_update()
        now = seen["EndpointStatus"], seen["EndpointConfigName"], last["Outcome"]
        assert now == ("InService", config, "Applied"), (now, seen.get("FailureReason"))
        assert "FailureReason" not in seen
        self.fleet += 1
        return seen

    def is_back(self, before, config, why):
        """That the update to `config` was rolled back for this reason, and everything is as before."""
        seen, last = self.settled(), self.last_update()
        now = seen["EndpointStatus"], seen["EndpointConfigName"], last["Outcome"]
        assert now == ("InService", before["EndpointConfigName"], "RolledBack"), (now, seen.get("FailureReason"))
        assert last["RequestedEndpointConfigName"] == config
        assert why in seen["FailureReason"], seen["FailureReason"]
        assert served(seen) == served(before), (served(seen), served(before))

    def resize(self, **wanted):
        """Other counts and weights: by variant, both."""
        changes = [
            {"VariantName": one, "DesiredInstanceCount": count, "DesiredWeight": weight}
            for one, (count, weight) in wanted.items()
        ]
        self.ask(self.hosting.sagemaker.update_endpoint_weights_and_capacities, DesiredWeightsAndCapacities=changes)
        assert served(self.settled()) == wanted


def served(seen):
    """By variant: the instances that are wanted, and the weight."""
    return {
        one["VariantName"]: (one["DesiredInstanceCount"], one["DesiredWeight"]) for one in seen["ProductionVariants"]
    }


class Guarded(Director):
    """An endpoint of one variant that is updated in every way, and rolled back for every reason."""

    delay, count = 20, 4

    def set_up(self):
        self.alarm = f"{self.name}-errors"
        self.metric = names.fresh("Errors")
        self.scaling.cloudwatch.put_metric_alarm(
            AlarmName=self.alarm,
            Namespace=OWN,
            MetricName=self.metric,
            Statistic="Maximum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=5,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="notBreaching",
        )
        self.bad = self.hosting.model(image="nobody/knows:this", name=f"{self.name}-bad")
        self.stuck = self.hosting.model(name=f"{self.name}-stuck", TIDEGATE_ECHO_NEVER_READY=1)
        self.hosting.endpoint(self._config(self.models[0]), self.name)

    def _config(self, model, count=None):
        return self.config({"model": model, "count": count or self.count})

    def pack(self):
        ways = list(STAGED)
        self.dice.shuffle(ways)
        good = [("update: plain", lambda: self._good(None))]
        good += [(f"update: {name}", lambda way=way: self._good(way)) for name, way in WITH_ALL_AT_ONCE.items()]
        back = [
            (f"rolled back by PutMetricData: {ways[0]}", lambda: self._alarmed(STAGED[ways[0]], self._measure)),
            (f"rolled back by SetAlarmState: {ways[1]}", lambda: self._alarmed(STAGED[ways[1]], self._set_state)),
            (f"rolled back on request: {ways[2]}", lambda: self._asked_back(STAGED[ways[2]])),
            ("rolled back: cannot start", lambda: self._failed(STAGED[ways[3]])),
            ("rolled back: takes too long", self._late),
        ]
        return [*good, *back, ("counts and weights", self._resize), ("counts and weights", self._resize)]

    def _guards(self):
        return guarded([self.alarm])

    def _next(self):
        """A config of the other model."""
        seen = self.hosting.describe(self.name)["EndpointConfigName"]
        return next(one for one in map(self._config, self.models) if one != seen)

    def _good(self, way):
        config = self._next()
        self._until_no_alarm()
        self.update(config, way(BAKE) | self._guards() if way else None)
        assert served(self.hosting.describe(self.name)) == {"main": (self.count, 1.0)}

    def _until_no_alarm(self):
        # One that has not come back from the last time would end this update, too.
        eventually(lambda: self.scaling.alarm(self.alarm)["StateValue"] != "ALARM", SETTLED_SECONDS, LOOK_SECONDS)

    def _until_it_bakes(self):
        def probe():
            seen = self.hosting.describe(self.name)
            pending = seen.get("PendingDeploymentSummary")
            assert pending, seen
            statuses = [one["Status"] for one in pending["ProductionVariants"][0].get("VariantStatus", ())]
            return "Baking" in statuses

        eventually(probe, SETTLED_SECONDS, LOOK_SECONDS)

    def _half_way(self, way):
        """What was before, and the config that it is on its way to, when the first bake has begun."""
        config = self._next()
        before = self.hosting.describe(self.name)
        self._until_no_alarm()
        self.begin(config, way(LONG_BAKE) | self._guards())
        self._until_it_bakes()
        return before, config

    def _measure(self):
        data = [{"MetricName": self.metric, "Timestamp": self.scaling.now(), "Value": 9}]
        self.scaling.cloudwatch.put_metric_data(Namespace=OWN, MetricData=data)

    def _set_state(self):
        self.scaling.cloudwatch.set_alarm_state(AlarmName=self.alarm, StateValue="ALARM", StateReason="it is bad")

    def _alarmed(self, way, cause):
        before, config = self._half_way(way)
        cause()
        self.is_back(before, config, self.alarm)

    def _asked_back(self, way):
        before, config = self._half_way(way)
        answer, _ = signed.own(self.server, "POST", f"/endpoints/{self.name}/rollback")
        assert answer.status == 200, answer
        self.is_back(before, config, "on request")

    def _failed(self, way):
        before, config = self.hosting.describe(self.name), self._config(self.bad)
        self._until_no_alarm()
        self.begin(config, way(BAKE) | self._guards())
        self.is_back(before, config, "nobody/knows:this")

    def _late(self):
        before, config = self.hosting.describe(self.name), self._config(self.stuck)
        self.begin(config, blue_green("CANARY", BAKE, BAKE, TIMEOUT, CanarySize=instances(1)))
        self.is_back(before, config, "MaximumExecutionTimeoutInSeconds")

    def _resize(self):
        self.resize(main=(self.dice.choice([one for one in range(3, 7) if one != self.count]), 1.0))


class Several(Director):
    """An endpoint of two variants whose counts, weights and set change."""

    delay = 40

    def set_up(self):
        self.hosting.endpoint(self._config(self.models[0]), self.name)

    def _config(self, model, second="b", first=2):
        return self.config(
            {"model": model, "name": "a", "count": first, "weight": 1.0},
            {"model": model, "name": second, "count": 2, "weight": 0.5},
        )

    def pack(self):
        ways = {"all at once": blue_green("ALL_AT_ONCE", 0, BAKE)}
        ways |= {"canary": STAGED["canary"](BAKE), "linear": STAGED["linear"](BAKE)}
        cards = [(f"update: {name}", lambda way=way: self.update(self._other(), way)) for name, way in ways.items()]
        cards += [("counts and weights", self._resize)] * 4
        return [*cards, ("update: other variants", self._rename), ("update: counts retained", self._retain)]

    def _second(self):
        (second,) = set(served(self.hosting.describe(self.name))) - {"a"}
        return second

    def _other(self, second=None):
        seen = self.hosting.describe(self.name)["EndpointConfigName"]
        second = second or self._second()
        return next(one for one in (self._config(model, second) for model in self.models) if one != seen)

    def _resize(self):
        some = {one: (self.dice.randint(2, 4), self.dice.choice([0.25, 0.5, 1.0])) for one in ("a", self._second())}
        self.resize(**some)

    def _rename(self):
        self.update(self._other("c" if self._second() == "b" else "b"))

    def _retain(self):
        before = served(self.hosting.describe(self.name))
        self.update(self._other(), RetainAllVariantProperties=True)
        assert served(self.hosting.describe(self.name)) == before


class Single(Director):
    """An endpoint of one instance: when it is killed there is none, and requests wait for the next."""

    def set_up(self):
        self.hosting.endpoint(self._config(0), self.name)

    def _config(self, model):
        return self.config({"model": self.models[model], "count": 1})

    def pack(self):
        return [
            ("update: plain", lambda: self.update(self._config(1))),
            ("update: plain", lambda: self.update(self._config(0))),
            ("update: all at once", lambda: self.update(self._config(1), WITH_ALL_AT_ONCE["all at once"](BAKE))),
            ("counts and weights", lambda: self.resize(main=(2, 1.0))),
            ("counts and weights", lambda: self.resize(main=(1, 0.5))),
        ]


class Tracked(Director):
    """An autoscaled endpoint whose real traffic comes and goes like the tide; its type is changed by safe updates."""

    delay = 10
    LEAST, MOST = 1, 4
    # Requests a second, which is a minute of the server's, and those that an instance is to have of them.
    EBB, FLOOD, EACH = 30, 150, 45

    def set_up(self):
        self._numbers = 0
        self.hosting.endpoint(self._config(), self.name)
        self.target = self.scaling.register(self.name, self.LEAST, self.MOST)
        self.scaling.track(self.target, self.EACH, metric=INVOCATIONS, ScaleInCooldown=60, ScaleOutCooldown=60)
        self._program = Program(self.server, self.server.root / "state")

    def _config(self, number=0):
        model, kind = self.models[number % 2], TYPES[number // 2 % 2]
        return self.config({"model": model, "InstanceType": kind})

    def pack(self):
        # One card: what happens when has an order, and takes a while.
        return [("tides", self._tide)]

    def _count(self, kind, change):
        change()
        self.played[kind] += 1

    def _tide(self):
        self.stage.pour(self.name, self.FLOOD)
        self._count("scaled out by tracking", lambda: self._reaches(lambda count: count > 2))
        self._count("update: counts retained", self._retained)
        self._count("safe update by the command", self._by_command)
        self.stage.pour(self.name, self.EBB)
        self._count("scaled in by tracking", lambda: self._reaches(lambda count: count == self.LEAST))
        self._count("safe update by the server", self._by_server)

    def _reaches(self, enough):
        eventually(lambda: enough(self.scaling.desired(self.name)), SETTLED_SECONDS, LOOK_SECONDS)
        self.settled()

    def _retained(self):
        self._numbers ^= 1
        self.update(self._config(self._numbers), RetainAllVariantProperties=True)

    def _typed(self):
        """A config of the other type, which a plain update would be refused for."""
        self._numbers ^= 2
        return self._config(self._numbers)

    def _by_command(self):
        config = self._typed()

        def begun():
            ended = self._program.update(self.name, "--endpoint-config", config, "--headroom", "50%")
            if ended.returncode == 1 and NOT_AT_REST in ended.stderr:
                return False
            assert ended.returncode == 0, f"{ended.returncode}: {ended.stdout}\n{ended.stderr}"
            return True

        eventually(begun, SETTLED_SECONDS, LOOK_SECONDS)
        self._is_scaled_as_before(config)

    def _by_server(self):
        config = self._typed()
        members = {"EndpointName": self.name, "EndpointConfigName": config, "HeadroomPercent": 50}

        def begun():
            answer, _ = signed.own(self.server, "POST", "/safe-updates", members)
            if answer.status == 400 and NOT_AT_REST in str(answer):
                return False
            assert answer.status == 200, answer
            return True

        def applied():
            _, seen = signed.own(self.server, "GET", f"/safe-updates/{self.name}")
            assert seen["Status"] in ("Running", "Applied"), seen
            return seen["Status"] == "Applied"

        eventually(begun, SETTLED_SECONDS, LOOK_SECONDS)
        eventually(applied, SETTLED_SECONDS, LOOK_SECONDS)
        self._is_scaled_as_before(config)

    def _is_scaled_as_before(self, config):
        seen = self.settled()
        assert seen["EndpointConfigName"] == config, seen
        found = self.scaling.target(self.target)
        assert (found["MinCapacity"], found["MaxCapacity"]) == (self.LEAST, self.MOST), found
        (policy,) = self.scaling.autoscaling.describe_scaling_policies(**self.target)["ScalingPolicies"]
        assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == self.EACH, policy
        self.fleet += 1
