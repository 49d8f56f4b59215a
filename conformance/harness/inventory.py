"""All that a server holds, read through its own APIs: one value for each thing, by a key that says what it is."""

import collections
import hashlib
import json

from botocore.exceptions import ClientError

from . import names, signed
from .scaling import MINUTE, OWN

SPACE = {"ServiceNamespace": "sagemaker"}

# What an endpoint is at rest. Of a failed one only the first two count.
Endpoint = collections.namedtuple("Endpoint", "status config variants last")
# A variant of a config; and one of an endpoint.
Planned = collections.namedtuple("Planned", "name model count type weight")
Served = collections.namedtuple("Served", "name count weight")


class Clients:
    """A client for each service, for all threads."""

    def __init__(self, server):
        self.server = server
        self.sagemaker = server.client("sagemaker")
        self.runtime = server.client("sagemaker-runtime")
        self.autoscaling = server.client("application-autoscaling")
        self.cloudwatch = server.client("cloudwatch")
        self.iam = server.client("iam")
        self.s3 = server.client("s3")

    def own(self, method, path, members=None):
        """A call of Tidegate's own API, refused as boto3's are."""
        answer, told = signed.own(self.server, method, path, members)
        if answer.status != 200:
            text = told.get("Message") or told.get("message")
            raise ClientError({"Error": {"Code": answer.code, "Message": f"{answer.status}: {text}"}}, path)
        return told

    def invoke(self, endpoint, **more):
        return self.runtime.invoke_endpoint(EndpointName=endpoint, Body=b"tide", **more)["Body"].read()

    def statuses(self):
        return {one["EndpointName"]: one["EndpointStatus"] for one in pages(self.sagemaker, "list_endpoints")}

    def runs(self):
        """Each safe update, by its endpoint: its status, from which config and to which."""
        named = ("Status", "FromEndpointConfigName", "ToEndpointConfigName")
        listed = self.own("GET", "/safe-updates")["SafeUpdates"]
        return {one["EndpointName"]: tuple(one[name] for name in named) for one in listed}


def pages(client, operation, **members):
    """The things on all pages of a listing."""
    for page in client.get_paginator(operation).paginate(**members):
        for name, found in page.items():
            if isinstance(found, list) and name != "ResponseMetadata":
                yield from found


def mark_of(document):
    """The text that a policy document was marked with, if it was."""
    document = document if isinstance(document, dict) else json.loads(document)
    return document["Statement"][0].get("Sid", "")


def digest(body):
    return hashlib.sha256(body).hexdigest()[:16], len(body)


def contained(container):
    """What is found of a model, by its container."""
    return container["Image"], tuple(sorted(container.get("Environment", {}).items())), container.get("ModelDataUrl")


def planned(one):
    return Planned(
        *(one[name] for name in ("VariantName", "ModelName", "InitialInstanceCount", "InstanceType")),
        one["InitialVariantWeight"],
    )


