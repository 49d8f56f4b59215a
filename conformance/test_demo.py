"""`tidegate demo`: what a newcomer sees first works, fails no request, and leaves nothing behind."""

import subprocess
import tempfile

from harness import processes
from harness.hosting import Hosting
from harness.server import binary, clean_environment


def demo(*arguments, **environment):
    return subprocess.run(
        [binary(), "demo", *map(str, arguments)],
        env=clean_environment(**environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
    )


def test_on_a_server_of_its_own():
    # Everything that it makes lies below this directory, and is found by its path should it be left over.
    with tempfile.TemporaryDirectory(prefix="tg-demo-", dir="/tmp") as place:
        ended = demo(TMPDIR=place, XDG_DATA_HOME=place)
        assert ended.returncode == 0, ended.stderr + ended.stdout
        assert "forecast" in (ended.stdout + ended.stderr).lower()
        left = processes.wait_until_gone(place, 10)
        assert left == [], processes.describe(left)


def test_on_a_running_server(server):
    ended = demo("--endpoint-url", server.url, AWS_SHARED_CREDENTIALS_FILE=str(server.credentials_file))
    assert ended.returncode == 0, ended.stderr + ended.stdout
    # What it made is gone, what was there is untouched.
    hosting = Hosting(server)
    assert hosting.sagemaker.list_endpoints()["Endpoints"] == []
    assert hosting.sagemaker.list_models()["Models"] == []
    assert hosting.sagemaker.list_endpoint_configs()["EndpointConfigs"] == []
    assert processes.wait_until_gone(server.data_dir, 10, keep=[server.pid]) == []
