#!/usr/bin/env bash
# Installs what is missing, builds the release preset and runs the server in the foreground.
#
#   apps/run.sh [echo-server options]
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
"$root/apps/install.sh" app
"$root/apps/build.sh" release
exec "$root/build/release/apps/echo-server" "$@"
