#!/usr/bin/env bash
# Installs what is missing, builds the dev preset and runs its tests.
#
#   tests/run.sh [ctest options]
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
apps/install.sh app test
apps/build.sh dev
exec ctest --preset dev --output-on-failure -j2 "$@"
