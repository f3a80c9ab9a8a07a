#!/usr/bin/env bash
# Installs what is missing, builds the apps and the benchmarks' programs in build/bench, and runs the benchmarks.
#
#   tests/bench/run.sh [PART...] [options]        --help lists them
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
apps/install.sh app bench
log=build/bench.log
mkdir -p build
printf 'building (build/bench) ...\n' >&2
build() {
  cmake --preset release -B build/bench -DANTIPHON_TESTS=ON -DANTIPHON_BENCH=ON &&
    cmake --build build/bench --target bench
}
if ! build >"$log" 2>&1 </dev/null; then
  cat "$log" >&2
  printf 'run.sh: the build failed; the log is %s\n' "$log" >&2
  exit 1
fi
exec python3 tests/bench/run.py --build build/bench "$@"
