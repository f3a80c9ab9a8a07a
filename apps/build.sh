#!/usr/bin/env bash
# Configures and builds one preset. Quiet, unless it fails: then it shows the log.
#
#   apps/build.sh PRESET [cmake --build options]
#
# The log is build/PRESET.log. All output goes to standard error.
set -euo pipefail
exec >&2

preset=$1
shift
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p build
log=build/$preset.log

# With ccache, what was compiled in one clone is known in every other.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1

build() {
  cmake --preset "$preset" && cmake --build --preset "$preset" "$@"
}

printf 'building (build/%s) ...\n' "$preset"
# Two builds in one folder would undo each other's work, so the second one waits.
exec 9>"build/$preset.lock"
flock 9
if ! build "$@" >"$log" 2>&1 </dev/null; then
  cat "$log"
  printf 'build.sh: the build of %s failed; the log is %s\n' "$preset" "$log"
  exit 1
fi
