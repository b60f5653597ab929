#!/usr/bin/env bash
# fetch_promtool.sh FOLDER: promtool of Debian's prometheus, unpacked there as FOLDER/usr/bin/promtool and not installed (the
# package would start a server). Tests that want it look into PATH and the variable PROMTOOL, and say so where it is neither.
set -euo pipefail
mkdir -p "$1"
cd "$1"
[[ -x usr/bin/promtool ]] && exit 0
if apt-get download -qq prometheus 2>apt.log; then
  dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool
  rm prometheus_*.deb
else
  echo "promtool cannot be downloaded ($(tail -n 1 apt.log)); going on without it" >&2
fi
