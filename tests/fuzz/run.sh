#!/usr/bin/env bash
# Installs what is missing, builds the fuzz targets in build/fuzz, and runs them.
#
#   tests/fuzz/run.sh [TARGET...] [--seconds N]        --help lists the options
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
case " $* " in *" -h "* | *" --help "*) exec python3 tests/fuzz/run.py --help ;; esac
apps/install.sh app ci
apps/build.sh fuzz || exit 2
exec python3 tests/fuzz/run.py "$@"
