#!/usr/bin/env bash
# Runs the fuzzing engine on each target for FUZZ_SECONDS. What it finds lies in fuzz/artifacts/; what it learns, below target/.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cargo_tool cargo-fuzz 0.13.2

# The address sanitizer comes with the stable toolchain, but the switch for it is one that only nightly knows by itself.
export RUSTC_BOOTSTRAP=1
export CARGO_PROFILE_RELEASE_LTO=off

seconds=${FUZZ_SECONDS:-600}
targets=${FUZZ_TARGETS:-$(cargo fuzz list --fuzz-dir fuzz)}

section "build"
cargo fuzz build --fuzz-dir fuzz --features engine

for target in $targets; do
    section "$target: $seconds s"
    learned="target/fuzz/$target"
    mkdir -p "$learned"
    cargo fuzz run --fuzz-dir fuzz --features engine "$target" "$learned" "fuzz/corpus/$target" -- \
        -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -max_len=65536 -print_final_stats=1
done
