#!/usr/bin/env bash
# Builds the server and keeps it under mixed clients and faults for a while.
#
#   tests/soak/run.sh [--minutes M] [--connections N] [--interpreter NAME] ...        --help lists them
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
apps/install.sh app test
apps/build.sh release
ANTIPHON_APPS_DIR=$PWD/build/release/apps exec python3 tests/soak/soak.py "$@"
