#!/usr/bin/env bash
# Installs EventStoreDB's official Node client from npm into a cache outside the checkout, and prints the folder that
# holds its `node_modules`. Some seconds the first time, nothing afterwards. Exits 69 where it cannot be had, and says why.
set -euo pipefail

version=6.2.1
cache="${JANGTEO_CLIENTS:-${XDG_CACHE_HOME:-$HOME/.cache}/jangteo/clients}/node-$version"
client="node_modules/@eventstore/db-client"

for tool in node npm; do
    command -v "$tool" >/dev/null 2>&1 || { echo "no $tool on this machine" >&2; exit 69; }
done
if [ ! -f "$cache/complete" ]; then
    echo "installing @eventstore/db-client $version (once, some seconds)" >&2
    mkdir -p "$cache"
    echo '{"private":true}' >"$cache/package.json"
    (cd "$cache" && npm install --silent --no-audit --no-fund --ignore-scripts "@eventstore/db-client@$version") >&2 ||
        { echo "npm could not install @eventstore/db-client $version" >&2; exit 69; }
    [ -d "$cache/$client" ] || { echo "npm installed no $client" >&2; exit 69; }
    touch "$cache/complete"
fi
echo "$cache"
