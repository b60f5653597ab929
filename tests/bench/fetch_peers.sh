#!/usr/bin/env bash
# fetch_peers.sh FOLDER: peers that are not installed but unpacked there: supervisor (its package would start a service)
# and pm2. What cannot be had is left out with a line that says so; the bench goes on without it.
set -euo pipefail
mkdir -p "$1"
cd "$1"

if [[ ! -e supervisor/usr/bin/supervisord ]]; then
  if apt-get download -qq supervisor 2>apt.log; then
    dpkg-deb -x supervisor_*.deb supervisor
  else
    echo "bench: supervisor cannot be downloaded ($(tail -n 1 apt.log)); going on without it" >&2
  fi
fi

if [[ ! -e node_modules/pm2/bin/pm2 ]]; then
  if ! command -v npm >/dev/null; then
    echo "bench: there is no npm, so pm2 is left out; apt-get install npm brings it" >&2
  elif ! npm install --silent --no-audit --no-fund --prefix . pm2 >npm.log 2>&1; then
    echo "bench: pm2 cannot be installed ($(tail -n 1 npm.log)); going on without it" >&2
  fi
fi
