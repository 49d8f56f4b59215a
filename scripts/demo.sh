#!/usr/bin/env bash
# Builds Tidegate, shows what it does, and then lets unmodified boto3 make a first endpoint by the README's own lines.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

scripts/venv.sh

section "building (the first time takes minutes)"
cargo build --release --locked

section "tidegate demo"
target/release/tidegate demo

section "the README's first endpoint, by unmodified boto3"
"$VENV/bin/python" scripts/readme_endpoint.py
