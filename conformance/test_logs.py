"""Logs of instances through CloudWatch Logs: boto3, the AWS CLI, and `tidegate logs`."""

import json
import os
import signal
import subprocess
import sys

import pytest

from harness.hosting import Hosting, error_of, eventually, variant
from harness.server import binary

# Speaks the container contract, says what it is told to, and what it hears.
TALKER = r"""
import http.server, os, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def do_POST(self):
        said = self.rfile.read(int(self.headers["Content-Length"]))
        sys.stdout.buffer.write(said + b"\n"); sys.stdout.flush()
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *_):
        pass

print("hello", os.environ["GREETING"], flush=True)
print("a complaint", file=sys.stderr, flush=True)
http.server.HTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler).serve_forever()
"""


def group(name):
    return f"/aws/sagemaker/Endpoints/{name}"


@pytest.fixture(scope="module")
def server_config(tmp_path_factory):
    script = tmp_path_factory.mktemp("talker") / "talker.py"
    script.write_text(TALKER)
    command = json.dumps([sys.executable, "-I", str(script)])
    return f'[[image]]\nmatch = "talker:*"\ncommand = {command}\n'


@pytest.fixture(scope="module")
def logs(server):
    return server.client("logs")


@pytest.fixture(scope="module")
def talker(hosting):
    """An endpoint of two variants whose model servers repeat what they are sent."""
    model = hosting.model(image="talker:1", GREETING="tide")
    return hosting.endpoint(hosting.config(variant(model, "one"), variant(model, "two", weight=0)))


def messages(logs, name, **more):
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group(name), **more)
    return [event["message"] for page in pages for event in page["events"]]


def say(hosting, name, *words, to="one"):
    for word in words:
        hosting.invoke(name, word.encode(), TargetVariant=to)


def test_output_of_both_streams_is_there_by_time(hosting, logs, talker):
    say(hosting, talker, "first", "ERROR second", to="one")
    say(hosting, talker, "third", to="two")
    eventually(lambda: "third" in messages(logs, talker), 10)
    found = logs.filter_log_events(logGroupName=group(talker))["events"]
    assert sorted(event["message"] for event in found[:4]) == ["a complaint", "a complaint", "hello tide", "hello tide"]
    assert [event["message"] for event in found[4:]] == ["first", "ERROR second", "third"]
    assert [event["timestamp"] for event in found] == sorted(event["timestamp"] for event in found)
    assert len({event["eventId"] for event in found}) == len(found)
    assert messages(logs, talker, filterPattern="ERROR") == ["ERROR second"]
    assert messages(logs, talker, logStreamNamePrefix="two/")[-1] == "third"
    assert messages(logs, talker, PaginationConfig={"PageSize": 1}) == [event["message"] for event in found]


def test_groups_and_streams_are_described(logs, talker):
    (found,) = logs.describe_log_groups(logGroupNamePrefix=group(talker))["logGroups"]
    assert found["logGroupName"] == group(talker)
    assert found["storedBytes"] > 0
    streams = logs.describe_log_streams(logGroupName=group(talker), orderBy="LastEventTime", descending=True)
    names = [stream["logStreamName"] for stream in streams["logStreams"]]
    assert sorted(name.split("/")[0] for name in names) == ["one", "two"]
    assert all(name.split("/")[1].startswith("i-") for name in names)


def test_a_stream_is_read_until_its_token_repeats(hosting, logs, talker):
    words = [f"word-{number}" for number in range(25)]
    say(hosting, talker, *words)
    eventually(lambda: words[-1] in messages(logs, talker), 10)
    streams = logs.describe_log_streams(logGroupName=group(talker), logStreamNamePrefix="one/")["logStreams"]
    asked = {"logGroupName": group(talker), "logStreamName": streams[0]["logStreamName"], "limit": 7}
    found, page = [], logs.get_log_events(startFromHead=True, **asked)
    for _ in range(100):
        found += [event["message"] for event in page["events"]]
        token = page["nextForwardToken"]
        page = logs.get_log_events(startFromHead=True, nextToken=token, **asked)
        if page["nextForwardToken"] == token:
            break
    assert found[-25:] == words
    newest = logs.get_log_events(**asked)
    assert [event["message"] for event in newest["events"]] == words[-7:]
    before = logs.get_log_events(nextToken=newest["nextBackwardToken"], **asked)
    assert [event["message"] for event in before["events"]] == words[-14:-7]


