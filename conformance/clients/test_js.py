"""The AWS SDK for JavaScript, version 3: its tests under `js/`, run by Node's own runner against one server."""

import json
import pathlib
import re
import shutil
import subprocess

import pytest

from harness.server import ROOT

HERE = pathlib.Path(__file__).with_name("js")
INSTALLED = ROOT / "target" / "clients-js" / "node_modules"
TESTS = sorted((HERE / "tests").glob("*.test.js"))
LIMIT_SECONDS = 240


@pytest.fixture(scope="module")
def node(missing):
    found = shutil.which("node")
    if not found:
        return missing("node is not on the PATH")
    return found if INSTALLED.is_dir() else missing(f"{INSTALLED} is not there: scripts/clients.sh makes it")


@pytest.mark.parametrize("file", TESTS, ids=lambda path: path.name.removesuffix(".test.js"))
def test_the_javascript_sdk(node, server, echo, speaker, failing, file):
    endpoints = {"echo": echo, "speaker": speaker, "failing": failing}
    ended = subprocess.run(
        [node, "--test", "--test-reporter=tap", file],
        env=server.client_environment(
            NODE_PATH=str(INSTALLED), NODE_OPTIONS="", TIDEGATE_TEST_ENDPOINTS=json.dumps(endpoints)
        ),
        cwd=HERE,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    # A file that ran nothing passes in Node's eyes.
    counts = dict(re.findall(r"^# (tests|pass|skipped|todo) (\d+)$", ended.stdout, re.M))
    assert int(counts["pass"]) == int(counts["tests"]) > 1, ended.stdout
