"""Writers of endpoints and of what scales them, and what a server must come to of itself with what they left undone.

An endpoint's value in the ledger is what it is at rest: what is acknowledged is the request, and the server has to get
there. A kill comes mostly in the middle of it.
"""

import time

from botocore.exceptions import ClientError

from . import archives
from .deployments import blue_green, instances, rolling
from .inventory import SPACE, Endpoint, Planned, Served, contained, digest
from .scaling import CONCURRENCY, DIMENSION, INVOCATIONS
from .writers import ROLE, Writer, config_of, tags_of

LEAST, MOST = 1, 4
# Policies by name, each of its own metric, since two may not share one; scheduled actions have the same names.
POLICIES = {"p0": INVOCATIONS, "p1": CONCURRENCY}
SCALING = ("target", "policy", "action")
# Between two looks at an endpoint that is busy.
BUSY_SECONDS = 0.01
OTHER_TYPE = "ml.c5.xlarge"

# What the model of `forks` has to find beside it; and an archive that takes a while to fetch and to unpack.
WEIGHTS = "tide" * 4096
ARCHIVES = {
    "small.tar.gz": archives.tar_gz({"weights": WEIGHTS.encode()}),
    "large.tar.gz": archives.tar_gz({f"part-{number}": bytes(range(256)) * 4096 for number in range(4)}),
}

# Models by name: nothing else makes or deletes these. Slow ones make updates last, so that kills come in the middle.
MODELS = {
    "steady-0": ("tidegate/echo", {}),
    "steady-1": ("tidegate/echo", {"TIDEGATE_ECHO_STARTUP_MS": "50"}),
    "slow": ("tidegate/echo", {"TIDEGATE_ECHO_STARTUP_MS": "300"}),
    "large": ("tidegate/echo", {}, "large.tar.gz"),
    "ends": ("tidegate/echo", {"TIDEGATE_ECHO_DELAY_MS": "bad"}),
    "unknown": ("nobody/knows:this", {}),
    "forks": ("forks:1", {}, "small.tar.gz"),
}


def _main(model, count=1, weight=1.0, name="main", kind="ml.m5.large"):
    return name, model, count, kind, weight


CONFIGS = {
    "one": [_main("steady-0")],
    "two": [_main("steady-1", 2, 0.5)],
    "slow": [_main("slow")],
    "large": [_main("large")],
    "sides": [_main("steady-0", 1, 0.75), _main("slow", 1, 0.25, "side")],
    "typed": [_main("steady-1", kind=OTHER_TYPE)],
    "ends": [_main("ends")],
    "unknown": [_main("unknown")],
    "forks": [_main("forks")],
    "safe-0": [_main("steady-0", name="web"), _main("steady-0", name="batch")],
    "safe-1": [_main("slow", name="web", kind=OTHER_TYPE), _main("steady-1", name="batch")],
}
# How an update goes about it; `None` leaves it to the server.
DEPLOYMENTS = (None, blue_green("ALL_AT_ONCE", 0, 0))
# In steps, between configs whose variants have the same names; in batches, if that is only one.
STAGED = (
    blue_green("CANARY", 1, 1, CanarySize=instances(1)),
    blue_green("LINEAR", 1, 1, LinearStepSize=instances(1)),
)
IN_BATCHES = (rolling(instances(1), 1),)
# An endpoint with one of these never comes into service, or stays with what it had.
BAD = ("ends", "unknown")
CHANGING = ("one", "two", "slow", "sides", "typed", "large", *BAD)

# By name: the config that each of these has from the beginning.
STANDING = {"steady": "one", "forks": "forks", "safe": "safe-0", "contested": "sides"}


