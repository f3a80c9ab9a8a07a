#!/usr/bin/env bash
# Runs what finds more the longer it runs: fuzzing, random scenarios, runs on the kernel, large scopes, a soak.
# Ends with a summary.
#
#   tests/long.sh [--minutes N] [PART...]        --help lists the parts
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
case " $* " in *" -h "* | *" --help "*) exec python3 tests/long.py --help ;; esac
apps/install.sh app test ci
apps/build.sh release || exit 2
apps/build.sh fuzz || exit 2
exec python3 tests/long.py "$@"
