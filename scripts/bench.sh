#!/usr/bin/env bash
# Measures Tidegate side by side with nginx and with moto, in one run. Prints a table, writes target/bench/results.json.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

scripts/venv.sh bench/requirements.txt
debian_package wrk wrk || exit 0
debian_package nginx nginx-light || exit 0

section "release build"
cargo build --quiet --release --locked

section "benchmark"
exec "$VENV/bin/python" bench/run.py "$@"
