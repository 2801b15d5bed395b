#!/usr/bin/env bash
# The grown shop on this machine, without containers (`make run-grown`): the event log behind its wire endpoint in a process of
# its own, PostgreSQL, NATS and Elasticsearch as real servers on free loopback ports, and the shop on all of them. Ctrl-C or
# SIGTERM stops everything; the data, in a temporary folder, goes with it. Exits 69 where a server cannot be had, and says why.
#   usage: grown.sh [further arguments of `jangteo up`]; it listens on 127.0.0.1:8080 unless they or JANGTEO_LISTEN say otherwise
#   environment: JANGTEO_BINARY (target/debug/jangteo), JANGTEO_TEST_ELASTICSEARCH (a node to use instead of one of its own)
set -euo pipefail

here="$(cd "$(dirname "$0")" && pwd)"
jangteo="${JANGTEO_BINARY:-$here/../../target/debug/jangteo}"
[ -x "$jangteo" ] || { echo "$jangteo is missing: cargo build --workspace --bins" >&2; exit 1; }

folder="$(mktemp -d)"
# PostgreSQL's user must be able to walk down to its folder.
chmod 711 "$folder"
started=()
stop() {
    # The last that was started first: the shop before its servers.
    for ((i = ${#started[@]} - 1; i >= 0; i--)); do
        kill "${started[i]}" 2>/dev/null || true
        wait "${started[i]}" 2>/dev/null || true
    done
    rm -rf "${folder:?}"
}
trap stop EXIT
trap 'exit 0' TERM INT

# Where the machine can, what is started here ends with this script, even if that is killed.
bound=()
command -v setpriv >/dev/null 2>&1 && bound=(setpriv --pdeathsig TERM --)

# start NAME COMMAND…: in the background; what it says is kept.
start() {
    local name="$1"
    shift
    "${bound[@]}" "$@" >"$folder/$name.out" 2>"$folder/$name.err" &
    started+=($!)
    process[$name]=$!
}
declare -A process
alive() { kill -0 "${process[$1]}" 2>/dev/null; }
# told NAME PATTERN: waits for the line that matches, and prints it.
told() {
    local name="$1" pattern="$2" line=""
    for _ in $(seq 3000); do
        line="$(grep -m1 -E "$pattern" "$folder/$name.out" || true)"
        [ -n "$line" ] && { echo "$line"; return 0; }
        alive "$name" || break
        sleep 0.1
    done
    echo "$name did not start: $(tail -1 "$folder/$name.err")" >&2
    return 69
}

echo "starting PostgreSQL, NATS, Elasticsearch and the event log …" >&2
start postgres "$here/postgres.sh" "$folder/postgres"
start nats "$here/nats.sh" "$folder/nats"
elasticsearch="${JANGTEO_TEST_ELASTICSEARCH:-}"
if [ -z "$elasticsearch" ]; then
    start elasticsearch "$here/elasticsearch.sh" "$folder/elasticsearch"
fi
start log "$jangteo" serve --role log --data "$folder/log" --listen 127.0.0.1:0 --log-listen 127.0.0.1:0

told log 'listening on' >/dev/null
postgres="$(told postgres '^host=')"
port="$(sed -E 's/.*port=([0-9]+).*/\1/' <<<"$postgres")"
nats="$(told nats '^nats://')"
[ -n "$elasticsearch" ] || elasticsearch="$(told elasticsearch '^http://')"

# The last one is the shop itself: what it says is for whoever started this.
"${bound[@]}" "$jangteo" up --demo --data "$folder/shop" --keys "$folder/log" \
    --log "$(cat "$folder/log/log-address")" \
    --database "postgres://postgres@127.0.0.1:$port/postgres" \
    --nats "$nats" \
    --elasticsearch "$elasticsearch" --elasticsearch-prefix "grown-$$" "$@" &
started+=($!)
wait "${started[-1]}"
