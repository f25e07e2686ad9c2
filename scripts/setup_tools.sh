#!/usr/bin/env bash
# Makes sure the programs the tests drive are there. On Debian and Ubuntu, as root or with sudo, it installs what is
# missing; elsewhere it says in one line what to install, and fails.
set -euo pipefail

# One line a tool: the command that must exist, the package that brings it.
tools="
caddy caddy
certutil libnss3-tools
chromium chromium
curl curl
espeak-ng espeak-ng
g++ g++
gcc gcc
postgres postgresql
redis-server redis-server
"
# Debian keeps PostgreSQL's programs off the PATH, each version apart.
for folder in /usr/lib/postgresql/*/bin; do PATH="$PATH:$folder"; done

missing=()
while read -r command package; do
  [ -z "$command" ] && continue
  command -v "$command" >/dev/null || missing+=("$package")
done <<<"$tools"
# Pages in Japanese and Arabic are looked at in fonts a kiosk would have.
for font in "ja fonts-noto-cjk" "ar fonts-noto-core"; do
  families="$(command -v fc-list >/dev/null && fc-list ":lang=${font%% *}" family | grep -v DejaVu || true)"
  [ -n "$families" ] || missing+=("${font##* }")
done
[ ${#missing[@]} -eq 0 ] && exit 0

refuse() {
  echo "setup: please install ${missing[*]} and try again ($1)" >&2
  exit 1
}

command -v apt-get >/dev/null || refuse "this is not Debian or Ubuntu"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  sudo -n true 2>/dev/null || { [ -t 0 ] && command -v sudo >/dev/null; } || refuse "neither root nor sudo"
  as_root=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
echo "setup: installing ${missing[*]}, which takes a few minutes"
"${as_root[@]}" apt-get update -qq </dev/null
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null || refuse "apt-get failed"
