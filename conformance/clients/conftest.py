"""What the clients' tests share: an endpoint that speaks in parts, and how a client that is not here is met."""

import os
import pathlib
import sys

import pytest

SPEAKER = pathlib.Path(__file__).with_name("speaker.py")
IMAGE = "registry.example/team/speaker:1"


@pytest.fixture(scope="module")
def server_config():
    return f"""
[[image]]
match = "{IMAGE}"
command = ["{sys.executable}", "{SPEAKER}"]
"""


@pytest.fixture(scope="module")
def speaker(hosting):
    """An endpoint of one instance that answers in parts."""
    return hosting.endpoint(hosting.config(hosting.model(image=IMAGE)))


@pytest.fixture(scope="module")
def failing(hosting):
    """An endpoint whose model server answers everything with 500."""
    return hosting.echo_endpoint(TIDEGATE_ECHO_FAILURE_RATE=1)


@pytest.fixture(scope="session")
def missing():
    """Skips a test whose client is not on this machine and names it; where CI=true the test fails."""

    def met(what):
        if os.environ.get("CI") == "true":
            pytest.fail(f"{what}, and CI=true allows no skipping")
        pytest.skip(what)

    return met
