#!/usr/bin/env bash
# Lives the lives of SIM_SEEDS, on all processors, and adds a line to SIM_LEDGER; an empty one adds none. Ends with 1 if a promise was broken.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

need cargo "see rust-toolchain.toml for the version"

seeds=${SIM_SEEDS:-0..20000}
ledger=${SIM_LEDGER-docs/simulation-ledger.md}

section "lives $seeds"
arguments=(--seeds "$seeds" --threads "$(nproc)")
if [[ -n $ledger ]]; then
    arguments+=(--ledger "$ledger")
fi
exec nice -n 10 cargo run --quiet --release --locked -p sim --example lives -- "${arguments[@]}"
