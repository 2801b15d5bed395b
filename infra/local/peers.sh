#!/usr/bin/env bash
# Builds the logs ours is measured against (benches/peers) and prints the binary. Some minutes the first time, nothing
# afterwards. Exits 69 where it cannot be built, and says why.
set -euo pipefail
cd "$(dirname "$0")/../.."

cache="${XDG_CACHE_HOME:-$HOME/.cache}/jangteo/peers"
binary="$cache/release/peers"

# One of them generates code with protoc while it is built: Debian's, or the one inside a Python package.
if ! command -v protoc >/dev/null 2>&1 && [ -z "${PROTOC:-}" ]; then
    python="$(infra/local/python-client.sh)" || { echo "no protoc on this machine (Debian: protobuf-compiler)" >&2; exit 69; }
    mkdir -p "$cache"
    printf '#!/bin/sh\nexec "%s" -m grpc_tools.protoc "$@"\n' "$python" >"$cache/protoc"
    chmod +x "$cache/protoc"
    export PROTOC="$cache/protoc"
fi
[ -x "$binary" ] || echo "building the peers (once, some minutes)" >&2
cargo build --quiet --release --locked --manifest-path benches/peers/Cargo.toml --target-dir "$cache" >&2 ||
    { echo "the peers cannot be built here" >&2; exit 69; }
echo "$binary"
