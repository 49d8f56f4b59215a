"""`tidegate` in a shell: what stops a start is one line and a status, and the commands find their server."""

import json
import os
import re
import socket
import subprocess

import pytest

from harness.hosting import Hosting
from harness.server import Server, binary, clean_environment


def tidegate(*arguments, server=None, stdin=subprocess.DEVNULL, **environment):
    base = server.client_environment(**environment) if server else clean_environment(**environment)
    return subprocess.run(
        [binary(), *map(str, arguments)], env=base, stdin=stdin, capture_output=True, text=True, timeout=60
    )


def refused(*arguments, **environment):
    """The one line that a command ends with."""
    ended = tidegate(*arguments, **environment)
    assert ended.returncode not in (0, None), ended
    assert ended.returncode > 0, ended
    assert "is ready" not in ended.stdout
    assert "panicked" not in ended.stderr
    lines = ended.stderr.strip().splitlines()
    assert len(lines) == 1, ended.stderr
    return lines[0]


def up(data_dir, *more, listen="127.0.0.1:0"):
    return refused("up", "--data-dir", data_dir, "--listen", listen, *more)


def test_a_port_in_use(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        line = up(tmp_path / "data", listen=address)
    assert address in line
    assert "in use" in line


def test_a_data_directory_in_use(server):
    line = up(server.data_dir)
    assert str(server.data_dir) in line
    assert server.is_running()
    # The server that has it goes on.
    assert Hosting(server).sagemaker.list_models()["Models"] == []


def test_a_data_directory_that_is_a_file(tmp_path):
    place = tmp_path / "file"
    place.write_text("mine")
    assert str(place) in up(place)
    assert place.read_text() == "mine"


def test_a_data_directory_below_a_file(tmp_path):
    (tmp_path / "file").write_text("mine")
    assert str(tmp_path / "file") in up(tmp_path / "file" / "data")


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes where nobody may")
def test_a_read_only_data_directory(tmp_path):
    place = tmp_path / "read-only"
    place.mkdir(mode=0o500)
    assert str(place) in up(place)
    assert list(place.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("listen = ", "line 1"),
        ("[[image]]\nmatch = 7\ncommand = ['x']\n", "line 2"),
        ("[[image]]\nmatch = 'a'\n", "command"),
        ("[[image]]\nmatch = 'a'\ncommand = []\n", "command"),
        ("[[image]]\nmatch = '[a'\ncommand = ['x']\n", "[a"),
        ("colour = 'blue'\n", "colour"),
        ("region = 'a'\naccount_id = 5\n", "line 2"),
    ],
)
def test_a_bad_configuration_file_is_named_with_the_place(tmp_path, text, named):
    config = tmp_path / "tidegate.toml"
    config.write_text(text)
    ended = tidegate("up", "--data-dir", tmp_path / "data", "--listen", "127.0.0.1:0", "--config", config)
    assert ended.returncode > 0
    assert named in ended.stderr
    assert str(config) in ended.stderr or "[[image]]" in ended.stderr
    assert "panicked" not in ended.stderr


def test_a_configuration_file_that_is_not_there(tmp_path):
    assert "absent.toml" in up(tmp_path / "data", "--config", tmp_path / "absent.toml")


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--listen", "nowhere"),
        ("--account-id", "12"),
        ("--time-scale", "0"),
        ("--time-scale", "fast"),
        ("--region", "not a region"),
    ],
)
def test_a_bad_value_is_named_with_its_setting(tmp_path, flag, value):
    ended = tidegate(
        "up", "--data-dir", tmp_path / "data", *(() if flag == "--listen" else ("--listen", "127.0.0.1:0")), flag, value
    )
    assert ended.returncode > 0
    assert flag.removeprefix("--") in ended.stderr
    assert value in ended.stderr
    assert not (tmp_path / "data").exists()


def test_an_address_that_others_reach_needs_a_word(tmp_path):
    assert "--insecure-http" in up(tmp_path / "data", listen="0.0.0.0:0")


