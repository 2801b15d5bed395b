#!/usr/bin/env bash
# Installs Debian's Chromium for the browser tests where that is possible without asking: as root, on a machine with apt.
# Anywhere else it does nothing, and the tests that need a browser are skipped by name.
set -euo pipefail
if [ -x /usr/bin/chromium ] || [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    exit 0
fi
echo "installing chromium for the browser tests (once)" >&2
{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1 ||
    echo "chromium could not be installed: the browser tests will be skipped" >&2