def set_up(ledger, clients):
    """Makes what is there from the beginning, and waits for it."""
    sagemaker = clients.sagemaker
    for name, body in ARCHIVES.items():
        changes = {("object", name): digest(body)}
        ledger.write("setup", changes, clients.s3.put_object, Bucket="models", Key=name, Body=body)
    for name, (image, environment, *archive) in MODELS.items():
        container = {"Image": image, "Environment": environment}
        if archive:
            container["ModelDataUrl"] = f"s3://models/{archive[0]}"
        members = {"ModelName": name, "PrimaryContainer": container, "ExecutionRoleArn": ROLE}
        ledger.write("setup", {("model", name): contained(container)}, sagemaker.create_model, **members)
    for name, variants in CONFIGS.items():
        members, _ = config_of(*variants)
        found = tuple(Planned(*variant) for variant in variants)
        call = sagemaker.create_endpoint_config
        ledger.write("setup", {("config", name): found}, call, EndpointConfigName=name, **members)
    for name, config in STANDING.items():
        changes = {("endpoint", name): at_rest(ledger, config)}
        ledger.write("setup", changes, sagemaker.create_endpoint, EndpointName=name, EndpointConfigName=config)
    wait_until_settled(clients, 60)
    safe = Safe("safe", ledger, clients, None)
    for variant in ("web", "batch"):
        safe.register(variant, MOST)
    safe.put_policy("web", "p0", 100_000.0)
    safe.put_action("web", "p0", 3)


def at_rest(ledger, config, last=None):
    if config in BAD:
        return Endpoint("Failed", config, None, None)
    served = tuple(Served(one.name, one.count, one.weight) for one in ledger.kept["config", config])
    return Endpoint("InService", config, served, last)


def moving(clients):
    """What is on its way: endpoints by their status, and safe updates."""
    found = {name: one for name, one in clients.statuses().items() if one not in ("InService", "Failed")}
    return found | {f"safe update of {name}": one for name, one in clients.runs().items() if one[0] == "Running"}


def wait_until_settled(clients, seconds):
    """Waits until nothing is on its way any more; gives back what still is."""
    deadline = time.monotonic() + seconds
    while found := moving(clients):
        if time.monotonic() > deadline:
            break
        time.sleep(BUSY_SECONDS)
    return found


class Scaled(Writer):
    """The calls that say how one endpoint, `self.endpoint`, is scaled."""

    endpoint = None

    def _scaled(self, variant):
        return SPACE | {"ResourceId": f"endpoint/{self.endpoint}/variant/{variant}", "ScalableDimension": DIMENSION}

    def register(self, variant, most):
        call = self.clients.autoscaling.register_scalable_target
        changes = {("target", f"{self.endpoint}/{variant}"): (LEAST, most)}
        self.write(changes, call, **self._scaled(variant), MinCapacity=LEAST, MaxCapacity=most)

    def put_policy(self, variant, name, value):
        # So high that it never acts: counts change by calls alone.
        config = {
            "TargetValue": value,
            "PredefinedMetricSpecification": {"PredefinedMetricType": POLICIES[name]},
            "DisableScaleIn": True,
        }
        self.write(
            {("policy", f"{self.endpoint}/{variant}/{name}"): value},
            self.clients.autoscaling.put_scaling_policy,
            **self._scaled(variant),
            PolicyName=name,
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=config,
        )

    def put_action(self, variant, name, most):
        self.write(
            {("action", f"{self.endpoint}/{variant}/{name}"): most},
            self.clients.autoscaling.put_scheduled_action,
            **self._scaled(variant),
            ScheduledActionName=name,
            Schedule="at(2199-01-01T00:00:00)",
            ScalableTargetAction={"MaxCapacity": most},
        )

    def scaling(self, variant=""):
        """The keys of all that scales the endpoint, or one variant of it."""
        prefix = f"{self.endpoint}/{variant}/" if variant else f"{self.endpoint}/"
        return [key for key in list(self.ledger.kept) if key[0] in SCALING and f"{key[1]}/".startswith(prefix)]

    def scale(self, variant):
        """One change of how a variant is scaled."""
        target, autoscaling = self._scaled(variant), self.clients.autoscaling
        if not self.kept("target", f"{self.endpoint}/{variant}"):
            self.register(variant, self.dice.randint(MOST, 1000))
            return
        name = self.either(*POLICIES)
        at = f"{self.endpoint}/{variant}/{name}"
        choice = self.either("register", "policy", "policy", "action", "no policy", "no action", "deregister")
        if choice == "register":
            self.register(variant, self.dice.randint(MOST, 1000))
        elif choice == "policy":
            self.put_policy(variant, name, 100_000.0 + self.dice.randrange(1 << 20))
        elif choice == "action":
            self.put_action(variant, name, self.dice.randint(MOST, 1000))
        elif choice == "no policy" and self.kept("policy", at):
            self.write({("policy", at): None}, autoscaling.delete_scaling_policy, **target, PolicyName=name)
        elif choice == "no action" and self.kept("action", at):
            self.write({("action", at): None}, autoscaling.delete_scheduled_action, **target, ScheduledActionName=name)
        elif choice == "deregister":
            changes = dict.fromkeys(self.scaling(variant))
            self.write(changes, autoscaling.deregister_scalable_target, **target)


