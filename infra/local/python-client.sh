#!/usr/bin/env bash
# Installs the Python client from PyPI into a virtual environment outside the checkout, and prints that environment's
# interpreter. Some seconds the first time, nothing afterwards. Exits 69 where it cannot be had, and says why.
set -euo pipefail

version=1.3.5
cache="${JANGTEO_CLIENTS:-${XDG_CACHE_HOME:-$HOME/.cache}/jangteo/clients}/python-$version"

command -v python3 >/dev/null 2>&1 || { echo "no python3 on this machine" >&2; exit 69; }
if [ ! -f "$cache/complete" ]; then
    echo "installing kurrentdbclient $version (once, some seconds)" >&2
    python3 -m venv "$cache" >&2 || { echo "python3 makes no virtual environment (Debian: python3-venv)" >&2; exit 69; }
    "$cache/bin/pip" install --quiet --disable-pip-version-check "kurrentdbclient==$version" >&2 ||
        { echo "pip could not install kurrentdbclient $version" >&2; exit 69; }
    touch "$cache/complete"
fi
echo "$cache/bin/python"
