#!/usr/bin/env bash
# The clients under test that target/venv does not hold: the AWS CLI of version 2, and the SDKs for JavaScript and Rust.
# Done before, it takes a second.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

JS="conformance/clients/js"
JS_INTO="target/clients-js"

has_aws_cli_2() {
  local program
  while read -r program; do
    [[ "$("$program" --version 2>&1)" != aws-cli/2* ]] || return 0
  done < <(type -ap aws)
  return 1
}

# Named by its path, since the `aws` of the PATH may well be version 1.
has_aws_cli_2 || debian_package /usr/bin/aws awscli || true

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  skip "node or npm is missing (Node.js 20 or newer), so the SDK for JavaScript is not tested"
elif ! cmp -s "$JS/package-lock.json" "$JS_INTO/stamp"; then
  echo "installing $JS/package-lock.json into $JS_INTO"
  rm -rf "$JS_INTO"
  mkdir -p "$JS_INTO"
  cp "$JS/package.json" "$JS/package-lock.json" "$JS/.npmrc" "$JS_INTO"
  # A package's own install script may fetch whatever it likes: none is needed, none is run.
  (cd "$JS_INTO" && npm ci --ignore-scripts --loglevel=error >/dev/null)
  cp "$JS/package-lock.json" "$JS_INTO/stamp"
fi

CARGO_TARGET_DIR=target/clients-rust cargo test --quiet --locked --no-run --manifest-path "$RUST_CLIENT"
