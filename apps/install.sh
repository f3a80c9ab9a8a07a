#!/usr/bin/env bash
# Names the Debian packages that the project needs and installs those that are missing.
#
#   apps/install.sh SET...        SET is app, test, ci or bench
#
# Says nothing when nothing is missing. Exits 2 when something is missing and cannot be installed
# from here. Set ANTIPHON_NO_INSTALL=1 to skip the check. All output goes to standard error.
set -euo pipefail
exec >&2

app="g++ cmake ninja-build libfmt-dev nlohmann-json3-dev librange-v3-dev librapidcheck-dev libcli11-dev \
liburing-dev libisal-dev libpcap-dev libseccomp-dev prometheus-cpp-dev"
test="libgtest-dev netcat-openbsd telnet graphviz strace procps python3 socat ncat"
bench="pkg-config liburing-dev libuv1-dev libasio-dev libevent-dev spin python3"
ci="git clang-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev"

stop() {
  printf 'install.sh: %s\n' "$1"
  exit 2
}

is_debian() {
  command -v apt-get >/dev/null || return 1
  command -v dpkg-query >/dev/null || return 1
  [ -r /etc/os-release ] || return 1
  # shellcheck disable=SC1091
  (. /etc/os-release && [[ " ${ID:-} ${ID_LIKE:-} " == *" debian "* ]])
}

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

[ $# -gt 0 ] || stop "usage: install.sh app|test|ci|bench ..."
wanted=()
for set in "$@"; do
  case $set in
    app) read -ra names <<<"$app" ;;
    test) read -ra names <<<"$test" ;;
    ci) read -ra names <<<"$ci" ;;
    bench) read -ra names <<<"$bench" ;;
    *) stop "no such set of packages: $set" ;;
  esac
  wanted+=("${names[@]}")
done

[ -z "${ANTIPHON_NO_INSTALL:-}" ] || exit 0

is_debian || stop "not a Debian system; install these, then set ANTIPHON_NO_INSTALL=1: ${wanted[*]}"

missing=()
for name in "${wanted[@]}"; do
  is_installed "$name" || missing+=("$name")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  # Without a terminal sudo cannot ask for a password.
  if command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
    as_root=(sudo)
  else
    stop "neither root nor sudo here; install these: ${missing[*]}"
  fi
fi

printf 'installing: %s\n' "${missing[*]}"
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq)
# An unreachable mirror need not matter: the packages may be in what is already known.
"${apt[@]}" update </dev/null >/dev/null || true
"${apt[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null >/dev/null ||
  stop "apt-get could not install all of: ${missing[*]}"
