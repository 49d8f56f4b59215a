"""Makes models, endpoint configs and endpoints in one line each, through boto3 alone."""

import contextlib
import time

import pytest
from botocore.exceptions import ClientError

from . import names

ECHO = "tidegate/echo"
QUICK = {"Delay": 0.1, "MaxAttempts": 1200}


def error_of(call, *arguments, **members):
    """The error that a call is refused with: code, message, HTTP status."""
    with pytest.raises(ClientError) as refused:
        call(*arguments, **members)
    response = refused.value.response
    error = response["Error"]
    return error["Code"], error["Message"], response["ResponseMetadata"]["HTTPStatusCode"]


def eventually(probe, seconds=30, every=0.05):
    """Calls `probe` until it gives something true; gives that back. The time is a bound, not a wait."""
    deadline = time.monotonic() + seconds
    while True:
        found = probe()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds} s; last: {found!r}"
        time.sleep(every)


def variant(model, name="main", count=1, weight=None, **more):
    made = {"VariantName": name, "ModelName": model, "InitialInstanceCount": count, "InstanceType": "ml.m5.large"}
    if weight is not None:
        made["InitialVariantWeight"] = weight
    return made | more


class Hosting:
    """The control plane and the runtime of one server."""

    def __init__(self, server):
        self.server = server
        self.sagemaker = server.client("sagemaker")
        self.runtime = server.client("sagemaker-runtime")

    def model(self, image=ECHO, data=None, name=None, **environment):
        name = name or names.fresh("model")
        container = {"Image": image, "Environment": {k: str(v) for k, v in environment.items()}}
        if data:
            container["ModelDataUrl"] = data
        self.sagemaker.create_model(
            ModelName=name, PrimaryContainer=container, ExecutionRoleArn="arn:aws:iam::000000000000:role/host"
        )
        return name

    def config(self, *variants, name=None, **more):
        """An endpoint config of these variants; a string stands for one variant of that model."""
        name = name or names.fresh("config")
        made = [variant(one) if isinstance(one, str) else one for one in variants]
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=made, **more)
        return name

    def begin(self, config, name=None, **more):
        """An endpoint that is still `Creating`."""
        name = name or names.fresh("endpoint")
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config, **more)
        return name

    def endpoint(self, config, name=None, **more):
        """An endpoint that is `InService`."""
        name = self.begin(config, name, **more)
        self.in_service(name)
        return name

    def echo_endpoint(self, count=1, **environment):
        return self.endpoint(self.config(variant(self.model(**environment), count=count)))

    def in_service(self, name):
        self.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig=QUICK)
        return self.describe(name)

    def settled(self, name, seconds=60):
        """The description of an endpoint once nothing of it is in progress."""

        def probe():
            seen = self.describe(name)
            return seen if seen["EndpointStatus"] in ("InService", "Failed") else None

        return eventually(probe, seconds)

    def describe(self, name):
        return self.sagemaker.describe_endpoint(EndpointName=name)

    def variant_of(self, name, variant="main"):
        (found,) = [one for one in self.describe(name)["ProductionVariants"] if one["VariantName"] == variant]
        return found

    def update(self, name, config, **more):
        return self.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config, **more)

    def delete(self, name):
        self.sagemaker.delete_endpoint(EndpointName=name)
        self.sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name, WaiterConfig=QUICK)

    def invoke(self, name, body=b"tide", **more):
        """The body that an endpoint answers with."""
        return self.runtime.invoke_endpoint(EndpointName=name, Body=body, **more)["Body"].read()

    @contextlib.contextmanager
    def removed_after(self, name):
        """Deletes the endpoint at the end, so that the instances of one test do not slow down the next."""
        try:
            yield name
        finally:
            self.settled(name)
            self.delete(name)
