#!/usr/bin/env bash
# Starts a Restate server (from npm, into a cache outside the checkout) on free loopback ports with its data in a given folder,
# and prints `restate INGRESS ADMIN` once it answers. Stops on SIGTERM or SIGINT; its data goes with it. A peer for `make bench`, never
# shipped (licence BUSL-1.1). Exits 69 where it cannot be had, and says why.
#   usage: restate.sh DIR
set -euo pipefail

[ $# -eq 1 ] || { echo "usage: restate.sh DIR" >&2; exit 2; }
version=1.7.12
cache="${XDG_CACHE_HOME:-$HOME/.cache}/jangteo/peers/restate-$version"
for tool in node npm; do
    command -v "$tool" >/dev/null 2>&1 || { echo "no $tool on this machine" >&2; exit 69; }
done
if [ ! -f "$cache/complete" ]; then
    echo "installing @restatedev/restate-server $version (once, some seconds)" >&2
    mkdir -p "$cache"
    echo '{"private":true}' >"$cache/package.json"
    (cd "$cache" && npm install --silent --no-audit --no-fund --ignore-scripts "@restatedev/restate-server@$version") >&2 ||
        { echo "npm could not install @restatedev/restate-server $version" >&2; exit 69; }
    touch "$cache/complete"
fi
# The binary itself, not npm's starter in JavaScript: it is to get the signals.
binary="$(find "$cache/node_modules/@restatedev" -name restate-server -type f -perm -u+x | head -1)"
[ -n "$binary" ] || { echo "npm has no restate-server for this machine" >&2; exit 69; }

mkdir -p "$1"
folder="$(cd "$1" && pwd)"
server=""
stop() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "${folder:?}"/{data,log}
}
trap stop EXIT
trap 'exit 0' TERM INT

cd "$folder"
DO_NOT_TRACK=1 RESTATE_BIND_IP=127.0.0.1 RESTATE_LOG_FORMAT=json RESTATE_LOG_DISABLE_ANSI_CODES=true \
    "$binary" --use-random-ports=true --no-logo --base-dir data >log 2>&1 &
server=$!
port() { grep -m1 "\"$1-server\"" log 2>/dev/null | grep -o '"server.port":"\?[0-9]*' | head -1 | grep -o '[0-9]*$' || true; }
for _ in $(seq 300); do
    ingress="$(port http-ingress)" admin="$(port admin-api)"
    [ -n "$ingress" ] && [ -n "$admin" ] && break
    kill -0 "$server" 2>/dev/null || { echo "Restate does not start here: $(tail -1 log)" >&2; exit 69; }
    sleep 0.1 &
    wait $! || true
done
[ -n "$ingress" ] && [ -n "$admin" ] || { echo "Restate never told its ports" >&2; exit 69; }
echo "restate 127.0.0.1:$ingress 127.0.0.1:$admin"
wait "$server"