def test_what_is_wrong_is_refused_in_the_words_of_aws(logs, talker):
    missing = ("ResourceNotFoundException", "The specified log group does not exist.", 400)
    assert error_of(logs.filter_log_events, logGroupName=group("nobody")) == missing
    assert error_of(logs.describe_log_streams, logGroupName="/aws/lambda/f") == missing
    missing = ("ResourceNotFoundException", "The specified log stream does not exist.", 400)
    assert error_of(logs.get_log_events, logGroupName=group(talker), logStreamName="one/i-0") == missing
    code, message, _ = error_of(logs.filter_log_events, logGroupName=group(talker), filterPattern="{ $.a = 1 }")
    assert code == "InvalidParameterException"
    assert "JSON" in message
    code, _, _ = error_of(logs.filter_log_events, logGroupName=group(talker), nextToken="nonsense")
    assert code == "InvalidParameterException"


def test_the_aws_cli_reads_them(server, talker):
    aws = os.path.join(os.path.dirname(sys.executable), "aws")
    command = [aws, "logs", "filter-log-events", "--log-group-name", group(talker), "--output", "json"]
    done = subprocess.run(command, env=server.client_environment(), capture_output=True, timeout=60, check=True)
    assert "hello tide" in [event["message"] for event in json.loads(done.stdout)["events"]]


def tidegate(server, *arguments):
    return [str(binary()), *arguments, "--data-dir", str(server.data_dir)]


def test_the_command_prints_and_follows_over_a_restart(hosting, logs, server, talker, tmp_path):
    done = subprocess.run(tidegate(server, "logs", talker), capture_output=True, text=True, timeout=30, check=True)
    assert any(line.endswith(" hello tide") for line in done.stdout.splitlines())
    done = subprocess.run(
        tidegate(server, "logs", talker, "--variant", "two", "--json"), capture_output=True, timeout=30, check=True
    )
    assert {json.loads(line)["logStreamName"].split("/")[0] for line in done.stdout.splitlines()} == {"two"}
    wrong = subprocess.run(tidegate(server, "logs", "nobody"), capture_output=True, text=True, timeout=30, check=False)
    assert wrong.returncode == 1
    assert "nobody" in wrong.stderr

    shown = tmp_path / "followed"
    with shown.open("wb") as out:
        follow = subprocess.Popen(tidegate(server, "logs", talker, "--follow"), stdout=out, stderr=subprocess.DEVNULL)
    try:

        def lines():
            return [line.split(" ", 2)[2] for line in shown.read_text().splitlines()]

        eventually(lambda: "hello tide" in lines(), 10)
        say(hosting, talker, "before the restart")
        eventually(lambda: "before the restart" in lines(), 10)
        server.kill()
        server.start()
        again = Hosting(server)
        again.in_service(talker)
        eventually(lambda: again.invoke(talker, b"after the restart", TargetVariant="one") == b"", 30)
        eventually(lambda: "after the restart" in lines(), 15)
        follow.send_signal(signal.SIGINT)
        assert follow.wait(10) == 0
        assert lines().count("before the restart") == 1
        assert lines().count("after the restart") == 1
        assert lines() == messages(server.client("logs"), talker)
    finally:
        follow.kill()
        follow.wait()


def test_logs_outlive_the_endpoint_and_are_continued_by_one_of_the_same_name(server):
    # A restart moves the port, so clients are made anew.
    hosting, logs = Hosting(server), server.client("logs")
    config = hosting.config(variant(hosting.model(image="talker:2", GREETING="first life")))
    name = hosting.endpoint(config)
    eventually(lambda: "hello first life" in messages(logs, name), 10)
    hosting.delete(name)
    assert "hello first life" in messages(logs, name)
    second = hosting.config(variant(hosting.model(image="talker:3", GREETING="second life")))
    hosting.endpoint(second, name)
    eventually(lambda: "hello second life" in messages(logs, name), 10)
    assert "hello first life" in messages(logs, name)
    assert len(logs.describe_log_streams(logGroupName=group(name))["logStreams"]) == 2
    hosting.delete(name)


def test_a_failed_creation_leaves_its_last_words(server):
    hosting, logs = Hosting(server), server.client("logs")
    # Without GREETING it ends with a traceback.
    name = hosting.begin(hosting.config(variant(hosting.model(image="talker:4"))))
    assert hosting.settled(name)["EndpointStatus"] == "Failed"
    assert "KeyError: 'GREETING'" in messages(logs, name, filterPattern="KeyError")
    hosting.delete(name)
