"""`tidegate demo`: what a newcomer sees first works, fails no request, and leaves nothing behind."""

import json
import re
import signal
import subprocess
import tempfile
import time

from harness import processes
from harness.hosting import Hosting
from harness.server import Server, binary, clean_environment


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


def test_it_scales_by_itself_and_says_so():
    with tempfile.TemporaryDirectory(prefix="tg-demo-", dir="/tmp") as place:
        ended = demo("--json", TMPDIR=place, XDG_DATA_HOME=place)
        assert ended.returncode == 0, ended.stderr + ended.stdout
        report = json.loads(ended.stdout)
        assert (report["failures"], report["requests"] > 100) == (0, True), report
        # What the server decided, in its own words.
        assert re.search(r"scales out from 1 to [23] instances\. AlarmHigh of policy", ended.stderr), ended.stderr
        assert re.search(r"scales in from [23] to 1 instance\. AlarmLow of policy", ended.stderr), ended.stderr
        told = " ".join(ended.stderr.split())
        # By hand it is refused, in SageMaker's words; then it is done, and what scaled the endpoint scales it on.
        assert 'The variant(s) "[AllTraffic]" must be deregistered as scalable targets' in told
        assert "tidegate endpoint update tide --endpoint-config tide-v2" in told
        assert re.search(r"tide-v1 → tide-v2, [23] instances kept, policy keep-the-load is back", told), ended.stderr
        assert told.index("is back") < told.index("AlarmLow of policy keep-the-load")


def untouched(server):
    """That nothing of a demo is left on a server."""
    hosting = Hosting(server)
    assert hosting.sagemaker.list_endpoints()["Endpoints"] == []
    assert hosting.sagemaker.list_models()["Models"] == []
    assert hosting.sagemaker.list_endpoint_configs()["EndpointConfigs"] == []
    autoscaling = server.client("application-autoscaling")
    assert autoscaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"] == []
    assert server.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    assert processes.wait_until_gone(server.data_dir, 10, keep=[server.pid]) == []


def test_on_a_running_server_it_does_not_wait_for_what_takes_its_time(server):
    ended = demo("--endpoint-url", server.url, AWS_SHARED_CREDENTIALS_FILE=str(server.credentials_file))
    assert ended.returncode == 0, ended.stderr + ended.stdout
    assert "this server's time runs at scale 1" in ended.stderr
    assert "requests through an update, and none failed." in ended.stderr
    assert "policy keep-the-load is back" in ended.stderr
    untouched(server)


def test_interrupted_it_leaves_nothing():
    made = Server(arguments=["--time-scale", "60"])
    try:
        made.start()
        running = subprocess.Popen(
            [binary(), "demo", "--endpoint-url", made.url],
            env=clean_environment(AWS_SHARED_CREDENTIALS_FILE=str(made.credentials_file)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            # Once it is registered, it waits for the endpoint to scale.
            for line in running.stderr:
                if "let it scale" in line:
                    break
            time.sleep(0.5)
            running.send_signal(signal.SIGINT)
            _, rest = running.communicate(timeout=120)
        finally:
            if running.poll() is None:
                running.kill()
                running.communicate()
        assert running.returncode == 130, rest
        assert "interrupted; cleaning up" in rest
        untouched(made)
    finally:
        made.close()
