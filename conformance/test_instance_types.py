"""`[[instance_type]]`: what a label of AWS's means on this machine, from CreateEndpointConfig down to the processes."""

import os
import pathlib
import sys

import pytest

from harness import processes
from harness.hosting import variant

SERVER = pathlib.Path(__file__).parent / "images" / "model_server.py"
GREEDY = "weights = bytearray(1 << 30)"


@pytest.fixture(scope="module")
def server_config():
    return f"""
[[image]]
match = "server:*"
command = ["{sys.executable}", "{SERVER}"]

[[image]]
match = "greedy:*"
command = ["{sys.executable}", "-c", "{GREEDY}"]

[[instance_type]]
name = "ml.t2.medium"
cpus = 1
memory_mib = 256
"""


def bounds(pid):
    """The processors and the bytes of memory that a process may use."""
    lines = pathlib.Path(f"/proc/{pid}/limits").read_text().splitlines()
    (data,) = [line.split()[3] for line in lines if line.startswith("Max data size")]
    return len(os.sched_getaffinity(pid)), data


def model_servers(server):
    """The processes of all instances but their supervisors, which are not bounded and hardly use anything."""
    found = [pathlib.Path(f"/proc/{pid}") for pid in processes.of(server.data_dir)]
    return [
        int(process.name)
        for process in found
        if b"TIDEGATE_INSTANCE_ID=" in (process / "environ").read_bytes()
        and b"__supervise" not in (process / "cmdline").read_bytes()
    ]


@pytest.mark.parametrize("image", ["tidegate/echo", "server:1"])
def test_every_process_of_an_instance_has_the_bounds_of_its_type(hosting, server, image):
    for kind, expected in [
        ("ml.t2.medium", (1, str(256 << 20))),
        ("ml.m5.large", (len(os.sched_getaffinity(0)), "unlimited")),
    ]:
        config = hosting.config(variant(hosting.model(image=image), InstanceType=kind))
        with hosting.removed_after(hosting.endpoint(config)) as name:
            assert hosting.invoke(name)
            found = [bounds(pid) for pid in model_servers(server)]
            assert set(found) == {expected}, (kind, found)


def test_a_model_that_needs_more_memory_fails_and_says_so(hosting):
    config = hosting.config(variant(hosting.model(image="greedy:1"), InstanceType="ml.t2.medium"))
    name = hosting.begin(config)
    seen = hosting.settled(name)
    assert seen["EndpointStatus"] == "Failed"
    assert "MemoryError" in seen["FailureReason"]
    hosting.delete(name)
