"""TLS: unmodified clients over https, and files that cannot be used."""

import pathlib
import socket
import ssl
import subprocess

import boto3
import pytest

from harness.server import REGION, binary, clean_environment

CERTIFICATES = pathlib.Path(__file__).with_name("certificates")
PAIR = str(CERTIFICATES / "server.pem")
AUTHORITY = str(CERTIFICATES / "authority.pem")


@pytest.fixture(scope="module")
def server_arguments():
    return ["--tls-cert", PAIR, "--tls-key", PAIR]


def client(server, service, verify=AUTHORITY):
    key, secret = server.key()
    url = f"https://localhost:{server.port}"
    return boto3.Session(key, secret, region_name=REGION).client(service, endpoint_url=url, verify=verify)


def test_a_model_is_hosted_over_https(server):
    assert server.url.startswith("https://")
    sagemaker, runtime = client(server, "sagemaker"), client(server, "sagemaker-runtime")
    sagemaker.create_model(ModelName="m", PrimaryContainer={"Image": "tidegate/echo"})
    variant = {"VariantName": "main", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="e", WaiterConfig={"Delay": 1})
    assert runtime.invoke_endpoint(EndpointName="e", Body=b"over tls")["Body"].read() == b"over tls"


@pytest.mark.parametrize("version", ["h2", "http/1.1"])
def test_both_versions_of_http_are_offered(server, version):
    context = ssl.create_default_context(cafile=AUTHORITY)
    context.set_alpn_protocols([version])
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        assert secured.selected_alpn_protocol() == version


def test_the_command_line_trusts_its_own_server(server):
    command = [str(binary()), "--data-dir", str(server.data_dir), "endpoint", "ls", "--json"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=20, env=clean_environment())
    assert shown.returncode == 0, shown.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--tls-cert", PAIR], "--tls-key"),
        (["--tls-cert", "/no/such.pem", "--tls-key", PAIR], "/no/such.pem"),
        (["--tls-cert", AUTHORITY, "--tls-key", PAIR], "key"),
        (["--tls-cert", PAIR, "--tls-key", AUTHORITY], "key"),
        (["--listen", "0.0.0.0:0"], "--tls-cert"),
    ],
)
def test_files_that_cannot_be_used_are_told_in_one_line(tmp_path, arguments, told):
    command = [str(binary()), "up", "--data-dir", str(tmp_path / "d"), "--listen", "127.0.0.1:0"]
    if "--listen" in arguments:
        command = command[:-2]
    shown = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=20, env=clean_environment())
    assert shown.returncode != 0
    assert len(shown.stderr.strip().splitlines()) == 1, shown.stderr
    assert told in shown.stderr
