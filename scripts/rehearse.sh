#!/usr/bin/env bash
# Rehearses in a bare Debian made by debootstrap, as root, on Debian or Ubuntu:
#   scripts/rehearse.sh image [--report] [--keep FOLDER]       the Dockerfile's steps, without a container engine
#   scripts/rehearse.sh stranger [--report] [--keep FOLDER]    a fresh clone, and what the README says to type
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null

what=${1:?image or stranger}
shift
[ "$(id -u)" -eq 0 ] || { echo "$what: a bare system is made by root; try again as root" >&2; exit 1; }
if ! command -v debootstrap >/dev/null; then
  command -v apt-get >/dev/null || { echo "$what: please install debootstrap" >&2; exit 1; }
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap >/dev/null
fi
exec "${PYTHON:-.venv/bin/python}" "scripts/rehearse_$what.py" "$@"
