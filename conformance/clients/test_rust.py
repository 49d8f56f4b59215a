"""The AWS SDK for Rust: the crates for inference and autoscaling, by the tests under `rust/`, against one server."""

import re
import subprocess

import pytest

from harness.server import ROOT

MANIFEST = ROOT / "conformance" / "clients" / "rust" / "Cargo.toml"
# Where `scripts/clients.sh` has built it; without that the first run builds it here.
BUILT = ROOT / "target" / "clients-rust"
BUILD_SECONDS = 900


@pytest.mark.timeout(BUILD_SECONDS + 60)
def test_the_rust_sdk(server, echo, speaker, failing):
    key, secret = server.key()
    ended = subprocess.run(
        ["cargo", "test", "--quiet", "--locked", "--manifest-path", MANIFEST],
        env=server.client_environment(
            CARGO_TARGET_DIR=str(BUILT),
            AWS_ACCESS_KEY_ID=key,
            AWS_SECRET_ACCESS_KEY=secret,
            TIDEGATE_TEST_ECHO=echo,
            TIDEGATE_TEST_SPEAKER=speaker,
            TIDEGATE_TEST_FAILING=failing,
        ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    passed = [int(count) for count in re.findall(r"^test result: ok\. (\d+) passed", ended.stdout, re.M)]
    assert sum(passed) > 1, ended.stdout
