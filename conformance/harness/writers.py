"""Writers of small things: each makes one change after the other until the server does not answer any more.

A writer has names of its own, reads in the ledger what there is of them, and lets its dice say what to do next. So it
goes on after a kill with whatever is there.
"""

import http.client
import threading

from botocore.exceptions import BotoCoreError
from urllib3.exceptions import HTTPError

from . import people
from .inventory import contained, digest, mark_of
from .names import arn
from .people import IAM
from .scaling import OWN

ROLE = f"{IAM}:role/host"
# Few enough that most are there, many enough that some are not.
NAMES = 3
OBJECT_BYTES_MAX = 1 << 20
KEYS_MAX = 2
VERSIONS_MAX = 5
# What a client says of a server that was killed under its call.
GONE = (BotoCoreError, HTTPError, OSError, http.client.HTTPException)


class Worker:
    """A step that is repeated in a thread of its own, until the server is gone. What else it raises is a fault."""

    def __init__(self, name, clients):
        self.name, self.clients, self.fault = name, clients, None
        # Not a subclass, since a thread's own methods have names like ours.
        self.thread = threading.Thread(target=self._repeat, name=name, daemon=True)

    def _repeat(self):
        try:
            while True:
                self.step()
        except GONE as lost:
            if not self.clients.server.is_doomed:
                self.fault = f"{self.name}: lost while the server lives: {lost!r}"
        except Exception as fault:
            self.fault = f"{self.name}: {type(fault).__name__}: {fault}"

    def step(self):
        raise NotImplementedError


class Writer(Worker):
    """A worker with dice and a ledger."""

    def __init__(self, name, ledger, clients, dice):
        super().__init__(name, clients)
        self.ledger, self.dice = ledger, dice

    def write(self, changes, call, **members):
        return self.ledger.write(self.name, changes, call, **members)

    def kept(self, *key):
        return self.ledger.kept.get(key)

    def fresh(self):
        """A number that no other write of this kind has."""
        return self.dice.randrange(1 << 40)

    def one_of(self, prefix):
        return f"{prefix}-{self.name}-{self.dice.randrange(NAMES)}"

    def either(self, *choices):
        return self.dice.choice(choices)


def tags_of(number):
    """Tags as a call has them, and as they are found."""
    return [{"Key": "number", "Value": str(number)}, {"Key": "team", "Value": "tide"}], (
        ("number", str(number)),
        ("team", "tide"),
    )


class Records(Writer):
    """Models and endpoint configs, with tags, created and deleted."""

    def step(self):
        kind = self.either("model", "config")
        name = self.one_of(kind)
        tagged = "tags", f"{'model' if kind == 'model' else 'endpoint-config'}/{name}"
        there = self.kept(kind, name) is not None
        choice = self.either("delete", "delete", "tag", "untag") if there else "create"
        getattr(self, f"_{choice}")(kind, name, tagged)

    def _create(self, kind, name, tagged):
        number = self.fresh()
        sent, found = tags_of(number)
        sagemaker = self.clients.sagemaker
        if kind == "model":
            container = {"Image": "tidegate/echo", "Environment": {"MARK": str(number)}}
            made = contained(container)
            call, members = sagemaker.create_model, {"ModelName": name, "PrimaryContainer": container}
            members["ExecutionRoleArn"] = ROLE
        else:
            members, made = config_of((f"v{number}", "steady-0", 1, "ml.m5.large", 1.0))
            call, members = sagemaker.create_endpoint_config, {"EndpointConfigName": name} | members
        self.write({(kind, name): made, tagged: found}, call, Tags=sent, **members)

    def _delete(self, kind, name, tagged):
        sagemaker = self.clients.sagemaker
        if kind == "model":
            call, members = sagemaker.delete_model, {"ModelName": name}
        else:
            call, members = sagemaker.delete_endpoint_config, {"EndpointConfigName": name}
        self.write({(kind, name): None, tagged: None}, call, **members)

    def _tag(self, _, __, tagged):
        sent, found = tags_of(self.fresh())
        self.write({tagged: found}, self.clients.sagemaker.add_tags, ResourceArn=arn(*tagged[1].split("/")), Tags=sent)

    def _untag(self, _, __, tagged):
        target = arn(*tagged[1].split("/"))
        call = self.clients.sagemaker.delete_tags
        self.write({tagged: None}, call, ResourceArn=target, TagKeys=["number", "team"])


def config_of(*variants):
    """Members of CreateEndpointConfig, and what is found of it."""
    named = ("VariantName", "ModelName", "InitialInstanceCount", "InstanceType", "InitialVariantWeight")
    return {"ProductionVariants": [dict(zip(named, one, strict=True)) for one in variants]}, variants


class Objects(Writer):
    """Objects of the embedded S3, put over each other and deleted."""

    def step(self):
        name = self.one_of("object")
        target, s3 = {"Bucket": "models", "Key": name}, self.clients.s3
        if self.kept("object", name) and self.dice.random() < 0.2:
            self.write({("object", name): None}, s3.delete_object, **target)
        else:
            body = self.dice.randbytes(self.either(100, 10_000, OBJECT_BYTES_MAX))
            self.write({("object", name): digest(body)}, s3.put_object, **target, Body=body)


