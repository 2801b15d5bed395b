#!/usr/bin/env bash
# `make test`: provisions what it can, builds once, runs every suite, and ends by naming what was skipped and why.
# Arguments are passed on to cargo-nextest (such as a test's name).
set -euo pipefail
cd "$(dirname "$0")/../.."

PATH="$(infra/local/tools.sh cargo-nextest):$PATH"
export PATH
infra/local/chromium.sh
# The event log's clients that nobody here wrote. Their tests say why where one cannot be had.
infra/local/node-client.sh >/dev/null || true
infra/local/python-client.sh >/dev/null || true

# One Elasticsearch node for the whole run, started while the shop is built; each test has index names of its own there.
elasticsearch="$(mktemp -d)"
node=""
if [ -z "${JANGTEO_TEST_ELASTICSEARCH:-}" ]; then
    infra/local/elasticsearch.sh "$elasticsearch/node" >"$elasticsearch/address" 2>"$elasticsearch/why" &
    node=$!
fi
stop_elasticsearch() {
    if [ -n "$node" ]; then
        kill "$node" 2>/dev/null || true
        wait "$node" 2>/dev/null || true
    fi
    rm -rf "$elasticsearch"
}

# One NATS server likewise; each test has a prefix of its own there.
nats="$(mktemp -d)"
bus=""
if [ -z "${JANGTEO_TEST_NATS:-}" ]; then
    infra/local/nats.sh "$nats/server" >"$nats/address" 2>"$nats/why" &
    bus=$!
fi
stop_nats() {
    if [ -n "$bus" ]; then
        kill "$bus" 2>/dev/null || true
        wait "$bus" 2>/dev/null || true
    fi
    rm -rf "$nats"
}

# One PostgreSQL likewise; each test has schemas of its own there. Its user must be able to walk down to its folder.
postgres="$(mktemp -d)"
chmod 711 "$postgres"
database=""
if [ -z "${JANGTEO_TEST_POSTGRES:-}" ]; then
    infra/local/postgres.sh "$postgres/server" >"$postgres/address" 2>"$postgres/why" &
    database=$!
fi
stop_postgres() {
    if [ -n "$database" ]; then
        kill "$database" 2>/dev/null || true
        wait "$database" 2>/dev/null || true
    fi
    rm -rf "$postgres"
}

# Tests that need something this machine lacks write one line here and pass; the lines are shown at the end.
JANGTEO_SKIPPED="$(mktemp)"
export JANGTEO_SKIPPED
trap 'stop_elasticsearch; stop_nats; stop_postgres; rm -f "$JANGTEO_SKIPPED"' EXIT

# The system tests start the real binary. Built together with the tests, which ask a feature more of a library: apart, half of the
# shop would be built twice.
cargo build --workspace --bins --tests

if [ -n "$node" ]; then
    while kill -0 "$node" 2>/dev/null && [ ! -s "$elasticsearch/address" ]; do sleep 0.5; done
    JANGTEO_TEST_ELASTICSEARCH="$(cat "$elasticsearch/address")"
    export JANGTEO_TEST_ELASTICSEARCH
    if [ -z "$JANGTEO_TEST_ELASTICSEARCH" ]; then
        unset JANGTEO_TEST_ELASTICSEARCH
        echo "everything on Elasticsearch: $(tail -1 "$elasticsearch/why")" >>"$JANGTEO_SKIPPED"
    fi
fi

if [ -n "$bus" ]; then
    while kill -0 "$bus" 2>/dev/null && [ ! -s "$nats/address" ]; do sleep 0.5; done
    if [ -s "$nats/address" ]; then
        JANGTEO_TEST_NATS="$(cat "$nats/address")"
        export JANGTEO_TEST_NATS
    else
        echo "everything over NATS: $(tail -1 "$nats/why")" >>"$JANGTEO_SKIPPED"
    fi
fi

if [ -n "$database" ]; then
    while kill -0 "$database" 2>/dev/null && [ ! -s "$postgres/address" ]; do sleep 0.5; done
    if [ -s "$postgres/address" ]; then
        port="$(sed -E 's/.*port=([0-9]+).*/\1/' "$postgres/address")"
        export JANGTEO_TEST_POSTGRES="postgres://postgres@127.0.0.1:$port/postgres"
    else
        echo "everything on PostgreSQL: $(tail -1 "$postgres/why")" >>"$JANGTEO_SKIPPED"
    fi
fi

status=0
cargo nextest run --workspace --no-fail-fast "$@" || status=$?

echo
if [ -s "$JANGTEO_SKIPPED" ]; then
    echo "Skipped on this machine:"
    sort -u "$JANGTEO_SKIPPED" | sed 's/^/  - /'
else
    echo "Skipped on this machine: nothing."
fi
exit "$status"
