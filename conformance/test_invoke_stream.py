"""`tidegate endpoint invoke NAME --stream`: an answer in a shell, piece by piece."""

import json
import os
import pathlib
import subprocess
import sys
import time

import pytest

from harness.server import binary

SERVER = pathlib.Path(__file__).parent / "images" / "streaming_server.py"
WORDS = b"word0 word1 word2 word3 word4 "


@pytest.fixture(scope="module")
def server_config():
    return f"""
[[image]]
match = "*/words:*"
command = ["{sys.executable}", "{SERVER}"]
"""


@pytest.fixture(scope="module")
def endpoint(hosting):
    return hosting.endpoint(hosting.config(hosting.model(image="registry.example/words:1")), name="words")


def command(server, *arguments):
    return [binary(), "endpoint", "invoke", *arguments, "--stream", "--data-dir", str(server.data_dir)]


def invoke(server, *arguments):
    return subprocess.run(command(server, *arguments), stdin=subprocess.DEVNULL, capture_output=True, timeout=60)


def test_pieces_are_printed_when_they_come(server, endpoint):
    wish = command(server, endpoint, "--body", "five", "--accept", "text/event-stream")
    with subprocess.Popen(wish, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        arrived, words = [], b""
        while piece := os.read(process.stdout.fileno(), 65536):
            arrived.append(time.monotonic())
            words += piece
        note = process.stderr.read().decode()
        assert process.wait(30) == 0, note
    assert words == WORDS
    assert len(arrived) >= 3, "the whole answer came at once"
    assert note.startswith(f"{len(WORDS)} bytes of text/event-stream in "), note
    assert "from variant main" in note


def test_a_stream_that_breaks_is_told_behind_what_came(server, endpoint):
    ended = invoke(server, endpoint, "--body", "break")
    assert ended.returncode == 1
    assert ended.stdout == b"word0 word1 word2 "
    (line,) = ended.stderr.decode().splitlines()
    assert line.startswith("error: InvokeEndpointWithResponseStream: ModelStreamError: ")
    assert "StreamBroken" in line


def test_what_is_refused_is_told_as_ever(server, endpoint):
    ended = invoke(server, endpoint, "--body", "refuse")
    assert (ended.returncode, ended.stdout) == (1, b"")
    assert b"ModelError" in ended.stderr
    ended = invoke(server, "wards", "--body", "five")
    assert (ended.returncode, ended.stdout) == (1, b"")
    assert b"did you mean words?" in ended.stderr


def test_a_file_and_programs_get_the_pieces_too(server, endpoint, tmp_path):
    ended = invoke(server, endpoint, "--body", "five", "--output", str(tmp_path / "words"))
    assert (ended.returncode, ended.stdout) == (0, b"")
    assert (tmp_path / "words").read_bytes() == WORDS
    ended = invoke(server, endpoint, "--body", "five", "--json")
    head, *pieces = [json.loads(line) for line in ended.stdout.splitlines()]
    assert head["InvokedProductionVariant"] == "main"
    assert "".join(piece["Body"] for piece in pieces).encode() == WORDS


def test_a_reader_that_has_seen_enough_ends_the_command(server, endpoint):
    wish = command(server, endpoint, "--body", "for ever")
    with subprocess.Popen(wish, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.read(5) == b"word0"
        process.stdout.close()
        process.wait(30)
        assert b"panicked" not in process.stderr.read()
