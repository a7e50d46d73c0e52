#!/bin/sh
# Debian keeps Python's venv module in a package of its own.
set -eu
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing python3-venv …"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
else
  echo "Python's venv module is missing. Install it: sudo apt-get install python3-venv"
  exit 1
fi
