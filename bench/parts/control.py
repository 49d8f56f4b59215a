"""The control plane: signed reads and durable writes beside moto's server, which checks nothing and keeps nothing."""

import json
import os

import boto3

import load
import ours
import report
import rivals
from harness.hosting import Hosting, variant
from harness.server import REGION

CONNECTIONS = 8
# Each write is a request of its own, signed before: enough for what a server answers in a run.
WRITERS = 64
WRITES_PER_SECOND_MAX = 40_000
MOTO_WRITES_PER_SECOND_MAX = 2_000
ROLE = "arn:aws:iam::123456789012:role/host"


def headers_of(operation):
    return {"X-Amz-Target": f"SageMaker.{operation}", "Content-Type": "application/x-amz-json-1.1"}


def calls(server, operation, bodies, url=None, name="tidegate", pids=None):
    """A target that is sent these bodies in turn."""

    def requests():
        return [ours.request(server, "/", json.dumps(body).encode(), headers_of(operation)) for body in bodies()]

    return load.Target(name, url or server.url, requests, pids or (lambda: [server.pid]))


def set_up_moto(url, config, endpoint):
    theirs = boto3.client(
        "sagemaker", endpoint_url=url, region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b"
    )
    theirs.create_model(ModelName="m", PrimaryContainer={"Image": "i"}, ExecutionRoleArn=ROLE)
    theirs.create_endpoint_config(EndpointConfigName=config, ProductionVariants=[variant("m")])
    theirs.create_endpoint(EndpointName=endpoint, EndpointConfigName=config)


def fresh_configs(model, count):
    """Bodies of CreateEndpointConfig that nobody has sent before."""

    def bodies():
        salt = os.urandom(4).hex()
        return [
            {"EndpointConfigName": f"written-{salt}-{number}", "ProductionVariants": [variant(model)]}
            for number in range(count)
        ]

    return bodies


def measure(options):
    with ours.running() as server, rivals.moto() as (url, pids):
        hosting = Hosting(server)
        endpoint = ours.echo(server)
        model = hosting.model(name="m")
        set_up_moto(url, hosting.describe(endpoint)["EndpointConfigName"], endpoint)

        def described():
            return [{"EndpointName": endpoint}]

        targets = [
            calls(server, "DescribeEndpoint", described),
            calls(server, "DescribeEndpoint", described, url, "moto", pids),
        ]
        reads = load.side_by_side(targets, options.runs, options.seconds, CONNECTIONS)
        seconds = min(options.seconds, 2)
        enough = fresh_configs(model, WRITES_PER_SECOND_MAX * seconds)
        enough_for_moto = fresh_configs(model, MOTO_WRITES_PER_SECOND_MAX * seconds)
        targets = [
            calls(server, "CreateEndpointConfig", enough),
            calls(server, "CreateEndpointConfig", enough_for_moto, url, "moto", pids),
        ]
        writes = load.in_turns(targets, options.runs, lambda target: load.flat_out(target, seconds, WRITERS))
    return {"reads": reads, "writes": writes}


def rows(found):
    both = ("tidegate", "moto")
    work = "DescribeEndpoint, signed, requests per second of one core"
    yield report.compared(work, "moto", found["reads"], both, "requests_per_core", least=100)
    work = f"CreateEndpointConfig, synced, {WRITERS} at once"
    yield report.compared(work, "moto, which keeps nothing", found["writes"], both, "requests_per_second", least=10)
