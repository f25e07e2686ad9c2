#!/usr/bin/env bash
# Carries out the Dockerfile's steps in a bare Debian, without a container engine, and has the node that comes of them
# go through the ritual. As root, on Debian or Ubuntu: scripts/rehearse_image.sh [--report] [--keep FOLDER]
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null

[ "$(id -u)" -eq 0 ] || { echo "image: a bare system is made by root; try again as root" >&2; exit 1; }
if ! command -v debootstrap >/dev/null; then
  command -v apt-get >/dev/null || { echo "image: please install debootstrap" >&2; exit 1; }
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap >/dev/null
fi
exec "${PYTHON:-.venv/bin/python}" scripts/rehearse_image.py "$@"
