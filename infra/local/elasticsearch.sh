#!/usr/bin/env bash
# Starts a single Elasticsearch 7.17 node with nori in a given folder, on a free loopback port, and prints its address once it
# answers. Stops on SIGTERM or SIGINT; its data goes with it. The first time it is put together from Elastic's own jars with
# Maven (about 100 s, 76 MB in ~/.cache), see elasticsearch/pom.xml. For tests and measurements only, never shipped. Exits 69
# where it cannot be had, and says why.
#   usage: elasticsearch.sh DIR
#   environment: ESNODE_HEAP (512m)
set -euo pipefail

[ $# -eq 1 ] || { echo "usage: elasticsearch.sh DIR" >&2; exit 2; }
here="$(cd "$(dirname "$0")" && pwd)"

missing() {
    for tool in java javac mvn; do
        command -v "$tool" >/dev/null 2>&1 || echo "$tool"
    done
}
# Debian's, where that is possible without asking: as root, on a machine with apt.
if [ -n "$(missing)" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing Java and Maven for the Elasticsearch node (once)" >&2
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        openjdk-17-jdk-headless maven; } >/dev/null 2>&1 || true
fi
[ -z "$(missing)" ] || { echo "no $(missing | tr '\n' ' ')on this machine (Debian: openjdk-17-jdk-headless maven)" >&2; exit 69; }

mkdir -p "$1"
folder="$(cd "$1" && pwd)"
rm -f "$folder/http.port"
[ -f "${ESNODE_CACHE:-$HOME/.cache/esnode-7.17.29}/stamp" ] ||
    echo "putting the Elasticsearch node together (once, about two minutes)" >&2

node=""
stop() {
    if [ -n "$node" ]; then
        kill "$node" 2>/dev/null || true
        wait "$node" 2>/dev/null || true
    fi
    rm -rf "${folder:?}"/{config,data,logs,http.port,node.log}
}
trap stop EXIT
trap 'exit 0' TERM INT

# It writes its port to a file when it answers.
"$here/elasticsearch/node.sh" 0 "$folder" >"$folder/node.log" 2>&1 &
node=$!
for _ in $(seq 1500); do
    [ -s "$folder/http.port" ] && break
    kill -0 "$node" 2>/dev/null || break
    sleep 0.2 &
    wait $! || true
done
if [ ! -s "$folder/http.port" ]; then
    echo "the Elasticsearch node cannot be put together or started here: $(grep -m1 -E 'ERROR|Exception|error' "$folder/node.log" || tail -1 "$folder/node.log")" >&2
    exit 69
fi
echo "http://127.0.0.1:$(cat "$folder/http.port")"
wait "$node"
