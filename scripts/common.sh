# Sourced by the other scripts: where things are, section lines, and how a missing tool is met.
# shellcheck shell=bash

set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$ROOT"

VENV="target/venv"
TOOLS="target/tools"
# Not a member of the workspace: scripts/test.sh gives it the same checks, and a target directory of its own.
RUST_CLIENT="conformance/clients/rust/Cargo.toml"
PATH="$PWD/$TOOLS/bin:$PATH"
export PATH
export RUFF_CACHE_DIR="$PWD/target/ruff"

NEXTEST_VERSION="0.9.143"
SKIPPED=()

section() {
  printf '\n=== %s (%s)\n' "$1" "$(date +%H:%M:%S)"
}

# A tool that cannot be had is named and skipped; where CI=true nothing may be skipped.
skip() {
  if [[ "${CI:-}" == "true" ]]; then
    printf 'error: %s, and CI=true allows no skipping\n' "$1" >&2
    exit 1
  fi
  printf 'skipped: %s\n' "$1" >&2
  SKIPPED+=("$1")
}

need() {
  command -v "$1" >/dev/null || {
    printf 'error: %s is needed: %s\n' "$1" "$2" >&2
    exit 1
  }
}

# Installs a cargo tool into target/tools once; it is compiled, which takes minutes.
cargo_tool() {
  local name="$1" version="$2"
  if ! command -v "$name" >/dev/null; then
    section "installing $name $version (compiled once, into $TOOLS)"
    cargo install --quiet --locked --root "$TOOLS" --version "$version" "$name"
  fi
}

debian_package() {
  local command="$1" package="$2"
  if command -v "$command" >/dev/null; then
    return 0
  fi
  if [[ "$(id -u)" != "0" ]] || ! command -v apt-get >/dev/null; then
    skip "$command is missing and only root can install Debian's package $package"
    return 1
  fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null
}