class Alarms(Writer):
    """A user's own alarms, and sums of metrics: two at once, so that half a call would show."""

    def __init__(self, *given, born):
        super().__init__(*given)
        self._born = born

    def step(self):
        cloudwatch = self.clients.cloudwatch
        if self.dice.random() < 0.4:
            self._add()
            return
        names = [self.one_of("alarm") for _ in range(2)]
        if self.kept("alarm", names[0]) and self.dice.random() < 0.3:
            there = sorted(name for name in {*names} if self.kept("alarm", name))
            self.write({("alarm", name): None for name in there}, cloudwatch.delete_alarms, AlarmNames=there)
            return
        threshold = float(self.fresh())
        members = {
            "Namespace": OWN,
            "MetricName": "nothing",
            "Statistic": "Average",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": threshold,
            "ComparisonOperator": "GreaterThanThreshold",
        }
        changes = {("alarm", names[0]): threshold}
        self.write(changes, cloudwatch.put_metric_alarm, AlarmName=names[0], **members)

    def _add(self):
        metrics = sorted({self.one_of("metric") for _ in range(2)})
        changes = {("metric", name): (self.kept("metric", name) or 0.0) + 1.0 for name in metrics}
        data = [{"MetricName": name, "Timestamp": self._born, "Value": 1.0} for name in metrics]
        self.write(changes, self.clients.cloudwatch.put_metric_data, Namespace=OWN, MetricData=data)


class People(Writer):
    """Users with inline policies, keys and attached policies, and the policies."""

    def __init__(self, *given, secrets):
        super().__init__(*given)
        # Of every key that was made and answered.
        self._secrets = secrets

    def step(self):
        self.user = self.one_of("user")
        self.members = {"UserName": self.user}
        there = self.kept("user", self.user) is not None
        choices = [self._inline, self._new_key, self._old_key, self._attach, self._delete] if there else [self._create]
        self.either(*choices, self._managed)()

    def _document(self):
        number = f"n{self.fresh()}"
        document = people.document(people.statement("Allow", "sagemaker:List*") | {"Sid": number})
        assert mark_of(document) == number
        return document, number

    def _create(self):
        path = f"/n{self.fresh()}/"
        self.write({("user", self.user): path}, self.clients.iam.create_user, **self.members, Path=path)

    def _inline(self):
        name = self.either("p0", "p1")
        key = "inline", f"{self.user}/{name}"
        members = self.members | {"PolicyName": name}
        if self.kept(*key) and self.dice.random() < 0.3:
            self.write({key: None}, self.clients.iam.delete_user_policy, **members)
        else:
            document, number = self._document()
            self.write({key: number}, self.clients.iam.put_user_policy, **members, PolicyDocument=document)

    def _keys(self):
        return self.kept("keys", self.user) or frozenset()

    def _new_key(self):
        held, key = self._keys(), ("keys", self.user)
        if len(held) == KEYS_MAX:
            return

        def one_more(old, seen):
            old, seen = old or frozenset(), seen or frozenset()
            return old < seen and [status for _, status in seen - old] == ["Active"]

        def known(answer):
            made = answer["AccessKey"]
            self._secrets[made["AccessKeyId"]] = made["SecretAccessKey"]
            return {key: held | {(made["AccessKeyId"], "Active")}}

        self.write({key: one_more}, self.clients.iam.create_access_key, known=known, **self.members)

    def _old_key(self):
        held, key = self._keys(), ("keys", self.user)
        if not held:
            return
        one, status = self.either(*sorted(held))
        members, left = self.members | {"AccessKeyId": one}, held - {(one, status)}
        if self.dice.random() < 0.5:
            self.write({key: left or None}, self.clients.iam.delete_access_key, **members)
        else:
            other = "Inactive" if status == "Active" else "Active"
            self.write({key: left | {(one, other)}}, self.clients.iam.update_access_key, **members, Status=other)

    def _attach(self):
        name = self.one_of("managed")
        key = "attached", f"{self.user}/{name}"
        members = self.members | {"PolicyArn": f"{IAM}:policy/{name}"}
        if self.kept(*key):
            self.write({key: None}, self.clients.iam.detach_user_policy, **members)
        elif self.kept("managed", name):
            self.write({key: True}, self.clients.iam.attach_user_policy, **members)

    def _managed(self):
        iam, name = self.clients.iam, self.one_of("managed")
        key, policy = ("managed", name), {"PolicyArn": f"{IAM}:policy/{name}"}
        document, number = self._document()
        if not self.kept(*key):
            self.write({key: number}, iam.create_policy, PolicyName=name, PolicyDocument=document)
            return
        versions = iam.list_policy_versions(**policy)["Versions"]
        old = [one["VersionId"] for one in versions if not one["IsDefaultVersion"]]
        attached = any(one[0] == "attached" and one[1].endswith(f"/{name}") for one in list(self.ledger.kept))
        if len(versions) == VERSIONS_MAX:
            self.write({}, iam.delete_policy_version, **policy, VersionId=old[-1])
        elif not old and not attached and self.dice.random() < 0.3:
            self.write({key: None}, iam.delete_policy, **policy)
        else:
            changes = {key: number}
            self.write(changes, iam.create_policy_version, **policy, PolicyDocument=document, SetAsDefault=True)

    def _delete(self):
        """A user who still has something is not deleted."""
        has = any(one[1].startswith(f"{self.user}/") for one in list(self.ledger.kept)) or self._keys()
        if not has:
            self.write({("user", self.user): None}, self.clients.iam.delete_user, **self.members)
        elif self.dice.random() < 0.3:
            refused = self.write({}, self.clients.iam.delete_user, refusals=("DeleteConflict",), **self.members)
            assert refused is None, f"{self.user} was deleted with all that it has"


class Traffic(Worker):
    """Requests for endpoints that serve all the time; none fails while the server lives."""

    def __init__(self, clients, endpoints):
        super().__init__("traffic", clients)
        self._endpoints, self.answered = endpoints, 0

    def step(self):
        for endpoint in self._endpoints:
            answer = self.clients.invoke(endpoint)
            assert b"tide" in answer, answer
            self.answered += 1