class Family(Scaled):
    """One endpoint's life over and over: created, scaled, updated well and badly, deleted with all that scales it."""

    def __init__(self, *given):
        super().__init__(*given)
        self.endpoint = self.name
        self._key, self._tags = ("endpoint", self.name), ("tags", f"endpoint/{self.name}")
        self._members = {"EndpointName": self.name}

    def _status(self):
        try:
            return self.clients.sagemaker.describe_endpoint(**self._members)["EndpointStatus"]
        except ClientError as refused:
            if "Could not find" in str(refused):
                return None
            raise

    def step(self):
        status = self._status()
        if status is None:
            self._create()
        elif status == "Failed":
            self._delete()
        elif status != "InService":
            time.sleep(BUSY_SECONDS)
        else:
            variant = self.either(*(one.name for one in self.kept(*self._key).variants))
            doing = [self._update, self._update, self._resize, self._tag, self._invoke, self._delete]
            doing += [lambda: self.scale(variant)] * 4
            self.either(*doing)()

    def _create(self):
        config, number = self.either(*CHANGING), self.fresh()
        sent, found = tags_of(number)
        changes = {self._key: at_rest(self.ledger, config), self._tags: found}
        call = self.clients.sagemaker.create_endpoint
        self.write(changes, call, EndpointConfigName=config, Tags=sent, **self._members)

    def _delete(self):
        changes = dict.fromkeys([self._key, self._tags, *self.scaling()])
        self.write(changes, self.clients.sagemaker.delete_endpoint, **self._members)

    def _tag(self):
        sent, found = tags_of(self.fresh())
        target = f"arn:aws:sagemaker:us-east-1:000000000000:endpoint/{self.endpoint}"
        self.write({self._tags: found}, self.clients.sagemaker.add_tags, ResourceArn=target, Tags=sent)

    def _invoke(self):
        answer = self.clients.invoke(self.endpoint)
        assert answer == b"tide", answer

    def _update(self):
        now, config, retain = self.kept(*self._key), self.either(*CHANGING), self.dice.random() < 0.5
        deployment = self.either(*self._deployments(now.config, config))
        call = self.clients.sagemaker.update_endpoint
        members = self._members | {"EndpointConfigName": config, "RetainAllVariantProperties": retain}
        members |= {"DeploymentConfig": deployment} if deployment else {}
        if self._is_bound(now.config, config):
            refused = self.write({}, call, refusals=("ValidationException",), **members)
            assert refused is None, f"{self.name} was given {config} against its scaling"
            return
        if config in BAD:
            after = now._replace(last=(config, "RolledBack"))
        else:
            after = at_rest(self.ledger, config, (config, "Applied"))
            old = {one.name: one for one in now.variants} if retain else {}
            after = after._replace(variants=tuple(old.get(one.name, one) for one in after.variants))
        self.write({self._key: after}, call, **members)

    def _deployments(self, old, new):
        """The ways in which an endpoint may go from one config to the other."""
        names = [[one.name for one in self.kept("config", config)] for config in (old, new)]
        if sorted(names[0]) != sorted(names[1]):
            return DEPLOYMENTS
        return DEPLOYMENTS + STAGED + (IN_BATCHES if len(names[0]) == 1 else ())

    def _is_bound(self, old, new):
        """Whether a registered variant would go or change its type."""
        types = [{one.name: one.type for one in self.kept("config", config)} for config in (old, new)]
        return any(
            self.kept("target", f"{self.name}/{one}") and types[1].get(one) != kind for one, kind in types[0].items()
        )

    def _resize(self):
        now = self.kept(*self._key)
        wanted = [Served(one.name, self.dice.randint(1, 2), self.dice.randint(1, 8) / 8) for one in now.variants]
        asked = [
            {"VariantName": one.name, "DesiredInstanceCount": one.count, "DesiredWeight": one.weight} for one in wanted
        ]
        changes = {self._key: now._replace(variants=tuple(wanted))}
        call = self.clients.sagemaker.update_endpoint_weights_and_capacities
        self.write(changes, call, DesiredWeightsAndCapacities=asked, **self._members)