class Inventory:
    """One look at everything. Its keys are those of a ledger."""

    def __init__(self, clients, born):
        """`born` is the minute of all metrics."""
        self._clients, self._born, self.found = clients, born, {}
        # The variants of each endpoint and their instances, and the endpoints in service.
        self.variants, self.counts, self.serving = {}, {}, []
        for part in (self._records, self._endpoints, self._scaling, self._metrics, self._people, self._objects):
            part()

    def _tags(self, kind, name):
        listed = pages(self._clients.sagemaker, "list_tags", ResourceArn=names.arn(kind, name))
        if tags := tuple(sorted((one["Key"], one["Value"]) for one in listed)):
            self.found["tags", f"{kind}/{name}"] = tags

    def _records(self):
        sagemaker = self._clients.sagemaker
        for one in pages(sagemaker, "list_models"):
            name = one["ModelName"]
            container = sagemaker.describe_model(ModelName=name)["PrimaryContainer"]
            self.found["model", name] = contained(container)
            self._tags("model", name)
        for one in pages(sagemaker, "list_endpoint_configs"):
            name = one["EndpointConfigName"]
            seen = sagemaker.describe_endpoint_config(EndpointConfigName=name)
            self.found["config", name] = tuple(planned(variant) for variant in seen["ProductionVariants"])
            self._tags("endpoint-config", name)

    def _endpoints(self):
        for name, status in self._clients.statuses().items():
            seen = self._clients.sagemaker.describe_endpoint(EndpointName=name)
            self.found["endpoint", name] = Endpoint(status, seen["EndpointConfigName"], None, None)
            self.variants[name] = [one["VariantName"] for one in seen.get("ProductionVariants", ())]
            self.counts[name] = [one["CurrentInstanceCount"] for one in seen.get("ProductionVariants", ())]
            self._tags("endpoint", name)
            if status == "InService":
                self.serving.append(name)
                served = tuple(
                    Served(one["VariantName"], one["DesiredInstanceCount"], one["DesiredWeight"])
                    for one in seen["ProductionVariants"]
                )
                last = self._clients.own("GET", f"/endpoints/{name}/last-update")
                told = (last["RequestedEndpointConfigName"], last["Outcome"]) if "Outcome" in last else None
                self.found["endpoint", name] = Endpoint(status, seen["EndpointConfigName"], served, told)

        self.found |= {("safe update", name): run for name, run in self._clients.runs().items()}

    def _scaling(self):
        autoscaling, theirs = self._clients.autoscaling, set()
        for one in pages(autoscaling, "describe_scalable_targets", **SPACE):
            self.found["target", variant_of(one)] = one["MinCapacity"], one["MaxCapacity"]
        for one in pages(autoscaling, "describe_scaling_policies", **SPACE):
            value = one["TargetTrackingScalingPolicyConfiguration"]["TargetValue"]
            self.found["policy", f"{variant_of(one)}/{one['PolicyName']}"] = value
            theirs |= {alarm["AlarmName"] for alarm in one["Alarms"]}
        for one in pages(autoscaling, "describe_scheduled_actions", **SPACE):
            action = one["ScalableTargetAction"]
            self.found["action", f"{variant_of(one)}/{one['ScheduledActionName']}"] = action["MaxCapacity"]
        alarms = {one["AlarmName"]: one["Threshold"] for one in pages(self._clients.cloudwatch, "describe_alarms")}
        # A policy's alarms come and go with it: one that is missing or left over is a fault like any other.
        self.found |= {("alarm", name): value for name, value in alarms.items() if name not in theirs}
        self.found |= {("alarm that is missing", name): True for name in theirs - alarms.keys()}

    def _metrics(self):
        for one in pages(self._clients.cloudwatch, "list_metrics", Namespace=OWN):
            seen = self._clients.cloudwatch.get_metric_statistics(
                Namespace=OWN,
                MetricName=one["MetricName"],
                StartTime=self._born,
                EndTime=self._born + MINUTE,
                Period=60,
                Statistics=["Sum"],
            )["Datapoints"]
            self.found["metric", one["MetricName"]] = sum(point["Sum"] for point in seen)

    def _people(self):
        iam = self._clients.iam
        for one in pages(iam, "list_users"):
            user = {"UserName": one["UserName"]}
            self.found["user", one["UserName"]] = one["Path"]
            for name in pages(iam, "list_user_policies", **user):
                document = iam.get_user_policy(**user, PolicyName=name)["PolicyDocument"]
                self.found["inline", f"{one['UserName']}/{name}"] = mark_of(document)
            for policy in pages(iam, "list_attached_user_policies", **user):
                self.found["attached", f"{one['UserName']}/{policy['PolicyName']}"] = True
            keys = [(key["AccessKeyId"], key["Status"]) for key in pages(iam, "list_access_keys", **user)]
            if keys:
                self.found["keys", one["UserName"]] = frozenset(keys)
        for one in pages(iam, "list_policies", Scope="Local"):
            version = iam.get_policy_version(PolicyArn=one["Arn"], VersionId=one["DefaultVersionId"])
            self.found["managed", one["PolicyName"]] = mark_of(version["PolicyVersion"]["Document"])

    def _objects(self):
        for one in pages(self._clients.s3, "list_objects_v2", Bucket="models"):
            body = self._clients.s3.get_object(Bucket="models", Key=one["Key"])["Body"].read()
            self.found["object", one["Key"]] = digest(body)


def variant_of(scaled):
    """`endpoint/variant` of what scales it."""
    _, endpoint, _, variant = scaled["ResourceId"].split("/")
    return f"{endpoint}/{variant}"
