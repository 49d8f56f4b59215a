#!/usr/bin/env bash
# Measures Tidegate side by side with nginx, HAProxy, moto and fakecloud, in one run. Prints a table, writes
# target/bench/results.json and, when nothing is left out, docs/performance.md.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

scripts/venv.sh bench/requirements.txt
debian_package wrk wrk || exit 0
debian_package h2load nghttp2-client || exit 0
debian_package nginx nginx-light || exit 0
debian_package haproxy haproxy || exit 0
# A program to be run beside ours, and nothing that ours is made of.
cargo_tool fakecloud 0.51.0

section "release build"
cargo build --quiet --release --locked

section "benchmark"
exec "$VENV/bin/python" bench/run.py "$@"