class Safe(Scaled):
    """Safe updates of an autoscaled endpoint, one after the other, there and back; some are undone on their way."""

    endpoint = "safe"

    def step(self):
        status, old, new = self.clients.runs().get(self.endpoint, (None, None, None))
        if status == "Running":
            if self.dice.random() < 0.05:
                self._undo(old, new)
            time.sleep(BUSY_SECONDS)
            return
        assert status != "Paused", self.clients.own("GET", f"/safe-updates/{self.endpoint}")
        if self.dice.random() < 0.5:
            self.scale_only()
        else:
            self._begin()

    def scale_only(self):
        name = self.either(*POLICIES)
        self.put_policy("web", name, 100_000.0 + self.dice.randrange(1 << 20))
        self.put_action("web", name, self.dice.randint(MOST, 1000))

    def _ends(self, config, *run):
        """What is changed by a safe update that ends so, with this config in use."""
        key, now = ("endpoint", self.endpoint), self.kept("endpoint", self.endpoint)
        return {key: now._replace(config=config), ("safe update", self.endpoint): run}

    def _begin(self):
        old = self.kept("endpoint", self.endpoint).config
        new = "safe-1" if old == "safe-0" else "safe-0"
        members = {"EndpointName": self.endpoint, "EndpointConfigName": new, "HeadroomPercent": 50}
        changes = self._ends(new, "Applied", old, new)
        self.write(changes, lambda: self.clients.own("POST", "/safe-updates", members))

    def _undo(self, old, new):
        if self.clients.own("GET", f"/safe-updates/{self.endpoint}")["Goal"] == "Undo":
            return
        changes = self._ends(old, "Undone", old, new)
        self.write(changes, lambda: self.clients.own("POST", f"/safe-updates/{self.endpoint}/undo"))


class Contested(Scaled):
    """Several of these scale and update one endpoint against each other. Nobody knows what it will be, but that what is
    scaled exists (promises S2 and T1); what they write is in no ledger."""

    endpoint = "contested"
    _REFUSALS = ("ValidationException", "ObjectNotFoundException", "ConcurrentUpdateException")

    def step(self):
        sagemaker, autoscaling = self.clients.sagemaker, self.clients.autoscaling
        config = self.either("one", "sides")
        calls = [
            (sagemaker.update_endpoint, {"EndpointName": self.endpoint, "EndpointConfigName": config}),
            (autoscaling.register_scalable_target, self._scaled("side") | {"MinCapacity": LEAST, "MaxCapacity": MOST}),
            (autoscaling.deregister_scalable_target, self._scaled("side")),
        ]
        call, members = self.either(*calls)
        if self.write({}, call, refusals=self._REFUSALS, **members) is None:
            time.sleep(BUSY_SECONDS)
