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

# Tests that need something this machine lacks write one line here and pass; the lines are shown at the end.
JANGTEO_SKIPPED="$(mktemp)"
export JANGTEO_SKIPPED
trap 'rm -f "$JANGTEO_SKIPPED"' EXIT

# The system tests start the real binary.
cargo build --workspace --bins

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
