#!/bin/sh
# Installs the system packages that some tests need, where this user may; otherwise those tests are left out,
# and the run's last lines name them. With MLDS_TESTS_REQUIRE_ALL=1 a missing one is a failure.
set -eu
missing=""
command -v chromium >/dev/null || missing="$missing chromium"
[ -x /usr/lib/postgresql/15/bin/postgres ] || missing="$missing postgresql-15"
# These two are only unpacked, into a cache.
for tool in compose nginx; do
  sh "$(dirname "$0")/unpacked-tools.sh" "$tool" >/dev/null || true
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing for the tests:$missing …"
  apt-get update -qq || true
  # shellcheck disable=SC2086  # a list of words
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null || true
fi
