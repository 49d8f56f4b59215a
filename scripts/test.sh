#!/usr/bin/env bash
# Everything CI runs, the cheapest first. Needs Rust, Python 3.11, a C compiler and git; fetches the rest from the package
# registries. The conformance tests come last and share one release build.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

need cargo "see rust-toolchain.toml for the version"
need cc "a C compiler builds the embedded SQLite"
need git "the tidy check asks it for the list of files"
scripts/venv.sh
cargo_tool cargo-nextest "$NEXTEST_VERSION"

section "formatting"
cargo fmt --all --check
cargo fmt --manifest-path "$RUST_CLIENT" --check

section "tidy: crate edges, sizes, generated code"
cargo xtask tidy

section "Python: form and lints"
"$VENV/bin/ruff" format --quiet --check --config scripts/ruff.toml conformance bench scripts
"$VENV/bin/ruff" check --quiet --config scripts/ruff.toml conformance bench scripts

section "dependencies: licences, sources"
for manifest in Cargo.toml "$RUST_CLIENT"; do
  cargo metadata --locked --format-version 1 --manifest-path "$manifest" | "$VENV/bin/python" scripts/check_dependencies.py
done

section "clippy"
cargo clippy --quiet --locked --workspace --all-targets -- -D warnings
CARGO_TARGET_DIR=target/clients-rust cargo clippy --quiet --locked --all-targets --manifest-path "$RUST_CLIENT" -- -D warnings

section "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --quiet --locked --workspace --no-deps --document-private-items

section "unit and property tests"
cargo nextest run --locked --workspace --cargo-quiet --profile ci

section "examples in the documentation"
# Every crate without examples says at length that it has none: only a failure is worth showing.
cargo test --quiet --locked --workspace --doc >target/doctests.log 2>&1 || {
  cat target/doctests.log
  exit 1
}
printf '%s examples ran\n' "$(awk '/^test result/ { sum += $4 } END { print sum + 0 }' target/doctests.log)"

section "release build"
cargo build --quiet --release --locked

section "the other clients: AWS CLI 2, SDKs for JavaScript and Rust"
scripts/clients.sh

section "conformance: unmodified clients against the release build"
# More workers than cores: most of a test is waiting for model servers to start.
"$VENV/bin/python" -m pytest -q -n 3 --dist loadscope -m "not deep and not alone" -o cache_dir="$PWD/target/pytest" "$@" conformance

section "conformance: a minute of everything at once"
exec "$VENV/bin/python" -m pytest -q -rP -m "alone and not deep" -o cache_dir="$PWD/target/pytest" conformance/test_soak.py