def test_an_unknown_flag_or_command(tmp_path):
    for arguments in (["--colour"], ["up", "--colour"], ["downn"], ["endpoint", "frobnicate"]):
        ended = tidegate(*arguments)
        assert ended.returncode == 2, arguments
        assert "Usage" in ended.stderr


def test_a_flag_wins_over_the_environment_which_wins_over_the_file(tmp_path):
    (tmp_path / "tidegate.toml").write_text('region = "ap-south-1"\naccount_id = "111111111111"\n')
    ask = ["--config", str(tmp_path / "tidegate.toml")]
    for arguments, environment, region, account in [
        (ask, {}, "ap-south-1", "111111111111"),
        (ask, {"TIDEGATE_REGION": "eu-west-1"}, "eu-west-1", "111111111111"),
        ([*ask, "--region", "us-west-2"], {"TIDEGATE_REGION": "eu-west-1"}, "us-west-2", "111111111111"),
    ]:
        server = Server(arguments=arguments, environment=environment)
        try:
            server.start()
            assert server.client("sts", region=region).get_caller_identity()["Account"] == account
        finally:
            server.close()


def test_the_credentials_file_is_for_its_owner_alone(server):
    assert server.credentials_file.stat().st_mode & 0o777 == 0o600
    key, secret = server.key()
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", key)
    assert len(secret) == 40
    assert secret not in server.log()


def test_env_is_what_a_shell_evaluates(server):
    script = (
        f'AWS_ACCESS_KEY_ID=other; export AWS_ACCESS_KEY_ID; eval "$({binary()} env --data-dir {server.data_dir})"; env'
    )
    ended = subprocess.run(["sh", "-ec", script], env=clean_environment(), capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    told = dict(line.split("=", 1) for line in ended.stdout.splitlines() if "=" in line)
    assert told["AWS_ENDPOINT_URL"] == server.url
    assert told["AWS_REGION"] == "us-east-1"
    assert told["AWS_SHARED_CREDENTIALS_FILE"] == str(server.credentials_file)
    assert told["AWS_CONFIG_FILE"] == "/dev/null"
    assert told["AWS_PROFILE"]
    assert "AWS_ACCESS_KEY_ID" not in told


def test_the_commands_find_the_server_of_their_data_directory(server, tmp_path):
    name = Hosting(server).echo_endpoint()
    here = ["--data-dir", server.data_dir]
    assert name in tidegate("endpoint", "ls", *here).stdout
    described = json.loads(tidegate("endpoint", "describe", name, "--json", *here).stdout)
    assert described["EndpointStatus"] == "InService"
    invoked = tidegate("endpoint", "invoke", name, "--body", "by hand", *here)
    assert invoked.stdout.strip() == "by hand"
    deleted = tidegate("endpoint", "delete", name, "--wait", *here)
    assert deleted.returncode == 0, deleted.stderr
    assert server.url in deleted.stderr
    assert name not in tidegate("endpoint", "ls", *here).stdout
    told = json.loads(tidegate("clock", "--json", *here).stdout)
    assert told["time_scale"] == 1


def test_a_command_without_a_server_says_how_to_start_one(tmp_path):
    line = refused("endpoint", "ls", "--data-dir", tmp_path)
    assert "tidegate up" in line


def test_an_error_of_the_server_is_told_by_its_code(server):
    ended = tidegate("endpoint", "describe", "not-there", "--data-dir", server.data_dir)
    assert ended.returncode > 0
    assert "ValidationException" in ended.stderr
    assert "not-there" in ended.stderr
    assert ended.stdout == ""


def test_real_aws_is_never_talked_to_by_accident():
    line = refused("endpoint", "ls", "--endpoint-url", "https://api.sagemaker.us-east-1.amazonaws.com")
    assert "amazonaws.com" in line


def test_version_and_completions(tmp_path):
    assert re.search(r"\d+\.\d+\.\d+", tidegate("version").stdout)
    for shell in ("bash", "zsh", "fish"):
        assert "tidegate" in tidegate("completions", shell).stdout
