"""moto's server: somebody else's idea of the same API, for what must not depend on ours."""

import contextlib
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import boto3
from botocore.config import Config

from .server import REGION, clean_environment

UP_WITHIN_SECONDS = 60
RUNNING = re.compile(r"Running on (http://127\.0\.0\.1:\d+)")
# It takes any.
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}


class Moto:
    """As far as clients see one."""

    def __init__(self, url):
        self.url = url

    def client(self, service):
        config = Config(retries={"total_max_attempts": 1})
        keys = {name.lower(): value for name, value in KEYS.items()}
        return boto3.client(service, endpoint_url=self.url, region_name=REGION, config=config, **keys)

    def client_environment(self, **more):
        named = {"AWS_ENDPOINT_URL": self.url, "AWS_REGION": REGION, "AWS_CONFIG_FILE": "/dev/null"}
        return clean_environment(**KEYS, **named, **more)


@contextlib.contextmanager
def running():
    """One of its own, at any free port."""
    with tempfile.NamedTemporaryFile("w", prefix="tg-moto-") as log:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=clean_environment(PYTHONUNBUFFERED="1")
        )
        try:
            deadline = time.monotonic() + UP_WITHIN_SECONDS
            while not (found := RUNNING.search(told := pathlib.Path(log.name).read_text())):
                up = process.poll() is None and time.monotonic() < deadline
                assert up, f"moto did not come up: {told[-2000:]}"
                time.sleep(0.05)
            yield Moto(found.group(1))
        finally:
            process.terminate()
            process.wait(20)
