#!/usr/bin/env bash
# Starts a NATS server with JetStream in a given folder, on a free loopback port, and prints its URL once it answers. Every
# acknowledged message is on the disk (`sync_interval: always`). Stops on SIGTERM or SIGINT; its folder's contents go with it.
# The first time the server is built with Go from its own module (about two minutes). Exits 69 where it cannot be had, and
# says why.
#   usage: nats.sh DIR [PORT]
#   environment: JANGTEO_NATS_KEEP=1 keeps the folder, so that a later start on it goes on
#                JANGTEO_NATS_FURTHER=FILE further settings of the server, such as who may come in
set -euo pipefail

version=v2.15.2
[ $# -ge 1 ] && [ $# -le 2 ] || { echo "usage: nats.sh DIR [PORT]" >&2; exit 2; }
cache="${JANGTEO_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/jangteo/tools}"
binary="$cache/nats-server-$version"

# Several tests may want it at once: one builds, the others wait.
mkdir -p "$cache"
exec 9>"$cache/nats-server.lock"
flock 9
if [ ! -x "$binary" ]; then
    command -v go >/dev/null 2>&1 || { echo "no Go on this machine to build nats-server with (go install github.com/nats-io/nats-server/v2@$version)" >&2; exit 69; }
    echo "building nats-server $version (once, about two minutes)" >&2
    place="$(mktemp -d "$cache/nats-server.XXXXXX")"
    if ! GOBIN="$place" go install "github.com/nats-io/nats-server/v2@$version" >"$place/log" 2>&1; then
        echo "nats-server cannot be built here: $(tail -1 "$place/log")" >&2
        rm -rf "$place"
        exit 69
    fi
    mv "$place/nats-server" "$binary"
    rm -rf "$place"
fi
exec 9>&-

mkdir -p "$1"
folder="$(cd "$1" && pwd)"
rm -rf "$folder"/ports
mkdir "$folder/ports"
cat >"$folder/nats.conf" <<CONF
host: 127.0.0.1
port: ${2:--1}
ports_file_dir: "$folder/ports"
jetstream { store_dir: "$folder/store", sync_interval: always }
CONF
[ -z "${JANGTEO_NATS_FURTHER:-}" ] || cat "$JANGTEO_NATS_FURTHER" >>"$folder/nats.conf"

server=""
stop() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "${folder:?}"/ports
    [ -n "${JANGTEO_NATS_KEEP:-}" ] || rm -rf "${folder:?}"/{store,nats.conf,nats.log}
}
trap stop EXIT
trap 'exit 0' TERM INT

# Not left behind where this script is killed.
leash=()
command -v setpriv >/dev/null 2>&1 && leash=(setpriv --pdeathsig TERM)
"${leash[@]}" "$binary" --config "$folder/nats.conf" >"$folder/nats.log" 2>&1 &
server=$!
# It writes its ports to a file when it listens.
url=""
for _ in $(seq 300); do
    url="$(sed -n 's/.*"nats":\["\([^"]*\)".*/\1/p' "$folder"/ports/*.ports 2>/dev/null | head -1 || true)"
    [ -n "$url" ] && break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1 &
    wait $! || true
done
if [ -z "$url" ]; then
    echo "nats-server does not start here: $(tail -1 "$folder/nats.log")" >&2
    exit 69
fi
echo "$url"
wait "$server"
