#!/usr/bin/env bash
# What takes longer than CI should: tests that wait for minutes, ignored tests, and checks whose tools compile for minutes.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

scripts/test.sh
cargo_tool cargo-deny 0.20.2
cargo_tool cargo-machete 0.9.2

section "dependencies: bans, licences, sources"
cargo deny --log-level error check bans licenses sources

section "dependencies that nothing uses"
cargo machete

section "ignored tests"
cargo nextest run --locked --workspace --profile ci --run-ignored only --no-tests pass

section "ten minutes of everything at once"
# Alone: it has to reach its rate.
"$VENV/bin/python" -m pytest -q -s -m deep -o cache_dir="$PWD/target/pytest" conformance/test_soak.py

section "slow conformance tests"
"$VENV/bin/python" -m pytest -q -n 3 --dist loadscope -m deep -o cache_dir="$PWD/target/pytest" --ignore conformance/test_soak.py conformance
sed 's/^/kill -9: /' target/kill.txt
