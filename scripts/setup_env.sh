#!/usr/bin/env bash
# Makes the virtual environment and installs exactly what is pinned: scripts/setup_env.sh run|dev [folder]
# A stamp remembers what was installed, so that the second time costs nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

purpose=${1:?run or dev}
venv=${2:-.venv}
case $purpose in
  run) pinned=requirements.txt ;;
  dev) pinned=requirements-dev.txt ;;
  *) echo "setup: $purpose is neither run nor dev" >&2; exit 2 ;;
esac

fail() {
  echo "setup: $1" >&2
  exit 1
}

recent_enough() {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
  local name
  for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if recent_enough "$name"; then
      echo "$name"
      return
    fi
  done
  fail "Python 3.11 or newer is needed; ${PYTHON:-python3} is $("${PYTHON:-python3}" --version 2>/dev/null || echo missing)"
}

# What a stamp stands for: the pins, the project's own description, the interpreter, and the place of this folder.
fingerprint() {
  "$venv/bin/python" - "$pinned" "$PWD" <<'PY'
import hashlib
import pathlib
import sys

pinned, place = sys.argv[1:]
digest = hashlib.sha256(f"{place} {sys.version}".encode())
for name in (pinned, "pyproject.toml"):
    digest.update(pathlib.Path(name).read_bytes())
print(digest.hexdigest())
PY
}

stamped() {
  [ "$(cat "$venv/.installed-$1" 2>/dev/null)" = "$2" ]
}

make_venv() {
  local python
  python=$(find_python)
  "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$python cannot make virtual environments; install its venv module (Debian, Ubuntu: apt-get install python3-venv)"
  echo "setup: making $venv with $("$python" --version)"
  "$python" -m venv --clear "$venv" || { rm -rf "$venv"; fail "$venv could not be made"; }
}

if ! recent_enough "$venv/bin/python" || ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
  make_venv
fi
print=$(fingerprint)
if stamped "$purpose" "$print"; then
  exit 0
fi
echo "setup: installing what $pinned pins, which takes a minute or more"
rm -f "$venv"/.installed-*
pip=("$venv/bin/python" -m pip --disable-pip-version-check --quiet install)
"${pip[@]}" --require-hashes -r "$pinned" || fail "the packages in $pinned could not be installed"
# setuptools is among the pins, so that building the project itself fetches nothing.
"${pip[@]}" --no-deps --no-build-isolation --no-index --editable . || fail "the project itself could not be installed"
echo "$print" > "$venv/.installed-$purpose"
# Whoever can develop can also run.
if [ "$purpose" = dev ]; then
  pinned=requirements.txt
  fingerprint > "$venv/.installed-run"
fi
