#!/bin/sh
# unpacked-tools.sh compose|nginx: prints the path of a program that some tests need. It is fetched by apt and
# only unpacked, into a cache outside the tree: installing nginx would start it, and compose v2 is a package of
# the next Debian release. Its source is this machine's own, with the release's name changed; the machine's own
# apt is not touched. Exit 1, with a sentence, where it cannot be had.
set -eu
cache=${MLDS_TESTS_CACHE:-${XDG_CACHE_HOME:-${HOME:-/var/cache}/.cache}/mlds-tests}
case ${1:-} in
  compose) package=docker-compose; program=usr/libexec/docker/cli-plugins/docker-compose; next=trixie ;;
  nginx) package=nginx; program=usr/sbin/nginx; next= ;;
  *) echo "usage: unpacked-tools.sh compose|nginx" >&2; exit 1 ;;
esac
# What is installed serves as well; compose has to be version 2 or later.
PATH=$PATH:/usr/sbin
case $1 in
  compose) case $(docker-compose version --short 2>/dev/null) in [2-9]*) command -v docker-compose; exit 0 ;; esac ;;
  nginx) command -v nginx && exit 0 ;;
esac
place=$cache/$package
[ -x "$place/$program" ] && { echo "$place/$program"; exit 0; }
[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || { echo "$package: only root fetches it by apt" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -n "$next" ]; then
  here=$(. /etc/os-release && echo "$VERSION_CODENAME")
  # shellcheck disable=SC2016  # apt's own placeholders
  address=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' |
    sed -n "s/^$here //p" | head -n 1)
  if [ -z "$address" ]; then  # before the first `apt-get update` no origin is known
    # shellcheck disable=SC2016
    address=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
      sed -n "s/^$here //p" | head -n 1)
  fi
  [ -n "$address" ] || { echo "$package: no Debian source is known here" >&2; exit 1; }
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
  echo "deb $address $next main" > "$work/sources.list"
  set -- -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$work/lists" \
    -o "Dir::Cache=$work/cache"
else
  set --
fi
(
  cd "$work"
  apt-get -qq "$@" -o APT::Update::Post-Invoke-Success::= -o APT::Sandbox::User=root update
  apt-get -qq "$@" -o APT::Sandbox::User=root download "$package"
  dpkg-deb -x "$package"_*.deb unpacked
) >&2 || { echo "$package: apt could not fetch it" >&2; exit 1; }
mkdir -p "$cache"
rm -rf "$place"
mv "$work/unpacked" "$place"
echo "$place/$program"
