"""One way to make a call through boto3 and through the AWS CLI, so that a test of an API can be a test of both."""

import datetime
import json
import os
import re
import subprocess
import sys

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

from .server import REGION

# The CLI's own code, in a process that lasts: starting Python anew for each call would be most of a test's time.
_CLI = """
import contextlib, io, json, sys
from awscli.clidriver import create_clidriver
driver = create_clidriver()
for line in sys.stdin:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = driver.main(json.loads(line))
    print(json.dumps([status, out.getvalue(), err.getvalue()]), flush=True)
"""
_REFUSED = re.compile(r"An error occurred \((\w+)\) when calling the \w+ operation: (.*)", re.S)


class Refused(Exception):
    """An error of the service: its code and its message."""

    def __init__(self, code, message):
        super().__init__(code, message)
        self.code, self.message = code, message


class Boto3:
    """Calls by their operation's name, with members as boto3 takes them."""

    def __init__(self, url, environment):
        self._url = url
        self._session = boto3.Session(
            environment["AWS_ACCESS_KEY_ID"],
            environment["AWS_SECRET_ACCESS_KEY"],
            environment.get("AWS_SESSION_TOKEN"),
            region_name=REGION,
        )
        self._clients = {}

    def __call__(self, service, operation, **members):
        if service not in self._clients:
            config = Config(retries={"total_max_attempts": 1})
            self._clients[service] = self._session.client(service, endpoint_url=self._url, config=config)
        try:
            answer = getattr(self._clients[service], xform_name(operation))(**members)
        except ClientError as refused:
            error = refused.response["Error"]
            raise Refused(error["Code"], error["Message"]) from None
        del answer["ResponseMetadata"]
        return _plain(answer)

    def close(self):
        pass


class Cli:
    """The same calls, typed: every member is an option of its own."""

    def __init__(self, url, environment):
        environment = environment | {"AWS_ENDPOINT_URL": url, "AWS_MAX_ATTEMPTS": "1", "AWS_PAGER": ""}
        self._process = subprocess.Popen(
            [sys.executable, "-c", _CLI], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
        )

    def __call__(self, service, operation, **members):
        arguments = [service, xform_name(operation, "-"), "--output", "json"]
        for name, value in members.items():
            arguments += _option(xform_name(name, "-"), value)
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        status, out, error = json.loads(self._process.stdout.readline())
        if status == 0:
            return json.loads(out) if out.strip() else {}
        told = _REFUSED.search(error)
        assert told, f"aws {' '.join(arguments)}: {status}: {error}"
        raise Refused(told[1], told[2].removesuffix("\n"))

    def close(self):
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


KINDS = {"boto3": Boto3, "cli": Cli}


def made(kind, server, key=None, secret=None, token=None):
    """A tool that calls as the owner of this key, the root user if none is given."""
    if key is None:
        key, secret = server.key()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TIDEGATE_"))}
    environment = kept | {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return KINDS[kind](server.url, environment | ({"AWS_SESSION_TOKEN": token} if token else {}))


def _option(name, value):
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    return [f"--{name}", value if isinstance(value, str) else json.dumps(value)]


def _plain(value):
    """Times as the CLI prints them."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, datetime.datetime) else value
